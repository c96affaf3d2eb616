package resolve

import (
	"context"
	"fmt"
	"time"

	"incidentd/datastore"
	"incidentd/yang/data"
)

// verdict is what is seen of an incident.
type verdict int

const (
	isOpen verdict = iota
	isCleared
	isWorse
)

// sight is what was seen of an incident, and of others, last.
type sight struct {
	id    string     // it, or what it was merged into
	entry *data.Node // as it was
	all   *data.Node // the incidents
}

// mostMerges bounds how far an incident is followed that is merged, and merged again.
const mostMerges = 100

// look looks at the incident of a run.
func (m *Manager) look(r *run, snap *datastore.Snapshot, s *sight) (verdict, string) {
	if s.id == "" {
		s.id, s.all = r.record.Incident, snap.State.Get(m.schema.incidents)
	}
	list := m.schema.incidents.ChildNamed("incident")
	all := snap.State.Get(m.schema.incidents)
	fresh := m.raised(r, s.all, all)
	s.all = all
	for range mostMerges {
		inc := all.Entry(list, s.id)
		switch {
		case inc == nil:
			return isCleared, s.id + " is cleared, and its time in the list of incidents is over"
		case inc.Leaf("status") == "cleared" && inc.Leaf("merged-into") != "":
			// That has not cured it. What it is part of now was bad before it came.
			s.id = inc.Leaf("merged-into")
			if into := all.Entry(list, s.id); into != nil {
				r.health = healthOf(into)
			}
			continue
		case fresh != "" && fresh != s.id:
			return isWorse, fresh + " was raised at the same node"
		case inc == s.entry:
			return isOpen, ""
		case inc.Leaf("status") == "cleared":
			return isCleared, s.id + " is cleared"
		}
		s.entry = inc
		if how := healthOf(inc).worse(r.health); how != "" {
			return isWorse, s.id + " got worse: " + how
		}
		return isOpen, ""
	}
	return isOpen, ""
}

// raised is an incident that was raised between two looks, and that the cure may have brought
// about: its root cause is at a node of that of the incident, or at the device. It is "" if there
// is none.
func (m *Manager) raised(r *run, was, is *data.Node) (id string) {
	if was == is {
		return ""
	}
	data.DiffEntries(was, is, m.schema.incidents.ChildNamed("incident"), func(old, inc *data.Node) bool {
		if old == nil && inc.Leaf("status") != "cleared" {
			for c := range inc.Child("root-causes").Entries("root-cause") {
				if n := c.Leaf("node"); n == r.record.Plan.Device || n == r.node {
					id = inc.Key()
				}
			}
		}
		return id == ""
	})
	return id
}

// watch waits until the incident of a run is cleared, gets worse, or its time is over.
func (m *Manager) watch(r *run, s *sight) (Outcome, string) {
	late := time.NewTimer(time.Until(r.record.Deadline))
	defer late.Stop()
	for {
		changed := m.store.Changed()
		switch seen, how := m.look(r, m.store.Snapshot(), s); seen {
		case isCleared:
			return Resolved, how
		case isWorse:
			return Worse, how
		}
		select {
		case <-changed:
		case <-late.C:
			return NotCleared, fmt.Sprintf("%s did not clear within %.0f s", s.id, r.record.Plan.Within.Seconds())
		case <-r.ctx.Done():
			return fate(r, context.Cause(r.ctx))
		}
	}
}
