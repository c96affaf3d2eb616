package demo

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"incidentd/incident/event"
)

// Interval is the time from one fault to the next.
const Interval = 30 * time.Second

// How long the neighbourhood of a fault stays spared after its last event: at least,
// and if there is room elsewhere, so that its incident is over before the next begins.
const (
	leastCalm = 10 * time.Second
	calm      = 40 * time.Second
)

// Kind is what breaks.
type Kind string

// The kinds, in the order in which a storm goes through them.
const (
	InterfaceDown   Kind = "interface down"
	FibreCut        Kind = "fibre cut"
	LinkDegradation Kind = "link degradation"
	BGPReset        Kind = "BGP session reset"
	NodeDown        Kind = "node down"
	PowerOutage     Kind = "power outage"
)

// Kinds are all kinds.
var Kinds = [...]Kind{InterfaceDown, FibreCut, LinkDegradation, BGPReset, NodeDown, PowerOutage}

// Fault is one thing that breaks: what truly happened, for the spectators.
type Fault struct {
	Kind Kind
	// Node and Resource are where; Resource is empty for a whole node.
	Node, Resource string
	// Start and End are when it breaks and when it is mended. What is reported of
	// both comes a little later.
	Start, End time.Time
	// Services are the VPNs it hurts, in the order of their names.
	Services []string
}

// String says what breaks and where, such as "fibre cut at O-Oslo OTS-1-2".
func (f Fault) String() string {
	if f.Resource == "" {
		return fmt.Sprintf("%s at %s", f.Kind, f.Node)
	}
	return fmt.Sprintf("%s at %s %s", f.Kind, f.Node, f.Resource)
}

// Storm is an endless sequence of faults, and the events by which the network reports
// them. It is a function of its seed and start alone: it does not matter when and how
// often Next is called. A Storm must not be used by two goroutines at once.
type Storm struct {
	c      *carrier
	seed   uint64
	start  time.Time
	faults []Fault
	number int // slots used; a slot without room for its fault stays empty
	queue  []pending
	serial int
	busy   map[key]time.Time // what is reported already, until when
	sick   []sickness
}

type pending struct {
	due    time.Time
	serial int
	event  event.Event
}

// key is an alarm, whose raise must not be repeated while another fault holds it.
type key struct{ node, resource, alarmType string }

// sickness is the neighbourhood of a fault, from which others keep away while it lasts,
// so that each fault has its own symptoms.
type sickness struct {
	nodes []string
	links []int
	until time.Time
	calm  time.Time // spared until then if there is room elsewhere
}

// New returns the storm of a seed whose first fault is one second after start.
func New(seed uint64, start time.Time) *Storm {
	return &Storm{c: plan(), seed: seed, start: start.UTC(), busy: map[key]time.Time{}}
}

// Next returns the events that are due at now and were not returned before, in order of
// arrival. Their ids are unique over all storms of other starts or seeds.
func (s *Storm) Next(now time.Time) []event.Event {
	s.breakUntil(now)
	n, _ := slices.BinarySearchFunc(s.queue, now, func(p pending, t time.Time) int {
		if p.due.After(t) {
			return 1
		}
		return -1
	})
	var out []event.Event
	for _, p := range s.queue[:n] {
		out = append(out, p.event)
	}
	s.queue = s.queue[n:]
	return out
}

// Due returns when the next event is due; Next has something to return from then on.
func (s *Storm) Due() time.Time {
	for {
		slot := s.slot(s.number)
		if len(s.queue) > 0 && s.queue[0].due.Before(slot) {
			return s.queue[0].due
		}
		s.breakUntil(slot)
	}
}

// Faults returns the faults that began up to now, oldest first. It is the sequence that
// the events returned so far belong to, and must not be modified.
func (s *Storm) Faults(now time.Time) []Fault {
	s.breakUntil(now)
	n, _ := slices.BinarySearchFunc(s.faults, now, func(f Fault, t time.Time) int {
		if f.Start.After(t) {
			return 1
		}
		return -1
	})
	return s.faults[:n:n]
}

func (s *Storm) slot(i int) time.Time {
	return s.start.Add(time.Second + time.Duration(i)*Interval)
}

func (s *Storm) breakUntil(now time.Time) {
	for at := s.slot(s.number); !at.After(now); at = s.slot(s.number) {
		s.breakAt(at)
		s.number++
	}
}

// breakAt plans the fault of the current slot.
func (s *Storm) breakAt(at time.Time) {
	r := rand.New(rand.NewPCG(s.seed, uint64(s.number)))
	s.sick = slices.DeleteFunc(s.sick, func(k sickness) bool { return !k.calm.After(at) })
	for k, until := range s.busy {
		if !until.After(at) {
			delete(s.busy, k)
		}
	}
	kind := Kinds[s.number%len(Kinds)]
	for try := range 128 {
		b := &breaker{Storm: s, r: r, at: at, end: at.Add(lasting(kind, r))}
		f, near := b.pick(kind)
		if !s.apart(near, at, try < 64) {
			continue
		}
		b.report(kind)
		near.until, near.calm = b.last.Add(leastCalm), b.last.Add(calm)
		s.sick = append(s.sick, near)
		f.Kind, f.Start, f.End, f.Services = kind, at, b.end, b.services()
		s.faults = append(s.faults, f)
		s.queue = append(s.queue, b.out...)
		slices.SortFunc(s.queue, func(x, y pending) int {
			return cmp.Or(x.due.Compare(y.due), cmp.Compare(x.serial, y.serial))
		})
		return
	}
}

// apart reports whether a neighbourhood has nothing in common with those that are sick
// or, with calm, were so a moment ago.
func (s *Storm) apart(near sickness, at time.Time, calm bool) bool {
	for _, k := range s.sick {
		if !calm && !k.until.After(at) {
			continue
		}
		if slices.ContainsFunc(near.nodes, func(n string) bool { return slices.Contains(k.nodes, n) }) ||
			slices.ContainsFunc(near.links, func(l int) bool { return slices.Contains(k.links, l) }) {
			return false
		}
	}
	return true
}

// lasting is how long a fault lasts: long enough for all of its symptoms.
func lasting(k Kind, r *rand.Rand) time.Duration {
	least := 70
	if k == NodeDown || k == PowerOutage {
		least = 120
	}
	return time.Duration(least+r.IntN(60)) * time.Second
}
