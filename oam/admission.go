package oam

import (
	"slices"
	"time"
)

// admission says which runs may be under way at once. It is of a Manager, whose mutex
// guards it.
type admission struct {
	limits  *limits
	running []*ticket
	waiting []*ticket // by priority, then by age
	refused uint64
}

// ticket is the place of a run, or the wish for one.
type ticket struct {
	priority int
	demand   Demand
	needs    []string
	// granted and refused are called once, one of both, with the mutex held.
	granted func()
	refused func(*Fault)
	// displace ends the run for the sake of another.
	displace func()

	displaced bool
	expiry    *time.Timer
}

// request grants a ticket now, or when there is a place; expire is called once it has
// waited for patience, to call expired with the mutex held.
func (a *admission) request(t *ticket, patience time.Duration, expire func()) {
	blocked := a.blocking(t)
	if blocked == nil {
		a.running = append(a.running, t)
		t.granted()
		return
	}
	if len(a.waiting) >= a.limits.queue {
		a.refused++
		t.refused(Faultf(ResourceContention, "%d runs wait for a place already, as many as max-queue permits", len(a.waiting)))
		return
	}
	i := slices.IndexFunc(a.waiting, func(w *ticket) bool { return w.priority < t.priority })
	if i < 0 {
		i = len(a.waiting)
	}
	a.waiting = slices.Insert(a.waiting, i, t)
	t.expiry = time.AfterFunc(patience, expire)
	a.displaceFor(t)
}

// expired refuses a ticket that waits still.
func (a *admission) expired(t *ticket) {
	if !a.withdraw(t) {
		return
	}
	why := "there was no place in time"
	if b := a.blocking(t); b != nil {
		why = b.Error()
	}
	a.refused++
	t.refused(Faultf(ResourceContention, "%s", why))
}

// withdraw takes back a wish, and reports whether it was waiting.
func (a *admission) withdraw(t *ticket) bool {
	i := slices.Index(a.waiting, t)
	if i < 0 {
		return false
	}
	a.waiting = slices.Delete(a.waiting, i, i+1)
	t.expiry.Stop()
	return true
}

// release gives back a place.
func (a *admission) release(t *ticket) {
	if i := slices.Index(a.running, t); i >= 0 {
		a.running = slices.Delete(a.running, i, i+1)
	}
	a.again()
}

// again grants what can be granted now.
func (a *admission) again() {
	for _, t := range slices.Clone(a.waiting) {
		if a.blocking(t) == nil && a.withdraw(t) {
			a.running = append(a.running, t)
			t.granted()
		}
	}
}

// displaceFor ends the run of lowest priority whose place a ticket of higher priority
// could take. One at a time: more follow if that is not enough.
func (a *admission) displaceFor(t *ticket) {
	var victim *ticket
	for _, r := range a.running {
		if r.displaced && r.priority < t.priority {
			return // somebody makes room already
		}
		if r.priority < t.priority && (victim == nil || r.priority < victim.priority) && a.blockingWithout(t, r) == nil {
			victim = r
		}
	}
	if victim != nil {
		victim.displaced = true
		victim.displace()
	}
}

// blocking is why a ticket cannot be granted now, nil if it can.
func (a *admission) blocking(t *ticket) *Fault { return a.blockingWithout(t, nil) }

// blockingWithout is blocking as if one of the runs were over.
func (a *admission) blockingWithout(t, gone *ticket) *Fault {
	runs, same := 0, 0
	packets, bits := t.demand.PacketRate, t.demand.BitRate
	if t.demand.Load {
		packets, bits = 0, 0
	}
	for _, r := range a.running {
		if r == gone {
			continue
		}
		runs++
		if r.demand.Target == t.demand.Target {
			same++
		}
		if !r.demand.Load {
			packets += r.demand.PacketRate
			bits += r.demand.BitRate
		}
		for _, n := range t.needs {
			if slices.Contains(r.needs, n) {
				return Faultf(ResourceContention, "another run has %s", n)
			}
		}
	}
	switch {
	case runs >= a.limits.runs:
		return Faultf(ResourceContention, "%d runs are under way, as many as max-concurrent-runs permits", runs)
	case same >= a.limits.perTarget:
		return Faultf(ResourceContention, "%d runs to %s are under way, as many as max-concurrent-runs-per-target permits", same, t.demand.Target)
	case packets > a.limits.packetRate:
		return Faultf(ResourceContention, "with the runs under way it would be %.0f packets per second, and max-packet-rate permits %.0f", packets, a.limits.packetRate)
	case bits > a.limits.bitRate:
		return Faultf(ResourceContention, "with the runs under way it would be %.0f kilobits per second, and max-bit-rate permits %.0f", bits/1000, a.limits.bitRate/1000)
	}
	return nil
}
