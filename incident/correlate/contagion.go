package correlate

import (
	"slices"

	"incidentd/incident/topology"
)

// Some troubles pass from node to node beside all layers: a node that follows the clock of
// another loses it after that one, and traffic that comes together fills one link after the
// other. An alarm of such a trouble joins what is open close by, and the root is where it
// began or, for traffic, where it leaves.

// spreadSet are the classes of what passes on.
var spreadSet = set(Sync, Utilisation, QueueDrop, Other)

// spread returns the cause that what passes on is in the end; causes for other classes.
// Of what nobody understands the same type passes on at the same resource of each node.
func (c Class) spread() Cause {
	switch c {
	case Sync:
		return SyncLoss
	case Utilisation, QueueDrop:
		return Surge
	case Other:
		return Unknown
	}
	return causes
}

const (
	// spreadHops is how far the next may be, one more than it is where nothing is lost.
	spreadHops = 2
	// spreadNodes bounds the nodes that are looked at.
	spreadNodes = 128
	// clockSpread and trafficSpread are how much later the next may come.
	clockSpread   = 5 * minute
	trafficSpread = 10 * minute
)

// infected returns the incidents close by from which a trouble may have passed to an
// alarm, the nearest first.
func (e *Engine) infected(a *alarm) (out []*incident) {
	cause := a.class.spread()
	if cause == causes || a.obj.nodeID == topology.None {
		return nil
	}
	near := clockSpread
	switch cause {
	case Surge:
		near = trafficSpread
	case Unknown:
		if near = minute; a.obj.port != topology.None {
			return nil
		}
	}
	e.around(e.touches(a), func(n topology.NodeID) {
		ns := e.nodes[e.x.NodeName(n)]
		if ns == nil {
			return
		}
		for _, b := range ns.alarms {
			if cause == Unknown && (b.typ != a.typ || b.obj.name != a.obj.name) {
				continue
			}
			if b != a && b.inc != nil && b.class.spread() == cause && (b.active || within(a.t, b.t, minute)) && within(a.t, b.t, near) && b.inc.spreading(cause) && !slices.Contains(out, b.inc) {
				out = append(out, b.inc)
			}
		}
	})
	return out
}

// touches returns the nodes that an alarm is about: its own, and of a link both.
func (e *Engine) touches(a *alarm) []topology.NodeID {
	at := []topology.NodeID{a.obj.nodeID}
	if a.obj.port != topology.None && a.class != Sync {
		for _, ed := range e.x.PortEdges(a.obj.port) {
			if far, _ := e.x.Far(ed, a.obj.nodeID); e.x.Kind(ed) == topology.LinkEdge && !slices.Contains(at, far) {
				at = append(at, far)
			}
		}
	}
	return at
}

// around calls f with nodes and those few hops away, the nearer first.
func (e *Engine) around(at []topology.NodeID, f func(n topology.NodeID)) {
	from := 0
	for range spreadHops + 1 {
		to := len(at)
		for _, n := range at[from:to] {
			f(n)
			for _, hop := range e.x.Hops(n) {
				if len(at) < spreadNodes && !slices.Contains(at, hop.Far) {
					at = append(at, hop.Far)
				}
			}
		}
		from = to
	}
}

// spreading reports whether an incident is nothing but a trouble that passes on.
func (i *incident) spreading(c Cause) bool {
	if c == Unknown {
		return i.root.cause == Unknown
	}
	if i.root.cause != c && !(c == Surge && i.root.cause == Degradation) || i.trace != "" {
		return false
	}
	return i.root.cause == c || !slices.ContainsFunc(i.members, func(a *alarm) bool { return !a.soft && a.class.spread() != c })
}

// catch lets an alarm join the trouble that has passed to it; false if there is none. What
// is known to be one trouble by this becomes one incident.
func (e *Engine) catch(a *alarm) bool {
	found := e.infected(a)
	if len(found) == 0 {
		return false
	}
	into := found[0]
	for _, i := range found[1:] {
		if elder(i, into) {
			into = i
		}
	}
	e.spreadInto(into, a)
	for _, i := range found {
		if i != into {
			for _, m := range i.members {
				m.cascade = m.cascade || m.class.spread() == a.class.spread()
				e.touchAlarm(m)
			}
			into.congested = append(into.congested, i.congested...)
			e.absorb(i, into)
		}
	}
	e.findOrigin(into, a.class.spread())
	return true
}

// meet joins an incident that begins with others from which its trouble may have passed to
// it: what came at one time has not met yet.
func (e *Engine) meet(i *incident) {
	if e.incidents[i.id] != i || i.settled || !i.spreading(i.root.cause) {
		return
	}
	for _, a := range i.members {
		if a.soft || !spreadSet.has(a.class) {
			continue
		}
		if others := slices.DeleteFunc(e.infected(a), func(j *incident) bool { return j == i }); len(others) > 0 {
			e.detach(a)
			e.catch(a)
			if len(i.members) == 0 {
				e.dissolve(i)
			}
			return
		}
	}
}

func (e *Engine) spreadInto(i *incident, a *alarm) {
	a.cascade = true
	e.attach(i, a, false, "spread")
	a.cascade = true
}

// findOrigin gives a trouble that has passed on its root.
func (e *Engine) findOrigin(i *incident, c Cause) {
	if i.settled && i.root.cause == c {
		return
	}
	switch c {
	case Unknown:
		if first := e.began(i, Other); first != nil {
			e.reroot(i, e.hypothesis(Unknown, first.obj.node, first.obj.name))
		}
	case SyncLoss:
		if first := e.began(i, Sync); first != nil {
			e.reroot(i, e.nodeHyp(SyncLoss, first.obj.nodeID))
		}
	case Surge:
		n := e.leaves(i)
		for _, a := range i.members {
			if a.class.spread() == Surge {
				a.cascade = true
				e.touchAlarm(a)
				e.enterCongested(i, a)
			}
		}
		if n != topology.None {
			e.reroot(i, e.nodeHyp(Surge, n))
		}
	}
	e.recompute(i)
	e.rearm(i)
	e.changed(i)
}

// began returns the earliest alarm of a class, which from then on holds the root.
func (e *Engine) began(i *incident, c Class) *alarm {
	var first *alarm
	for _, a := range i.members {
		if a.class == c && !a.soft && (first == nil || a.t < first.t) {
			first = a
		}
	}
	for _, a := range i.members {
		if a.class == c && !a.soft && a.cascade != (a != first) {
			a.cascade = a != first
			e.touchAlarm(a)
		}
	}
	return first
}

// leaves returns the node at which traffic leaves the network: links into it are full, and
// none out of it but to a customer.
func (e *Engine) leaves(i *incident) topology.NodeID {
	const toCustomer, into, outOf = 5, 2, -2
	weight := map[topology.NodeID]int{}
	for _, a := range i.members {
		if a.class.spread() != Surge || a.obj.port == topology.None {
			continue
		}
		for _, ed := range e.x.PortEdges(a.obj.port) {
			switch e.x.Kind(ed) {
			case topology.AccessEdge:
				weight[a.obj.nodeID] += toCustomer
			case topology.LinkEdge:
				far, _ := e.x.Far(ed, a.obj.nodeID)
				weight[a.obj.nodeID] += outOf
				weight[far] += into
			}
		}
	}
	best := topology.NodeID(topology.None)
	for n, w := range weight {
		if best == topology.None || w > weight[best] || w == weight[best] && e.x.NodeName(n) < e.x.NodeName(best) {
			best = n
		}
	}
	return best
}

// reroot gives an incident another root, unless another has that one.
func (e *Engine) reroot(i *incident, h *hypothesis) {
	if i.root == h || h.root != 0 && h.root != i.id {
		return
	}
	if i.root.root == i.id {
		i.root.root = 0
	}
	i.root, i.rivals, i.score = h, nil, 0
	h.root = i.id
	i.recount()
	e.touch(i)
}
