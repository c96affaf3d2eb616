package oam

import (
	"context"
	"errors"
	"strconv"
	"time"

	"incidentd/datastore"
	"incidentd/netconf"
	"incidentd/schedule"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// Register gives the operations of incidentd-oam-tests their handlers: the actions start
// and stop, and preview-schedule.
func (m *Manager) Register(s *netconf.Server) error {
	var errs []error
	for _, k := range []Kind{UnitaryTest, TestSequence} {
		for _, op := range m.schema.lists[k].Operations {
			switch op.Name {
			case "start":
				errs = append(errs, s.HandleAction(op, m.startAction(k)))
			case "stop":
				errs = append(errs, s.HandleAction(op, m.stopAction(k)))
			}
		}
	}
	errs = append(errs, s.Handle("incidentd-oam-tests", "preview-schedule", m.previewSchedule),
		s.Handle("incidentd-oam-tests", "get-birth-certificate", m.getBirthCertificate))
	return errors.Join(errs...)
}

// startAction answers start.
func (m *Manager) startAction(k Kind) netconf.Handler {
	return func(_ context.Context, r *netconf.Request) (*netconf.Reply, error) {
		runID, err := m.StartRun(k, r.At.Node.Leaf("name"))
		if err != nil {
			return nil, err.At(r.At.Path())
		}
		return &netconf.Reply{Output: r.Output().Leaf("run-id", runID).Node()}, nil
	}
}

// stopAction answers stop.
func (m *Manager) stopAction(k Kind) netconf.Handler {
	return func(_ context.Context, r *netconf.Request) (*netconf.Reply, error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		if it := m.items[id{k, r.At.Node.Leaf("name")}]; it != nil {
			m.halt(it, ClientStop, "stopped by "+r.Session.User())
		}
		return nil, nil
	}
}

// StartRun begins a run outside of the schedule, and returns its id. What it finds is told
// by a notification and a result. The error says why it cannot begin now.
func (m *Manager) StartRun(k Kind, name string) (runID string, _ *rpcerr.Error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	it := m.items[id{k, name}]
	refuse := func(format string, args ...any) (string, *rpcerr.Error) {
		return "", rpcerr.New(rpcerr.Application, rpcerr.TagResourceDenied, format, args...)
	}
	switch {
	case it == nil || m.closed:
		return "", rpcerr.DataMissing("there is no %s %q", kindWords[k], name)
	case it.run != nil:
		return "", rpcerr.New(rpcerr.Application, rpcerr.TagInUse, "the %s %q is under way already, as run %s", kindWords[k], name, it.run.record.ID)
	case m.service.limits.paused:
		return refuse("tests are paused: /oam-service/limits/paused is true")
	case it.state == Stopped:
		return refuse("the %s %q is stopped; remove %s from its configuration first", kindWords[k], name, k.statusLeaf())
	}
	if f := it.faultUnder(&m.service.limits); f != nil {
		return refuse("the %s %q cannot run: %s", kindWords[k], name, f)
	}
	// Whatever it waits for, it is made ready now; what the world has to say is asked when
	// it runs.
	it.round++
	if it.state == Configured || it.state == Planned {
		it.state = None
	}
	if it.state != Ready {
		if !m.move(it, Planned, "", "") || !m.move(it, Configured, "", "") || !m.move(it, Ready, "", "") {
			return refuse("the %s %q cannot run in its present state", kindWords[k], name)
		}
		m.arm(it)
	}
	return m.begin(it, nil, ByAction, ""), nil
}

// previewSchedule answers preview-schedule.
func (m *Manager) previewSchedule(_ context.Context, r *netconf.Request) (*netconf.Reply, error) {
	in := Params{r.Input}
	from := time.Now()
	if n := r.Input.Child("from"); n != nil {
		t, err := schedule.ParseTime(n.Value())
		if err != nil {
			return nil, rpcerr.InvalidValue("%s", err).At((&data.Loc{Node: r.Input}).Down(n).Path())
		}
		from = t
	}
	var def *definition
	var rivals []conflict
	if r.Input.Has("unitary-test") || r.Input.Has("test-sequence") {
		var err error
		if def, rivals, err = m.configured(r, from); err != nil {
			return nil, err
		}
	} else {
		plan, err := schedule.FromData(&data.Loc{Node: r.Input}, schedule.ParseRole(in.String("period-role")))
		if err != nil {
			return nil, err
		}
		def = &definition{plan: plan}
	}
	b := r.Output().Leaf("effective-period-role", def.plan.Role().String())
	for _, s := range spans(def.plan, from.Add(-1-def.spread), in.Int("limit")) {
		e := b.Entry("occurrence", data.FormatTime(s.Start.Add(def.spread)))
		e.Time("end", s.End)
	}
	for _, l := range rivals {
		encodeConflict(b, l)
	}
	return &netconf.Reply{Output: b.Node()}, nil
}

// configured finds a test in a datastore, and its rivals there.
func (m *Manager) configured(r *netconf.Request, from time.Time) (*definition, []conflict, error) {
	i := id{UnitaryTest, r.Input.Leaf("unitary-test")}
	leaf := "unitary-test"
	if r.Input.Has("test-sequence") {
		i, leaf = id{TestSequence, r.Input.Leaf("test-sequence")}, "test-sequence"
	}
	name := datastore.Name(Params{r.Input}.String("datastore"))
	tree := m.store.Snapshot().Datastore(name)
	at := m.schema.entry(tree, i)
	if at == nil || !r.Access.MayRead(at) { // who may not read it does not learn that it is there
		return nil, nil, rpcerr.DataMissing("%s has no %s %s", name, kindWords[i.kind], strconv.Quote(i.name)).
			At((&data.Loc{Node: r.Input}).Down(r.Input.Child(leaf)).Path())
	}
	d := decoder{m.engines, m.schema.containerOf(tree, UnitaryTest)}
	var own *definition
	var others []*definition
	for j, at := range m.schema.entries(tree) {
		if j != i && !r.Access.MayRead(at) {
			continue
		}
		def, err := d.definition(j, at, orderOf(nil, at.Node))
		switch {
		case err != nil && j == i:
			return nil, nil, err
		case err != nil: // the commit will tell
		case j == i:
			own = def
		case len(def.needs) > 0:
			others = append(others, def)
		}
	}
	return own, conflictsOf([]*definition{own}, others, from)[i], nil
}
