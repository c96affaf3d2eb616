package resolve

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"incidentd/datastore"
	"incidentd/incident/topology"
	"incidentd/netconf"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// appUnresolved is the app-tag of the draft for an incident that the server cannot
// resolve.
const appUnresolved = "probable-cause-unresolved"

// unresolved is an incident without a cure, for which an error is told.
type unresolved struct {
	facts  *facts
	unfit  []unfit
	at     rpcerr.Path
	around []Alternative
}

// resolve answers incident-resolve of ietf-incident: incidents of which nothing lasts are
// cleared, for others a procedure is begun. All of it or nothing.
func (m *Manager) resolve(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	if len(r.Input.Values("incident-id")) == 0 {
		return nil, nil
	}
	var without []*unresolved
	var entries []*data.Node
	var index *topology.Index
	var running *data.Node
	err := m.incidents.Act(ctx, r, func(tx *datastore.Tx) error {
		c, err := m.configured(tx.Running())
		if err != nil {
			return err
		}
		index, running = m.incidents.Topology(), tx.Running()
		var errs rpcerr.Errors
		var clear []*data.Node
		var begin []*run
		seen := map[string]bool{}
		for n := range r.Input.Entries("incident-id") {
			if seen[n.Value()] {
				continue
			}
			seen[n.Value()] = true
			inc, err := m.incidents.Opened(tx, r, n)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			switch {
			case !m.incidents.Lasts(inc):
				clear = append(clear, inc)
				continue
			case m.underWay(n.Value()) != nil:
				continue // it is being resolved
			}
			f := factsOf(inc)
			f.run = runName(m.number(len(begin)))
			plan, not := c.choose(f, m.tried(f.id))
			if plan == nil {
				without = append(without, &unresolved{facts: f, unfit: not, at: (&data.Loc{Node: r.Input}).Down(n).Path()})
				entries = append(entries, inc)
				continue
			}
			record := Run{Number: m.number(len(begin)), Incident: f.id, User: r.Session.User(), Begin: tx.Now(), Phase: Admitted, Plan: *plan}
			if plan.Command == nil {
				record.Token = "incidentd-" + f.run + "-" + token()
			}
			x := m.newRun(record)
			x.health, x.node = healthOf(inc), f.node
			begin = append(begin, x)
		}
		if len(without) > 0 || len(errs) > 0 {
			return errs.Err()
		}
		if err := m.admit(tx, c, begin); err != nil {
			return err
		}
		for _, inc := range clear {
			if err := m.incidents.Close(tx, r, inc); err != nil {
				return err
			}
		}
		for _, x := range begin {
			m.put(tx, &x.record, "")
			m.incidents.Note(tx, x.record.Incident, "cure-begun", x.record.User, x.record.Plan.Procedure+", run "+x.record.Name())
		}
		return nil
	})
	if err != nil || len(without) == 0 {
		return nil, err
	}
	var errs rpcerr.Errors
	for k, u := range without {
		u.around = around(index, running, entries[k])
		errs = append(errs, u.err())
	}
	return nil, errs
}

// err is the error for an incident without a cure: what to do instead, in words.
func (u *unresolved) err() *rpcerr.Error {
	advice := u.facts.advice
	if advice == "" {
		advice = "its cause is not known"
	}
	text := fmt.Sprintf("%s cannot be resolved by the server: %s", u.facts.id, advice)
	for _, x := range u.unfit {
		text = strings.TrimSuffix(text, ".") + fmt.Sprintf("; not by the procedure %s: %s", x.procedure, x.why)
	}
	if len(u.around) > 0 {
		text = strings.TrimSuffix(text, ".") + "; a way around: " + u.around[0].String()
	}
	return rpcerr.OperationFailed("%s", text).WithAppTag(appUnresolved).At(u.at)
}

// token is what nobody else calls a confirmed commit.
func token() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// underWay is the run for an incident, nil without one.
func (m *Manager) underWay(incident string) *run {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.open[incident]
}

// number is the number of the next run but so many.
func (m *Manager) number(more int) uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.next + uint64(more)
}

// admit takes runs in, which begin when the transaction is on disk. Transactions that share an
// fsync see those of each other.
func (m *Manager) admit(tx *datastore.Tx, c *config, list []*run) error {
	if len(list) == 0 {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := len(m.open) + len(list); n > c.maxRuns {
		m.figures.denied++
		return rpcerr.ResourceDenied("%d procedures would be under way at once, and %d may be: /resolution/max-runs; ask again when others have ended", n, c.maxRuns)
	}
	next := m.next
	m.next += uint64(len(list))
	for _, x := range list {
		m.open[x.record.Incident] = x
	}
	tx.OnAbort(func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.next = min(m.next, next)
		for _, x := range list {
			x.halt(nil)
			delete(m.open, x.record.Incident)
		}
	})
	tx.OnCommit(func(*datastore.Snapshot) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.figures.runs += uint64(len(list))
		if m.ctx.Err() != nil {
			return // they are closed after the next start
		}
		for _, x := range list {
			m.running.Go(func() { m.carryOut(x) })
		}
	})
	return nil
}

// preview answers preview-resolution.
func (m *Manager) preview(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	ask := r.Input.Leaf("ask-device") == "true"
	if ask { // it logs in to a device with what the server knows, as only who may resolve can have it do
		if err := r.Access.Exec(r.Session.Server().Store().Schema().RPC("ietf-incident", "incident-resolve")); err != nil {
			return nil, err
		}
	}
	out := r.Output()
	var plan *Plan
	var inc, running *data.Node
	var index *topology.Index
	var c *config
	err := m.incidents.Consult(ctx, func(tx *datastore.Tx) error {
		var refused *rpcerr.Error
		if inc, refused = m.incidents.Opened(tx, r, r.Input.Child("incident-id")); refused != nil {
			return refused
		}
		var err error
		if c, err = m.configured(tx.Running()); err != nil {
			return err
		}
		index, running = m.incidents.Topology(), tx.Running()
		f := factsOf(inc)
		f.run = runName(m.number(0))
		x := m.underWay(f.id)
		switch {
		case !m.incidents.Lasts(inc):
			out.Leaf("way", "clear")
			inc = nil // which needs no way around
			return nil
		case x != nil:
			out.Leaf("way", "under-way")
			encodePlan(out, &x.record.Plan) // which does not change
			out.Leaf("run-id", x.name).Text("advice", f.advice)
			return nil
		}
		var not []unfit
		way := "none"
		if plan, not = c.choose(f, m.tried(f.id)); plan != nil {
			way = "procedure"
		}
		out.Leaf("way", way)
		if plan != nil {
			encodePlan(out, plan)
		}
		out.Text("advice", f.advice)
		for _, u := range not {
			out.Entry("unfit", u.procedure).Leaf("why", u.why)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if plan != nil && plan.Command == nil && ask {
		d := &deviceCure{device: c.devices[plan.Device], plan: plan, dial: m.c.Dial}
		answer := ""
		if err := d.test(ctx); err != nil {
			answer = err.Error()
		}
		d.close()
		out.Leaf("device-answer", printable(answer))
	}
	if inc != nil {
		encodeAlternatives(out, around(index, running, inc))
	}
	return &netconf.Reply{Output: out.Node()}, nil
}

// stop answers stop-resolution.
func (m *Manager) stop(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	n := r.Input.Child("incident-id")
	return nil, m.incidents.Consult(ctx, func(tx *datastore.Tx) error {
		if _, err := m.incidents.Opened(tx, r, n); err != nil {
			return err
		}
		x := m.underWay(n.Value())
		if x == nil {
			return rpcerr.DataMissing("no procedure is under way for %s", n.Value()).At((&data.Loc{Node: r.Input}).Down(n).Path())
		}
		x.halt(&halted{"stopped by " + r.Session.User()})
		return nil
	})
}

// printable is a text as a leaf can hold it.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\n' && r != '\t' || r == 0x7f || r == 0xFFFE || r == 0xFFFF {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// consultTime is how long alternatives for the record of a run may wait for the store.
const consultTime = 10 * time.Second

// alternativesFor are the ways around what an incident is about; none when it is no longer
// there.
func (m *Manager) alternativesFor(incident string) []Alternative {
	ctx, cancel := context.WithTimeout(m.ctx, consultTime)
	defer cancel()
	var inc, running *data.Node
	var index *topology.Index
	err := m.incidents.Consult(ctx, func(tx *datastore.Tx) error {
		inc = tx.State().Get(m.schema.incidents).EntryNamed("incident", incident)
		index, running = m.incidents.Topology(), tx.Running()
		return nil
	})
	if err != nil || inc == nil || inc.Leaf("status") == "cleared" {
		return nil
	}
	return around(index, running, inc)
}
