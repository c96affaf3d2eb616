package correlate

import (
	"slices"

	"incidentd/incident/event"
	"incidentd/incident/topology"
)

// footingOf returns what a symptom rests on.
func (e *Engine) footingOf(a *alarm) footing { return e.x.footing(a.obj, a.class, a.text()) }

// impact returns the open incident that best explains a symptom by what it brings
// down; nil if none does.
func (e *Engine) impact(a *alarm) *incident {
	f := e.footingOf(a)
	var best *incident
	var cost int64
	consider := func(i *incident, down bool) {
		c, ok := i.distance(a, down)
		if ok && (best == nil || c < cost || c == cost && i.id < best.id) {
			best, cost = i, c
		}
	}
	for k, ed := range f.edges {
		for _, r := range e.edgeInc[ed] {
			if r.i == best && k > 0 {
				continue
			}
			consider(r.i, r.down)
		}
	}
	for _, n := range f.nodes {
		for _, i := range e.nodeInc[n] {
			consider(i, true)
		}
	}
	if best == nil && (a.class == TunnelDown || a.class == Reroute) && e.x.pathless(&f) {
		return e.beside(a)
	}
	return best
}

// beside returns the young incident that has other tunnels down when a tunnel whose
// path the model does not tell goes down; nil if there is none, or more than one.
func (e *Engine) beside(a *alarm) (best *incident) {
	const before, after = 15 * second, 5 * second
	several := false
	e.recent(func(i *incident) bool {
		if lag := a.t - i.t0; i.reach.tunnels > 0 && lag <= before && lag >= -after {
			several = best != nil
			best = i
		}
		return !several
	})
	if several {
		return nil
	}
	return best
}

// patience is how long after its cause a symptom may come, by class.
func patience(c Class, down bool) int64 {
	switch {
	case c == PathDelay || c == PathLoss:
		return 900 * second // traffic that has moved fills links one after the other
	case testSet.has(c):
		return 900 * second // it takes several runs of a test
	case !down:
		return 500 * second
	}
	switch c {
	case ServiceLost, ServiceDegraded:
		return 60 * second
	case BGP:
		return 260 * second
	case Unreachable:
		return 300 * second
	case EdgeUnreachable:
		return 150 * second
	}
	return 45 * second
}

// distance returns how far a symptom is in time from what an incident would expect;
// false if it is too far.
func (i *incident) distance(a *alarm, down bool) (cost int64, ok bool) {
	cost, ok = i.lag(a, a.t, down)
	if !ok && a.unsure {
		cost, ok = i.lag(a, a.arrival-usual, down)
	}
	return cost, ok
}

// lag is the distance of a symptom that happened at a time.
func (i *incident) lag(a *alarm, at int64, down bool) (cost int64, ok bool) {
	limit := patience(a.class, down)
	if a.class == Other && a.obj.name == "" {
		limit = patience(Unreachable, down)
	}
	for _, t := range [...]int64{i.t0, i.hot, i.darkAt} {
		lag := at - t
		if t == 0 || lag < -20*second || lag > limit {
			continue
		}
		c := lag - 2*second
		if c < 0 {
			c = -c
		}
		if !ok || c < cost {
			cost, ok = c, true
		}
	}
	if (a.class == PathDelay || a.class == PathLoss) == down {
		cost += 30 * second // an outage gives no delay, a degradation no outage
	}
	return cost, ok
}

// waits is how long a symptom of a class waits for its cause. Sessions and nodes are
// given up long after what they rest on, so their cause is there already or does not
// exist.
func (e *Engine) waits(a *alarm) int64 {
	switch a.class {
	case PathDelay, PathLoss:
		return 2 * e.p.effectWait // the links are watched less often than the paths
	case Unreachable:
		return min(15*second, e.p.effectWait)
	case EdgeUnreachable:
		return min(5*second, e.p.effectWait)
	case BGP:
		if a.obj.peer != topology.None && a.obj.nodeID != topology.None && len(e.x.accessBetween(a.obj.nodeID, a.obj.peer)) > 0 {
			return min(3*second, e.p.effectWait)
		}
		return min(15*second, e.p.effectWait)
	}
	return e.p.effectWait
}

func (e *Engine) wait(a *alarm) {
	a.state = waiting
	e.arm(a, e.now+e.waits(a), waitTimer)
	e.waitOn(a)
}

// waitOn enters a symptom where it waits.
func (e *Engine) waitOn(a *alarm) {
	f := e.footingOf(a)
	for _, ed := range f.edges {
		e.waitEdge[ed] = append(e.waitEdge[ed], a)
	}
	for _, n := range f.nodes {
		e.waitNode[n] = append(e.waitNode[n], a)
	}
}

func (e *Engine) unwait(a *alarm) {
	if a.state != waiting {
		return
	}
	f := e.footingOf(a)
	for _, ed := range f.edges {
		unlink(&e.waitEdge[ed], a)
	}
	for _, n := range f.nodes {
		unlink(&e.waitNode[n], a)
	}
}

// retry lets the symptoms that wait where an incident reaches look again, and what was
// taken for an unknown trouble of its own and need not be one.
func (e *Engine) retry(i *incident) {
	again := e.puzzling(i)
	for _, r := range i.reach.edges {
		again = append(again, e.waitEdge[r.edge]...)
	}
	for _, n := range i.reach.nodes {
		again = append(again, e.waitNode[n]...)
	}
	slices.SortFunc(again, func(a, b *alarm) int { return cmpSerial(a.serial, b.serial) })
	for _, a := range slices.Compact(again) {
		if a.state != waiting && !a.puzzles() {
			continue
		}
		if j := e.impact(a); j != nil && j != a.inc {
			was := a.inc
			e.join(j, a)
			if was != nil && !was.hasEvidence() {
				e.dissolve(was)
			}
		}
	}
}

// puzzles reports whether an alarm is a trouble of its own only because no other was
// known that explains it.
func (a *alarm) puzzles() bool {
	return a.state == attached && a.inc.root.cause == Unknown && !a.inc.settled && !a.pinned && a.root && (a.class == Other || softSet.has(a.class))
}

// puzzling returns the alarms that puzzle, of young incidents.
func (e *Engine) puzzling(i *incident) (out []*alarm) {
	if i.root.cause == Unknown {
		return nil
	}
	e.recent(func(j *incident) bool {
		if j.root.cause == Unknown {
			for _, a := range j.members {
				if a.puzzles() {
					out = append(out, a)
				}
			}
		}
		return true
	})
	return out
}

// join attaches a symptom. One that is evidence too may show that the root of a young
// incident is another.
func (e *Engine) join(i *incident, a *alarm) {
	e.attach(i, a, true, "impact")
	if a.cands != nil && e.young(i) && i.hasEvidence() {
		e.resolveSoon(i, a)
	}
}

// waitedInVain makes evidence of a symptom whose cause has not shown.
func (e *Engine) waitedInVain(a *alarm) {
	if a.state != waiting {
		return
	}
	e.unwait(a)
	a.state = loose
	e.touchAlarm(a)
	if !a.active && a.lasting {
		e.forget(a)
		return
	}
	i := e.impact(a)
	if i == nil && effectSet.has(a.class) {
		i = e.likely(a)
	}
	if i != nil {
		e.join(i, a)
		return
	}
	e.evidence(a)
}

// likely returns the open incident that most likely brought down what a symptom is about
// although the model does not say so: tunnels and services do not fail by themselves, and
// what they rest on is what models are wrong about.
func (e *Engine) likely(a *alarm) *incident {
	if a.class == PathDelay || a.class == PathLoss {
		f := e.footingOf(a)
		return e.congestedNear(a, e.x.pathless(&f))
	}
	const before = 5 * second
	after := patience(a.class, true)
	var best *incident
	e.recent(func(i *incident) bool {
		size, most := i.reach.tunnels, 0
		if best != nil {
			most = best.reach.tunnels
		}
		if lag := a.t - i.t0; size > most && lag >= -before && lag <= after && i.hasEvidence() {
			best = i
		}
		return true
	})
	return best
}

// congestedNear returns the incident that has a link near the ends of a tunnel degraded,
// of several the latest before the alarm. Of a tunnel whose path is known only a surge may
// have a part in it, at a link that has not told so yet.
func (e *Engine) congestedNear(a *alarm, pathless bool) (best *incident) {
	if a.obj.port == topology.None {
		return nil
	}
	var ends []topology.NodeID
	for _, ed := range e.x.PortEdges(a.obj.port) {
		d := e.x.Edge(ed)
		ends = append(ends, d.A, d.B)
	}
	e.around(ends, func(n topology.NodeID) {
		for _, hop := range e.x.Hops(n) {
			for _, r := range e.edgeInc[hop.Edge] {
				lag := a.t - max(r.i.t0, r.i.hot)
				if r.down || lag < -minute || lag > patience(a.class, false) || r.i == best || !pathless && (r.i.root.cause != Surge || lag > 3*minute) {
					continue
				}
				if best == nil || r.i.t0 > best.t0 || r.i.t0 == best.t0 && r.i.id < best.id {
					best = r.i
				}
			}
		}
	})
	return best
}

// recheck judges anew the symptoms of an incident whose reach has changed.
func (e *Engine) recheck(i *incident) {
	for _, a := range slices.Clone(i.members) {
		if !a.soft || a.cascade || a.pinned || e.touchedBy(i, a) {
			continue
		}
		j := e.impact(a)
		if j == nil || j == i {
			continue
		}
		e.join(j, a)
	}
}

// touchedBy reports whether an incident reaches what a symptom rests on.
func (e *Engine) touchedBy(i *incident, a *alarm) bool {
	f := e.footingOf(a)
	for _, ed := range f.edges {
		if slices.ContainsFunc(e.edgeInc[ed], func(r reaching) bool { return r.i == i }) {
			return true
		}
	}
	for _, n := range f.nodes {
		if slices.Contains(e.nodeInc[n], i) {
			return true
		}
	}
	return false
}

// rerouted returns the outage beside which a link has become full because traffic had
// to move: the nearest in hops, then the one that moved the most. Nil if there is none, or if the link
// itself has errors.
func (e *Engine) rerouted(a *alarm) *incident {
	if a.obj.port == topology.None || e.outages == 0 {
		return nil
	}
	var starts []topology.NodeID
	soonest := 10 * second
	if a.class == PacketLoss {
		soonest = 45 * second // a link that loses at once may be at fault itself
	}
	for _, ed := range e.x.PortEdges(a.obj.port) {
		d := e.x.Edge(ed)
		if d.Kind != topology.LinkEdge {
			continue
		}
		if e.heard(d.PortA, set(Errors), a.t) || e.heard(d.PortB, set(Errors), a.t) {
			return nil
		}
		starts = append(starts, d.A, d.B)
	}
	if len(starts) == 0 {
		return nil
	}
	const hops, most = 3, 256
	seen := map[topology.NodeID]bool{}
	level := starts
	for range hops + 1 {
		var best *incident
		traffic := -1
		for _, n := range level {
			for _, i := range e.fringe[n] {
				if lag := a.t - i.t0; lag < soonest || lag > 900*second || !i.rootActive() {
					continue
				}
				if m := i.reach.tunnels; m > traffic || m == traffic && i.id < best.id {
					best, traffic = i, m
				}
			}
		}
		if best != nil {
			return best
		}
		var next []topology.NodeID
		for _, n := range level {
			seen[n] = true
		}
		for _, n := range level {
			for _, hop := range e.x.Hops(n) {
				if !seen[hop.Far] && len(seen) < most {
					seen[hop.Far] = true
					next = append(next, hop.Far)
				}
			}
		}
		level = next
	}
	return nil
}

// congest has the link of a congestion alarm degraded by an incident.
func (e *Engine) congest(i *incident, a *alarm) {
	e.enterCongested(i, a)
	e.recompute(i)
}

func (e *Engine) enterCongested(i *incident, a *alarm) {
	if a.obj.port == topology.None {
		return
	}
	for _, ed := range e.x.PortEdges(a.obj.port) {
		d := e.x.Edge(ed)
		if l := (topology.LinkRef{Network: d.Network, Link: d.Link}); (d.Kind == topology.LinkEdge || d.Kind == topology.AccessEdge) && !slices.Contains(i.congested, l) {
			i.congested = append(i.congested, l)
		}
	}
}

// reachIfNeeded recomputes the reach of an incident where a new member decides it.
func (e *Engine) reachIfNeeded(i *incident, a *alarm) {
	switch i.root.cause {
	case IGPFailure, RoutingCrash:
		if a.class != Adjacency && a.class != IGPAuth || a.obj.port == topology.None {
			return
		}
	case Impairment, Interruption:
		if !testSet.has(a.class) {
			return
		}
	case Unknown, Transaction:
		if a.obj.service == topology.None && (!downSet.has(a.class) || a.obj.port == topology.None) {
			return
		}
	case PowerFailure:
		if i.dark {
			return
		}
	default:
		if a.class != Protection {
			return
		}
	}
	e.recompute(i)
}

// major reports whether a severity demands a ticket by itself.
func major(s event.Severity) bool { return s >= event.Major }
