package correlate

import (
	"iter"
	"slices"

	"incidentd/incident/event"
	"incidentd/incident/topology"
)

// Difference is an incident that other rules would have made another: before is how it
// was, after how it would be. One of them is nil where it would be new, or not be.
type Difference struct {
	Before, After *Incident
	// What differs, of "events", "root-cause", "services", "priority", "ticket".
	What []string
}

// DryRun correlates the same events by two configurations and returns what would differ,
// in the order of the incidents before and then the new ones. It takes no part in what
// is going on, and as long as two replays take.
func DryRun(x *topology.Index, before, after Config, events iter.Seq[event.Event]) []Difference {
	run := func(c Config) *Replay {
		e := New(c)
		e.SetTopology(x)
		return NewReplay(e, nil)
	}
	b, a := run(before), run(after)
	for ev := range events {
		b.Feed(ev)
		a.Feed(ev)
	}
	return Differences(b.Finish(), a.Finish())
}

// Differences compares two lists of incidents over the same events. Those that share
// most events are the same; incidents that were merged into others are left out.
func Differences(before, after []*Incident) (out []Difference) {
	lasting := func(is []*Incident) []*Incident {
		return slices.DeleteFunc(slices.Clone(is), func(i *Incident) bool { return i.MergedInto != 0 })
	}
	before, after = lasting(before), lasting(after)
	owner := map[string]int{}
	for k, i := range before {
		for _, ev := range i.Events() {
			owner[ev.ID] = k
		}
	}
	match := make([]*Incident, len(before))
	shared := make([]int, len(before))
	var fresh []*Incident
	for _, i := range after {
		best, most := -1, 0
		count := map[int]int{}
		for _, ev := range i.Events() {
			if k, ok := owner[ev.ID]; ok {
				if count[k]++; count[k] > most || count[k] == most && k < best {
					best, most = k, count[k]
				}
			}
		}
		switch {
		case best < 0 || most <= shared[best]:
			fresh = append(fresh, i)
		default:
			if match[best] != nil {
				fresh = append(fresh, match[best])
			}
			match[best], shared[best] = i, most
		}
	}
	for k, i := range before {
		if match[k] == nil {
			out = append(out, Difference{Before: i})
		} else if what := i.differs(match[k]); len(what) > 0 {
			out = append(out, Difference{i, match[k], what})
		}
	}
	slices.SortFunc(fresh, func(a, b *Incident) int { return cmpSerial(a.No, b.No) })
	for _, i := range fresh {
		out = append(out, Difference{After: i})
	}
	return out
}

// differs names what two incidents do not have in common.
func (c *Incident) differs(o *Incident) (what []string) {
	ids := func(i *Incident) (out []string) {
		for _, ev := range i.Events() {
			out = append(out, ev.ID)
		}
		slices.Sort(out)
		return out
	}
	if !slices.Equal(ids(c), ids(o)) {
		what = append(what, "events")
	}
	if a, b := c.RootCauses[0], o.RootCauses[0]; a.Node != b.Node || a.Resource != b.Resource || a.CauseName != b.CauseName {
		what = append(what, "root-cause")
	}
	if !slices.Equal(c.ServiceInstances, o.ServiceInstances) || !slices.Equal(c.ServiceStates, o.ServiceStates) {
		what = append(what, "services")
	}
	if c.Priority != o.Priority {
		what = append(what, "priority")
	}
	if c.Ticket != o.Ticket {
		what = append(what, "ticket")
	}
	return what
}
