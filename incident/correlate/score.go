package correlate

import (
	"slices"

	"incidentd/incident/topology"
)

// score weighs a hypothesis against the alarms that it would explain: the prior, the
// evidence, and what should be there or should not.
func (e *Engine) score(h *hypothesis, members []*alarm) int32 {
	var s int32
	first := members[0].t
	e.scores++
	for j, a := range members {
		first = min(first, a.t)
		if !e.repeated(j, a) {
			s += weightFor(a, h)
		}
	}
	if i := e.incidents[h.root]; i != nil && !e.young(i) {
		// It is known to have failed: only contradictions count.
		return s + e.contradictions(h, members, first)
	}
	s += e.know.Prior[h.cause] + e.absent(h, members, first) + e.contradictions(h, members, first)
	if e.markOf(h, first) >= 0 {
		s += e.know.MarkBonus
	}
	return s
}

// repeated reports whether an alarm says what another of the same object has said in
// this score; n is how many came before.
func (e *Engine) repeated(n int, a *alarm) bool {
	const far = 64 // in a storm one more does not matter
	if n > far {
		return false
	}
	o := a.obj
	if o.scored != e.scores {
		o.scored, o.classes = e.scores, 0
	}
	was := o.classes.has(a.class)
	o.classes |= set(a.class)
	return was
}

func weightFor(a *alarm, h *hypothesis) int32 {
	for j := range a.cands {
		if a.cands[j].h == h {
			return a.cands[j].rule.Weight
		}
	}
	return 0
}

func (e *Engine) absent(h *hypothesis, members []*alarm, first int64) int32 {
	switch h.cause {
	case EdgeFailure:
		return e.absentEdge(h, first)
	case NodeFailure:
		return e.absentNode(h, first)
	case CardFailure:
		return e.absentCard(h, members, first)
	case PortFailure:
		return e.absentPort(h, members, first)
	case PowerFailure:
		return e.absentPower(h, first)
	case IGPFailure:
		return e.absentIGP(h, members, first)
	case RoutingCrash:
		return e.absentRestart(h, members)
	case Degradation:
		return absentDegradation(h, members)
	}
	return 0
}

// heard reports whether a port has an alarm of the set, active or near in time. A port
// that is down already does not complain again.
func (e *Engine) heard(p topology.PortID, s classSet, t int64) bool {
	if p == topology.None {
		return false
	}
	o := e.portObjects[p]
	if o == nil {
		return false
	}
	for _, a := range o.alarms {
		if (s.has(a.class) || a.mayMeanAnything()) && (a.active || within(a.t, t, e.p.near)) {
			return true
		}
	}
	return false
}

// mayMeanAnything reports whether an alarm that nobody understands may be what was
// expected of its place.
func (a *alarm) mayMeanAnything() bool { return a.class == Other && major(a.severity) }

func within(a, b, d int64) bool { return a-b <= d && b-a <= d }

// vocal reports whether an end of an edge says that the edge is down. Where the link
// names no port, or the reporter only the node, an alarm of the node counts.
func (e *Engine) vocal(n topology.NodeID, p topology.PortID, s classSet, t int64) bool {
	if p != topology.None && e.heard(p, s, t) {
		return true
	}
	o := e.nodeObjects[n]
	if o == nil {
		return false
	}
	for _, a := range o.alarms {
		if s.has(a.class) && portSet.has(a.class) && (a.active || within(a.t, t, e.p.near)) {
			return true
		}
	}
	return false
}

func (e *Engine) absentEdge(h *hypothesis, t int64) (s int32) {
	if h.edge == topology.None {
		return 0
	}
	d := e.x.Edge(h.edge)
	k := &e.know.Against
	if d.Kind != topology.SectionEdge {
		for _, end := range [2]topology.NodeID{d.A, d.B} {
			p := d.PortA
			if end == d.B {
				p = d.PortB
			}
			if !e.vocal(end, p, downSet, t) {
				s += k.SilentLinkEnd
			}
		}
		return s
	}
	for _, p := range [2]topology.PortID{d.PortA, d.PortB} {
		if !e.heard(p, set(LossOfSignal), t) {
			s += k.SilentSectionEnd
		}
	}
	silent := 0
	for _, c := range e.x.Over(h.edge) {
		if e.protected(c, t) {
			continue
		}
		for _, l := range e.x.Over(c) {
			if ld := e.x.Edge(l); ld.Kind == topology.LinkEdge && !e.heard(ld.PortA, downSet, t) && !e.heard(ld.PortB, downSet, t) {
				silent++
			}
		}
	}
	return s + int32(min(silent, 6))*k.SilentRider
}

// protected reports whether a channel has said that it switched to protection.
func (e *Engine) protected(c topology.EdgeID, t int64) bool {
	d := e.x.Edge(c)
	ps := set(Protection)
	return e.heard(d.PortA, ps, t) || e.heard(d.PortB, ps, t)
}

func (e *Engine) absentNode(h *hypothesis, t int64) int32 {
	if h.n == topology.None {
		return 0
	}
	silent, up := 0, 0
	for _, ed := range e.x.NodeEdges(h.n) {
		switch e.x.Edge(ed).Kind {
		case topology.SectionEdge, topology.LinkEdge:
			far, p := e.x.Far(ed, h.n)
			switch {
			case !e.vocal(far, p, downSet, t):
				silent++
			case !e.vocal(far, p, wireSet, t):
				up++
			}
		}
	}
	return int32(min(silent, 6))*e.know.Against.SilentNeighbour + int32(min(up, 6))*e.know.Against.PortUp
}

// absentRestart weighs that a process whose neighbours lose it should say that it has
// restarted, and that its ports stay up.
func (e *Engine) absentRestart(h *hypothesis, members []*alarm) (s int32) {
	said := false
	down := 0
	for _, a := range members {
		said = said || a.class == Restart
		if a.obj.port != topology.None && (a.class == Adjacency || a.class == LDP) && e.portDown(a.obj.port, a.t) {
			down++
		}
	}
	if !said {
		s = e.know.Against.NoRestartAlarm
	}
	return s + int32(min(down, 6))*e.know.Against.PortDown
}

func (e *Engine) absentCard(h *hypothesis, members []*alarm, t int64) (s int32) {
	k := &e.know.Against
	said := false
	for _, a := range members {
		said = said || a.class == Card
	}
	if !said {
		s += k.NoCardAlarm
	}
	if h.card == topology.None {
		return s
	}
	silent := 0
	for _, p := range e.x.CardPorts(h.card) {
		for _, ed := range e.x.PortEdges(p) {
			if kind := e.x.Edge(ed).Kind; kind != topology.LinkEdge && kind != topology.AccessEdge {
				continue
			}
			_, q := e.x.Far(ed, h.n)
			if !e.heard(p, downSet, t) && !e.heard(q, downSet, t) {
				silent++
			}
		}
	}
	return s + int32(min(silent, 6))*k.SilentCardPort
}

func (e *Engine) absentPort(h *hypothesis, members []*alarm, t int64) (s int32) {
	k := &e.know.Against
	var spoke *alarm
	module, client := false, false
	for _, a := range members {
		module = module || a.class == Module
		client = client || a.class == ClientLoss
		if downSet.has(a.class) && (spoke == nil || earlier(a, spoke)) {
			spoke = a
		}
	}
	if !module {
		s += k.NoModuleAlarm
	}
	if spoke != nil && spoke.obj.node == h.node {
		s += e.know.FirstSpeaker
	}
	if h.port == topology.None {
		return s
	}
	if len(e.x.PortBelow(h.port)) > 0 && !client {
		s += k.NoClientLoss
	}
	for _, ed := range e.x.PortEdges(h.port) {
		if kind := e.x.Edge(ed).Kind; kind != topology.LinkEdge && kind != topology.SectionEdge {
			continue
		}
		ends := set(LinkDown, LossOfSignal)
		far, q := e.x.Far(ed, h.n)
		if !e.vocal(h.n, h.port, ends, t) {
			s += k.SilentPort
		}
		if !e.vocal(far, q, ends, t) {
			s += k.SilentPortEnd
		}
	}
	return s
}

// earlier orders what ports say: that they are down before that a session over them
// is, then by time.
func earlier(a, b *alarm) bool {
	if p, q := a.class == LinkDown || a.class == LossOfSignal, b.class == LinkDown || b.class == LossOfSignal; p != q {
		return p
	}
	return a.t < b.t
}

// siteNodes returns the nodes that a power failure takes, customers' not counted, as far
// as the topology knows them. They are good until the next call.
func (e *Engine) siteNodes(h *hypothesis) []topology.NodeID {
	switch {
	case h.site == topology.None && h.n == topology.None:
		return nil
	case h.site == topology.None:
		e.alone[0] = h.n
		return e.alone[:]
	}
	at := &e.sites[h.site]
	if *at == nil {
		*at = []topology.NodeID{}
		for _, n := range e.x.SiteNodes(h.site) {
			if e.x.customerLines(n) == nil {
				*at = append(*at, n)
			}
		}
	}
	return *at
}

// siteStates calls f with what is kept of each node that a power failure takes.
func (e *Engine) siteStates(h *hypothesis, f func(*nodeState)) {
	if h.site == topology.None && h.n == topology.None {
		if ns := e.nodes[h.node]; ns != nil {
			f(ns)
		}
		return
	}
	for _, n := range e.siteNodes(h) {
		if ns := e.nodeStates[n]; ns != nil {
			f(ns)
		}
	}
}

func (e *Engine) absentPower(h *hypothesis, t int64) int32 {
	gasps := 0
	power := false
	e.siteStates(h, func(ns *nodeState) {
		for _, a := range ns.alarms {
			switch {
			case (a.class == Mains || a.class == Battery) && (a.active || within(a.t, t, e.p.near)):
				power = true
				return
			case a.class == Gasp && within(a.t, t, e.p.near):
				gasps++
			}
		}
	})
	if power || gasps >= 2 {
		return 0
	}
	return e.know.Against.NoPowerAlarm
}

func (e *Engine) absentIGP(h *hypothesis, members []*alarm, t int64) (s int32) {
	auth := false
	for _, a := range members {
		auth = auth || a.class == IGPAuth
		if a.class == Adjacency && a.obj.port != topology.None && e.portDown(a.obj.port, t) {
			s += e.know.Against.PortDown
		}
	}
	if !auth {
		s += e.know.Against.NoAuthAlarm
	}
	if e.committed(h.node, t) != nil {
		s += e.know.CommitBonus
	}
	return s
}

// portDown reports whether either end of the port's edge says that it is down.
func (e *Engine) portDown(p topology.PortID, t int64) bool {
	if e.heard(p, portDownSet, t) {
		return true
	}
	for _, ed := range e.x.PortEdges(p) {
		if e.x.Edge(ed).Kind != topology.LinkEdge {
			continue
		}
		if _, q := e.x.Far(ed, e.x.PortNode(p)); e.heard(q, portDownSet, t) {
			return true
		}
	}
	return false
}

// contradictions weighs what a dead node cannot have sent.
func (e *Engine) contradictions(h *hypothesis, members []*alarm, first int64) int32 {
	switch h.cause {
	case NodeFailure:
		n := 0
		e.siteStates(h, func(ns *nodeState) { n = e.signsOfLife(ns, first, 3) })
		return int32(n) * e.know.Against.Alive
	case PowerFailure:
		dark := int64(-1)
		for _, a := range members {
			if !powerSet.has(a.class) && (dark < 0 || a.t < dark) {
				dark = a.t
			}
		}
		if dark < 0 {
			return 0
		}
		n := 0
		e.siteStates(h, func(ns *nodeState) { n += e.signsOfLife(ns, dark, 3-n) })
		return int32(n) * e.know.Against.Alive
	}
	return 0
}

// signsOfLife counts alarms that a node sent itself since about t, up to most.
func (e *Engine) signsOfLife(ns *nodeState, t int64, most int) (n int) {
	for _, a := range ns.alarms {
		if n >= most {
			break
		}
		if a.t >= t-second && a.t <= t+e.p.near && !managedSet.has(a.class) && !powerSet.has(a.class) && !(a.class == Other && a.obj.name == "") {
			n++
		}
	}
	return n
}

// lonely is what weighs against a link of which nobody complains but one tunnel over it: any of the
// tunnel's links may be the one.
const lonely = -4000

// absentDegradation asks for complaints of the link itself, or else of several tunnels over it.
func absentDegradation(h *hypothesis, members []*alarm) int32 {
	var first *object
	for _, a := range members {
		switch {
		case !slices.ContainsFunc(a.cands, func(c cand) bool { return c.h == h && c.rule.Via == PathEdges }):
			return 0
		case first == nil:
			first = a.obj
		case a.obj != first:
			return 0
		}
	}
	return lonely
}
