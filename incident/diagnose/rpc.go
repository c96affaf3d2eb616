package diagnose

import (
	"context"
	"errors"

	"incidentd/datastore"
	"incidentd/netconf"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// Register gives incident-diagnose of ietf-incident and diagnose-plan of incidentd-diagnosis
// their handlers.
func (m *Manager) Register(s *netconf.Server) error {
	return errors.Join(
		s.Handle("ietf-incident", "incident-diagnose", m.diagnose),
		s.Handle(ownModule, "diagnose-plan", m.diagnosePlan),
	)
}

// diagnose answers incident-diagnose: all incidents are admitted or none. Its reply says that
// the admission is on disk; what is found is told by an incident-notification. One that is
// being diagnosed already is not diagnosed twice.
func (m *Manager) diagnose(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	if len(r.Input.Values("incident-id")) == 0 {
		return nil, nil
	}
	return nil, m.incidents.Act(ctx, r, func(tx *datastore.Tx) error {
		c := m.settings()
		var errs rpcerr.Errors
		var jobs []*job
		seen := map[string]bool{}
		for n := range r.Input.Entries("incident-id") {
			id := n.Value()
			if seen[id] {
				continue
			}
			seen[id] = true
			at := (&data.Loc{Node: r.Input}).Down(n).Path()
			inc, err := m.incidents.Opened(tx, r, n)
			switch {
			case err != nil:
				errs = append(errs, err)
				continue
			case m.under(id):
				m.count(func(f *figures) { f.coalesced++ })
				continue
			}
			p, err := m.plan(inc, m.network(tx), c, false)
			var j *job
			if err == nil {
				j, err = m.admit(p, tx.Now())
			}
			if err != nil {
				m.count(func(f *figures) { f.refused++ })
				errs = append(errs, err.At(at))
				continue
			}
			j.user = r.Session.User()
			jobs = append(jobs, j)
		}
		if err := errs.Err(); err != nil {
			for _, j := range jobs {
				m.drop(j)
			}
			return err
		}
		for _, j := range jobs {
			m.begin(tx, j)
		}
		return nil
	})
}

// diagnosePlan answers diagnose-plan.
func (m *Manager) diagnosePlan(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	b := r.Output()
	err := m.incidents.Consult(ctx, func(tx *datastore.Tx) error {
		inc, err := m.incidents.Opened(tx, r, r.Input.Child("incident-id"))
		if err != nil {
			return err
		}
		p, obstacle := m.plan(inc, m.network(tx), m.settings(), false)
		if p == nil {
			p = &Plan{}
		}
		free := m.budget.Free()
		if obstacle == nil {
			if a, short := m.budget.Reserve(p.cost); short != nil {
				obstacle = rpcerr.New(rpcerr.Application, rpcerr.TagResourceDenied, "%s", short)
			} else {
				a.Close()
			}
		}
		encodePlan(b, p, free, obstacle)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &netconf.Reply{Output: b.Node()}, nil
}
