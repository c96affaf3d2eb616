package correlate

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"incidentd/incident/topology"
)

// snapshotMagic begins every snapshot; its last byte is the version.
var snapshotMagic = []byte("incidentd-correlate\x04")

// Part is a piece of a snapshot: a key and what stands there. A nil value means that
// there is nothing any more.
type Part struct{ Key, Value []byte }

// The kinds of parts, the first byte of a key, in the order in which they are read. A
// number of eight bytes follows.
const (
	nodePart     = 'a'
	alarmPart    = 'b'
	incidentPart = 'c'
	historyPart  = 'd'
	companyPart  = 'e'
	tombsPart    = 'f'
	enginePart   = 'g' // time and counters
	asidePart    = 'h'
)

func partKey(kind byte, no uint64) []byte {
	return binary.BigEndian.AppendUint64(append(make([]byte, 0, 9), kind), no)
}

// Changes returns the parts of the state that are not what they were at the last call;
// at the first, all of them. Put over those of before they are what [Engine.RestoreParts]
// takes. It takes time and space in proportion to what has changed, but for the first
// call and the one after a new topology.
func (e *Engine) Changes() []Part {
	c := &e.changes
	if !c.on || c.all {
		parts := e.parts()
		for _, a := range c.alarms {
			if a.obj.alarm(a.typ) != a {
				parts = append(parts, Part{Key: partKey(alarmPart, a.serial)})
			}
		}
		for _, i := range c.incidents {
			if e.incidents[i.id] != i {
				parts = append(parts, Part{Key: partKey(incidentPart, i.id)})
			}
		}
		for _, s := range c.asides {
			if s.gone {
				parts = append(parts, s.part())
			}
		}
		c.clean()
		return parts
	}
	parts := make([]Part, 0, len(c.nodes)+len(c.alarms)+len(c.incidents)+len(c.histories)+len(c.companions)+2)
	for _, n := range c.nodes {
		parts = append(parts, e.nodePart(n))
	}
	for _, a := range c.alarms {
		parts = append(parts, e.alarmPart(a))
	}
	for _, i := range c.incidents {
		parts = append(parts, e.incidentPart(i))
	}
	for _, r := range c.histories {
		parts = append(parts, r.part())
	}
	for _, p := range c.companions {
		parts = append(parts, p.part())
	}
	for _, s := range c.asides {
		parts = append(parts, s.part())
	}
	if c.tombs {
		parts = append(parts, e.tombsPart())
	}
	c.clean()
	return append(parts, e.enginePart())
}

// parts returns the whole state in the order of the keys.
func (e *Engine) parts() []Part {
	nodes := make([]*nodeState, len(e.nodes))
	for _, n := range e.nodes {
		nodes[n.no] = n
	}
	histories := make([]*history, len(e.histories))
	for _, r := range e.histories {
		histories[r.no] = r
	}
	company := make([]*companions, len(e.companions))
	for _, c := range e.companions {
		company[c.no] = c
	}
	parts := make([]Part, 0, len(nodes)+e.alarms+len(e.incidents)+len(histories)+len(company)+2)
	for _, n := range nodes {
		parts = append(parts, e.nodePart(n))
	}
	for _, a := range e.inOrder() {
		parts = append(parts, e.alarmPart(a))
	}
	for _, i := range e.byBirth() {
		parts = append(parts, e.incidentPart(i))
	}
	for _, r := range histories {
		parts = append(parts, r.part())
	}
	for _, c := range company {
		parts = append(parts, c.part())
	}
	parts = append(parts, e.tombsPart(), e.enginePart())
	for _, s := range e.asides() {
		parts = append(parts, s.part())
	}
	return parts
}

// Snapshot writes the state of the engine: all but its configuration, its marks and
// its topology. It takes time and memory in proportion to the alarms.
func (e *Engine) Snapshot() []byte {
	b := slices.Clone(snapshotMagic)
	for _, p := range e.parts() {
		b = append(b, p.Key...)
		b = binary.AppendUvarint(b, uint64(len(p.Value)))
		b = append(b, p.Value...)
	}
	return b
}

// Restore puts the engine into the state that a snapshot was taken in. The engine must
// have been made with the same configuration and been given the same topology before;
// then it decides from here on, byte for byte, what the other would have. A topology
// that has changed since is a new epoch: call SetTopology with the new index after
// Restore with the old, or Restore with the new, which leaves out what is gone.
//
// An error wraps [ErrSnapshot], and the engine is as it was.
func (e *Engine) Restore(b []byte) error {
	if !bytes.HasPrefix(b, snapshotMagic) {
		return fmt.Errorf("restore: %w", ErrSnapshot)
	}
	var parts []Part
	for b = b[len(snapshotMagic):]; len(b) > 0; {
		const key = 9
		if len(b) < key {
			return fmt.Errorf("restore: %w: half a key", ErrSnapshot)
		}
		n, w := binary.Uvarint(b[key:])
		if w <= 0 || n > uint64(len(b)-key-w) {
			return fmt.Errorf("restore: %w: a part beyond the end", ErrSnapshot)
		}
		end := key + w + int(n)
		parts = append(parts, Part{b[:key], b[key+w : end]})
		b = b[end:]
	}
	return e.RestoreParts(parts)
}

// RestoreParts is Restore from the parts that [Engine.Changes] has given, each key once,
// in any order. The next Changes tells what changes from here on.
func (e *Engine) RestoreParts(parts []Part) error {
	f := e.blank()
	parts = slices.Clone(parts)
	slices.SortFunc(parts, func(a, b Part) int { return bytes.Compare(a.Key, b.Key) })
	r := restorer{e: f, alarms: make(map[uint64]*alarm, len(parts))}
	for k, p := range parts {
		if k > 0 && bytes.Equal(p.Key, parts[k-1].Key) {
			return fmt.Errorf("restore: %w: a part twice", ErrSnapshot)
		}
		if err := r.part(p); err != nil {
			return fmt.Errorf("restore: part %x: %w", p.Key, err)
		}
	}
	if err := r.connect(); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	f.changes.clean()
	*e = *f
	return nil
}

// restorer puts parts together.
type restorer struct {
	e      *Engine
	alarms map[uint64]*alarm // by serial
	inc    map[*alarm]uint64
	whole  bool // the engine's own part was there

	histories []*history // by number
}

func (r *restorer) part(p Part) error {
	if len(p.Key) != 9 {
		return fmt.Errorf("%w: a key of %d bytes", ErrSnapshot, len(p.Key))
	}
	e, no := r.e, binary.BigEndian.Uint64(p.Key[1:])
	c := &codec{b: p.Value, reading: true}
	switch p.Key[0] {
	case nodePart:
		n := &nodeState{no: no}
		n.walk(c)
		if e.nodes[n.name] != nil || no != uint64(len(e.nodes)) {
			c.fail("node out of order")
		}
		e.keep(n)
	case alarmPart:
		a := &alarm{serial: no}
		r.alarms[no] = a
		r.alarm(c, a)
	case incidentPart:
		i := &incident{id: no}
		r.incident(c, i)
	case historyPart:
		h := &history{no: no}
		h.walk(c)
		if e.histories[h.key] != nil || no != uint64(len(e.histories)) {
			c.fail("history out of order")
		}
		e.histories[h.key] = h
		r.histories = append(r.histories, h)
	case companyPart:
		r.company(c, no)
	case tombsPart:
		e.walkTombs(c)
	case asidePart:
		r.aside(c, no)
	case enginePart:
		e.walk(c)
		r.whole = true
	default:
		c.fail("unknown part")
	}
	if c.err == nil && c.at != len(c.b) {
		c.fail("more after the end")
	}
	return c.err
}

func (e *Engine) enginePart() Part {
	c := &codec{}
	e.walk(c)
	return Part{partKey(enginePart, 0), c.b}
}

func (e *Engine) walk(c *codec) {
	c.i64(&e.now)
	for _, p := range [...]*uint64{&e.timerSeq, &e.serial, &e.listings, &e.incidentID, &e.nextNo, &e.solves, &e.decisions} {
		c.u64(p)
	}
}

func (e *Engine) nodePart(n *nodeState) Part {
	c := &codec{}
	n.walk(c)
	return Part{partKey(nodePart, n.no), c.b}
}

func (n *nodeState) walk(c *codec) {
	c.str(&n.name)
	for _, k := range [...]*clock{&n.clock, &n.watch} {
		c.i64(&k.offset)
		c.i64(&k.at)
		small(c, &k.n)
		small(c, &k.odd)
	}
	list(c, &n.ring, func(x *contextEvent) { walkContext(c, x) })
	list(c, &n.lines, func(x *contextEvent) { walkContext(c, x) })
}

func walkContext(c *codec, x *contextEvent) {
	walkClass(c, &x.class)
	c.i64(&x.t)
	walkRef(c, &x.ref)
}

func walkClass(c *codec, p *Class) {
	small(c, p)
	if *p >= classes {
		c.fail("unknown class")
		*p = Other
	}
}

func walkRef(c *codec, r *EventRef) {
	for _, p := range [...]*string{&r.ID, &r.Node, &r.Resource, &r.AlarmTypeID, &r.Qualifier, &r.Text, &r.Value, &r.Threshold, &r.TraceID} {
		c.str(p)
	}
	small(c, &r.Kind)
	small(c, &r.Severity)
	small(c, &r.Role)
	if r.Role > Context {
		c.fail("unknown role")
		r.Role = Symptom
	}
	c.time(&r.Time)
	c.time(&r.Arrival)
	c.bool(&r.Cleared)
}

func walkSighting(c *codec, s *sighting) {
	for _, p := range [...]*string{&s.id, &s.text, &s.resource} {
		c.str(p)
	}
	small(c, &s.kind)
	small(c, &s.severity)
	for _, t := range [...]*instant{&s.time, &s.arrival} {
		c.i64(&t.sec)
		small(c, &t.nsec)
		if t.nsec < 0 || t.nsec >= 1e9 || t.sec < -farSeconds || t.sec > farSeconds {
			c.fail("time out of range")
			*t = instant{}
		}
	}
	there := s.more != nil
	if c.bool(&there); there {
		if c.reading {
			s.more = &measured{}
		}
		c.str(&s.more.value)
		c.str(&s.more.threshold)
		c.str(&s.more.trace)
	}
}

func walkSlot(c *codec, s *slot) {
	c.i64(&s.at)
	c.u64(&s.seq)
}

func (e *Engine) alarmPart(a *alarm) Part {
	key := partKey(alarmPart, a.serial)
	if a.obj.alarm(a.typ) != a {
		return Part{Key: key}
	}
	c := &codec{}
	node, name, id, qualifier := a.obj.node, a.obj.name, a.typ.id, a.typ.qualifier
	var in uint64
	if a.inc != nil {
		in = a.inc.id
	}
	walkAlarm(c, a, &node, &name, &id, &qualifier, &in)
	return Part{key, c.b}
}

func walkAlarm(c *codec, a *alarm, node, name, id, qualifier *string, in *uint64) {
	for _, s := range [...]*string{node, name, id, qualifier, &a.rule} {
		c.str(s)
	}
	c.u64(in)
	c.u64(&a.listed)
	walkSlot(c, &a.timer)
	small(c, &a.timerKind)
	walkClass(c, &a.class)
	small(c, &a.severity)
	small(c, &a.state)
	for _, b := range [...]*bool{&a.active, &a.lasting, &a.soft, &a.cascade, &a.pinned, &a.unsure} {
		c.bool(b)
	}
	for _, t := range [...]*int64{&a.t, &a.arrival, &a.off} {
		c.i64(t)
	}
	small(c, &a.raises)
	small(c, &a.omitted)
	list(c, &a.seen, func(s *sighting) { walkSighting(c, s) })
}

func (r *restorer) alarm(c *codec, a *alarm) {
	var node, name, id, qualifier string
	var in uint64
	walkAlarm(c, a, &node, &name, &id, &qualifier, &in)
	if c.err != nil {
		return
	}
	e := r.e
	k := objKey{node, name}
	if e.nodes[node] == nil {
		c.fail("alarm of an unknown node")
		return
	}
	if e.objects[k] == nil {
		e.objects[k] = e.newObject(node, name)
	}
	a.obj, a.typ = e.objects[k], e.typeOf(id, qualifier)
	if a.obj.alarm(a.typ) != nil || a.state > attached || (a.state == attached) != (in != 0) || a.timerKind > waitTimer || len(a.seen) > mostRefs {
		c.fail("alarm that cannot be")
		return
	}
	for k := range max(0, len(a.seen)-1) {
		a.marks += a.seen[k].mark()
	}
	if r.inc == nil {
		r.inc = map[*alarm]uint64{}
	}
	r.inc[a] = in
	if a.timer.seq != 0 {
		e.timers.push(timer{slot: a.timer, kind: a.timerKind, a: a})
	}
	e.adopt(a)
}

func (e *Engine) walkHyp(c *codec, p **hypothesis) {
	var k hypKey
	if !c.reading {
		k = (*p).key()
	}
	walkHypKey(c, &k)
	if c.reading {
		*p = e.hypothesis(k.cause, k.node, k.name)
	}
}

func walkHypKey(c *codec, k *hypKey) {
	small(c, &k.cause)
	c.str(&k.node)
	c.str(&k.name)
	if k.cause >= causes {
		c.fail("unknown cause")
		k.cause = Unknown
	}
}

func (e *Engine) incidentPart(i *incident) Part {
	key := partKey(incidentPart, i.id)
	if e.incidents[i.id] != i {
		return Part{Key: key}
	}
	c := &codec{}
	owned := i.root.root == i.id
	members := make([]uint64, len(i.members))
	for k, a := range i.members {
		members[k] = a.serial
	}
	e.walkIncident(c, i, &owned, &members)
	return Part{key, c.b}
}

func (e *Engine) walkIncident(c *codec, i *incident, owned *bool, members *[]uint64) {
	c.u64(&i.no)
	e.walkHyp(c, &i.root)
	c.bool(owned)
	list(c, &i.also, func(h **hypothesis) { e.walkHyp(c, h) })
	small(c, &i.score)
	list(c, &i.rivals, func(r *rival) {
		e.walkHyp(c, &r.h)
		small(c, &r.score)
	})
	list(c, members, c.u64)
	list(c, &i.context, func(r *EventRef) { walkRef(c, r) })
	list(c, &i.lines, func(x *contextEvent) { walkContext(c, x) })
	small(c, &i.linesOmitted)
	list(c, &i.past, func(m *membership) { e.walkMembership(c, m) })
	list(c, &i.congested, func(l *topology.LinkRef) {
		c.str(&l.Network)
		c.str(&l.Link)
	})
	for _, t := range [...]*int64{&i.darkAt, &i.t0, &i.hot, &i.born, &i.touched, &i.raised, &i.cleared, &i.updated, &i.resolveAt, &i.raiseAt, &i.rootClear} {
		c.i64(t)
	}
	for k := range i.timers {
		walkSlot(c, &i.timers[k])
	}
	for _, b := range [...]*bool{&i.fresh, &i.settled, &i.dark, &i.periodic, &i.overdue} {
		c.bool(b)
	}
	c.str(&i.markID)
	c.str(&i.trace)
	c.u64(&i.told)
	e.walkReach(c, &i.reach)
}

// walkMembership writes what has left an incident, with its reason as it would be told.
func (e *Engine) walkMembership(c *codec, m *membership) {
	var id, qualifier string
	var w Why
	if !c.reading {
		id, qualifier, w = m.typ.id, m.typ.qualifier, m.joined(e.x)
	}
	for _, s := range [...]*string{&m.node, &id, &qualifier, &m.rule} {
		c.str(s)
	}
	list(c, &m.seen, func(s *sighting) { walkSighting(c, s) })
	small(c, &m.omitted)
	for _, b := range [...]*bool{&m.active, &m.soft, &m.cascade} {
		c.bool(b)
	}
	c.str(&w.Rule)
	list(c, &w.Path, c.str)
	small(c, &w.Lag)
	small(c, &w.Raises)
	if c.reading {
		m.typ, m.why = e.typeOf(id, qualifier), &w
		for k := range max(0, len(m.seen)-1) {
			m.marks += m.seen[k].mark()
		}
	}
}

func (r *restorer) incident(c *codec, i *incident) {
	e := r.e
	var owned bool
	var members []uint64
	e.walkIncident(c, i, &owned, &members)
	switch {
	case c.err != nil:
		return
	case i.id == 0:
		c.fail("incident without a number")
		return
	case i.no != 0 && len(members)+len(i.past) == 0:
		c.fail("incident without events")
		return
	case owned && i.root.root != 0:
		c.fail("root of two incidents")
		return
	}
	e.incidents[i.id] = i
	if i.no != 0 {
		e.raised++
	}
	if owned {
		i.root.root = i.id
	}
	for _, h := range i.also {
		if h.root != 0 {
			c.fail("cause of two incidents")
			return
		}
		h.root = i.id
	}
	if i.trace != "" {
		e.traces[i.trace] = i.id
	}
	for k, s := range i.timers {
		if s.seq != 0 {
			e.timers.push(timer{slot: s, kind: raiseTimer + timerKind(k), i: i})
		}
	}
	for _, s := range members {
		a := r.alarms[s]
		if a == nil || r.inc[a] != i.id || a.inc != nil {
			c.fail("member that is none")
			return
		}
		a.inc = i
		i.members = append(i.members, a)
	}
}

// walkReach writes names, for identifiers hold for one index only. What the present
// topology does not have is left out.
func (e *Engine) walkReach(c *codec, r *reach) {
	type namedEdge struct {
		link topology.LinkRef
		down bool
	}
	edges := make([]namedEdge, 0, len(r.edges))
	for _, x := range r.edges {
		d := e.x.Edge(x.edge)
		edges = append(edges, namedEdge{topology.LinkRef{Network: d.Network, Link: d.Link}, x.down})
	}
	nodes, fringe, services, atRisk := e.nodeNames(r.nodes), e.nodeNames(r.fringe), slices.Clone(r.services), r.atRisk
	list(c, &edges, func(x *namedEdge) {
		c.str(&x.link.Network)
		c.str(&x.link.Link)
		c.bool(&x.down)
	})
	list(c, &nodes, c.str)
	list(c, &fringe, c.str)
	list(c, &services, func(s *serviceHit) {
		c.str(&s.name)
		small(c, &s.state)
	})
	list(c, &atRisk, c.str)
	if !c.reading {
		return
	}
	*r = reach{atRisk: atRisk, nodes: e.nodesNamed(nodes), fringe: e.nodesNamed(fringe)}
	for _, x := range edges {
		if ed, ok := e.x.Link(x.link.Network, x.link.Link); ok {
			r.edges = append(r.edges, reachedEdge{ed, x.down})
			if x.down && e.x.Kind(ed) == topology.TunnelEdge {
				r.tunnels++
			}
		}
	}
	for _, s := range services {
		if id, ok := e.x.Service(s.name); ok {
			s.service = id
			r.services = append(r.services, s)
		}
	}
}

func (e *Engine) nodeNames(ns []topology.NodeID) []string {
	out := make([]string, 0, len(ns))
	for _, n := range ns {
		out = append(out, e.x.NodeName(n))
	}
	return out
}

func (e *Engine) nodesNamed(names []string) (out []topology.NodeID) {
	for _, s := range names {
		if n, ok := e.x.Node(s); ok {
			out = append(out, n)
		}
	}
	return out
}

func (e *Engine) tombsPart() Part {
	c := &codec{}
	e.walkTombs(c)
	return Part{partKey(tombsPart, 0), c.b}
}

func (e *Engine) walkTombs(c *codec) {
	type entry struct {
		node, name, typeID, qualifier string
		there                         bool
		tomb                          tomb
	}
	entries := make([]entry, 0, len(e.tombOrder))
	for _, k := range e.tombOrder {
		t, ok := e.tombs[k]
		entries = append(entries, entry{k.obj.node, k.obj.name, k.typ.id, k.typ.qualifier, ok, t})
	}
	list(c, &entries, func(x *entry) {
		for _, s := range [...]*string{&x.node, &x.name, &x.typeID, &x.qualifier} {
			c.str(s)
		}
		c.bool(&x.there)
		c.i64(&x.tomb.t)
		c.i64(&x.tomb.arrival)
	})
	if !c.reading {
		return
	}
	for _, x := range entries {
		if e.nodes[x.node] == nil {
			c.fail("clear of an unknown node")
			return
		}
		k := objKey{x.node, x.name}
		if e.objects[k] == nil {
			e.objects[k] = e.newObject(x.node, x.name)
		}
		key := alarmKey{e.objects[k], e.typeOf(x.typeID, x.qualifier)}
		e.tombOrder = append(e.tombOrder, key)
		if x.there {
			e.tombs[key] = x.tomb
		}
	}
}

func (r *history) part() Part {
	c := &codec{}
	r.walk(c)
	return Part{partKey(historyPart, r.no), c.b}
}

func (r *history) walk(c *codec) {
	walkHypKey(c, &r.key)
	list(c, &r.starts, c.i64)
	list(c, &r.lasted, c.i64)
	small(c, &r.raised)
	c.u64(&r.last)
	c.i64(&r.ended)
	if len(r.starts) != len(r.lasted) {
		c.fail("uneven history")
	}
}

func (p *companions) part() Part {
	c := &codec{}
	k := companionKey{p.a.no, p.b.no}
	p.walk(c, &k)
	return Part{partKey(companyPart, p.no), c.b}
}

func (p *companions) walk(c *codec, k *companionKey) {
	c.u64(&k.a)
	c.u64(&k.b)
	small(c, &p.n)
	list(c, &p.times, c.i64)
}

func (r *restorer) company(c *codec, no uint64) {
	p := &companions{no: no}
	var k companionKey
	p.walk(c, &k)
	if n := uint64(len(r.histories)); k.a >= k.b || k.b >= n || r.e.companions[k] != nil || no != uint64(len(r.e.companions)) {
		c.fail("companions that cannot be")
		return
	}
	p.a, p.b = r.histories[k.a], r.histories[k.b]
	r.e.companions[k] = p
}

// connect makes what follows from what was read.
func (r *restorer) connect() error {
	e := r.e
	if !r.whole {
		return fmt.Errorf("%w: the engine's own part is missing", ErrSnapshot)
	}
	alarms, open := e.inOrder(), e.byBirth()
	for _, a := range alarms {
		if (a.state == attached) != (a.inc != nil) {
			return fmt.Errorf("%w: alarm %d without its incident", ErrSnapshot, a.serial)
		}
		if a.serial > e.serial {
			return fmt.Errorf("%w: alarm %d is later than the last", ErrSnapshot, a.serial)
		}
	}
	e.listAgain(alarms)
	for _, i := range open {
		i.recount()
		e.register(i)
		if !i.settled {
			e.bear(i)
		}
	}
	for _, a := range alarms {
		if a.state == waiting {
			e.waitOn(a)
		}
	}
	return nil
}
