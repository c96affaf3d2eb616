package correlate

import (
	"bytes"
	"cmp"
	"container/heap"
	"fmt"
	"slices"

	"incidentd/incident/topology"
)

// snapshotMagic begins every snapshot; its last byte is the version.
var snapshotMagic = []byte("incidentd-correlate\x01")

// Snapshot writes the state of the engine: all but its configuration, its marks and
// its topology. It takes time and memory in proportion to the alarms.
func (e *Engine) Snapshot() ([]byte, error) {
	c := &codec{b: slices.Clone(snapshotMagic)}
	e.walk(c)
	if c.err != nil {
		return nil, fmt.Errorf("snapshot: %w", c.err)
	}
	return c.b, nil
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
	f := &Engine{p: e.p, know: e.know, marks: e.marks, types: e.types, byClass: e.byClass, x: e.x}
	f.empty()
	f.epoch()
	c := &codec{b: b, at: len(snapshotMagic), reading: true}
	f.walk(c)
	if c.err == nil && c.at != len(b) {
		c.fail("more after the end")
	}
	if c.err != nil {
		return fmt.Errorf("restore: %w", c.err)
	}
	*e = *f
	return nil
}

// walk writes the engine, or reads it into an empty one.
func (e *Engine) walk(c *codec) {
	c.i64(&e.now)
	for _, p := range [...]*uint64{&e.timerSeq, &e.serial, &e.listings, &e.incidentID, &e.nextNo, &e.solves, &e.decisions} {
		c.u64(p)
	}
	list(c, (*[]timer)(&e.timers), func(t *timer) {
		c.i64(&t.at)
		c.u64(&t.seq)
		small(c, &t.kind)
		c.u64(&t.ref)
		small(c, &t.version)
	})
	heap.Init(&e.timers)
	e.walkNodes(c)
	alarms := e.inOrder()
	groups := make([]uint64, 0, len(alarms)) // the incident of each alarm
	for _, a := range alarms {
		if a.inc != nil {
			groups = append(groups, a.inc.id)
		} else {
			groups = append(groups, 0)
		}
	}
	list(c, &alarms, func(a **alarm) { e.walkAlarm(c, a) })
	list(c, &groups, c.u64)
	list(c, &e.open, func(i **incident) { e.walkIncident(c, i) })
	e.walkTombs(c)
	e.walkRhythms(c)
	if c.reading && c.err == nil {
		e.connect(c, alarms, groups)
	}
}

func (e *Engine) walkNodes(c *codec) {
	names := make([]string, 0, len(e.nodes))
	for n := range e.nodes {
		names = append(names, n)
	}
	slices.Sort(names)
	list(c, &names, func(n *string) {
		c.str(n)
		s := e.nodeOf(*n)
		c.i64(&s.clock.offset)
		c.i64(&s.clock.at)
		small(c, &s.clock.n)
		small(c, &s.clock.odd)
		list(c, &s.ring, func(x *contextEvent) {
			e.walkClass(c, &x.class)
			c.i64(&x.t)
			walkRef(c, &x.ref)
		})
	})
}

func (e *Engine) walkClass(c *codec, p *Class) {
	small(c, p)
	if *p >= classes {
		c.fail("unknown class")
		*p = Other
	}
}

func walkRef(c *codec, r *EventRef) {
	for _, p := range [...]*string{&r.ID, &r.Node, &r.Resource, &r.AlarmTypeID, &r.Qualifier, &r.Text, &r.Value, &r.Threshold, &r.TraceID, &r.Reason} {
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

func (e *Engine) walkAlarm(c *codec, p **alarm) {
	if c.reading {
		*p = &alarm{obj: &object{}}
	}
	a := *p
	node, name := a.obj.node, a.obj.name
	for _, s := range [...]*string{&node, &name, &a.typeID, &a.qualifier, &a.rule} {
		c.str(s)
	}
	c.u64(&a.serial)
	c.u64(&a.listed)
	small(c, &a.version)
	e.walkClass(c, &a.class)
	small(c, &a.severity)
	small(c, &a.state)
	for _, b := range [...]*bool{&a.active, &a.lasting, &a.soft, &a.cascade} {
		c.bool(b)
	}
	for _, t := range [...]*int64{&a.t, &a.arrival, &a.off} {
		c.i64(t)
	}
	small(c, &a.raises)
	small(c, &a.omitted)
	list(c, &a.refs, func(r *EventRef) { walkRef(c, r) })
	if !c.reading || c.err != nil {
		return
	}
	k := objKey{node, name}
	o := e.canonical[k]
	if o == nil {
		o = &object{node: node, name: name}
		e.canonical[k] = o
		e.place(o)
	}
	a.obj = o
	if e.bySerial[a.serial] != nil || e.alarms[alarmKey{o, a.typeID, a.qualifier}] != nil || a.state > attached {
		c.fail("alarm twice")
		return
	}
	e.adopt(a)
}

func (e *Engine) walkHyp(c *codec, p **hypothesis) {
	var k hypKey
	if !c.reading {
		k = hypKey{(*p).cause, (*p).node, (*p).name}
	}
	small(c, &k.cause)
	c.str(&k.node)
	c.str(&k.name)
	if c.reading {
		if k.cause >= causes {
			c.fail("unknown cause")
			k.cause = Unknown
		}
		*p = e.hypothesis(k.cause, k.node, k.name)
	}
}

func (e *Engine) walkIncident(c *codec, p **incident) {
	if c.reading {
		*p = &incident{}
	}
	i := *p
	c.u64(&i.id)
	c.u64(&i.no)
	e.walkHyp(c, &i.root)
	owned := i.root.root == i.id
	c.bool(&owned)
	small(c, &i.score)
	list(c, &i.rivals, func(r *rival) {
		e.walkHyp(c, &r.h)
		small(c, &r.score)
	})
	members := make([]uint64, 0, len(i.members))
	for _, a := range i.members {
		members = append(members, a.serial)
	}
	list(c, &members, c.u64)
	for _, refs := range [...]*[]EventRef{&i.context, &i.past} {
		list(c, refs, func(r *EventRef) { walkRef(c, r) })
	}
	small(c, &i.omitted)
	list(c, &i.congested, func(l *topology.LinkRef) {
		c.str(&l.Network)
		c.str(&l.Link)
	})
	for _, t := range [...]*int64{&i.darkAt, &i.t0, &i.hot, &i.born, &i.touched, &i.raised, &i.cleared, &i.updated, &i.resolveAt, &i.raiseAt, &i.emitAt, &i.rootClear} {
		c.i64(t)
	}
	for _, v := range [...]*uint32{&i.raiseVersion, &i.emitVersion, &i.clearVersion} {
		small(c, v)
	}
	for _, b := range [...]*bool{&i.fresh, &i.dark, &i.periodic, &i.overdue} {
		c.bool(b)
	}
	c.str(&i.markID)
	c.str(&i.trace)
	c.u64(&i.told)
	e.walkReach(c, &i.reach)
	if !c.reading || c.err != nil {
		return
	}
	if e.incidents[i.id] != nil || i.id == 0 {
		c.fail("incident twice")
		return
	}
	e.incidents[i.id] = i
	if owned {
		i.root.root = i.id
	}
	if i.trace != "" {
		e.traces[i.trace] = i.id
	}
	for _, s := range members {
		a := e.bySerial[s]
		if a == nil || a.state != attached || a.inc != nil {
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
	nodes, fringe, services := e.nodeNames(r.nodes), e.nodeNames(r.fringe), slices.Clone(r.services)
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
	if !c.reading {
		return
	}
	*r = reach{nodes: e.nodesNamed(nodes), fringe: e.nodesNamed(fringe)}
	for _, x := range edges {
		if ed, ok := e.x.Link(x.link.Network, x.link.Link); ok {
			r.edges = append(r.edges, reachedEdge{ed, x.down})
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

func (e *Engine) walkTombs(c *codec) {
	type entry struct {
		node, name, typeID, qualifier string
		there                         bool
		tomb                          tomb
	}
	entries := make([]entry, 0, len(e.tombOrder))
	for _, k := range e.tombOrder {
		t, ok := e.tombs[k]
		entries = append(entries, entry{k.obj.node, k.obj.name, k.typeID, k.qualifier, ok, t})
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
		k := alarmKey{e.object(x.node, x.name), x.typeID, x.qualifier}
		e.tombOrder = append(e.tombOrder, k)
		if x.there {
			e.tombs[k] = x.tomb
		}
	}
}

func (e *Engine) walkRhythms(c *codec) {
	type entry struct {
		k hypKey
		r rhythm
	}
	entries := make([]entry, 0, len(e.rhythms))
	for k, r := range e.rhythms {
		entries = append(entries, entry{k, *r})
	}
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.k.cause, b.k.cause), cmp.Compare(a.k.node, b.k.node), cmp.Compare(a.k.name, b.k.name))
	})
	list(c, &entries, func(x *entry) {
		small(c, &x.k.cause)
		c.str(&x.k.node)
		c.str(&x.k.name)
		list(c, &x.r.starts, c.i64)
		list(c, &x.r.lasted, c.i64)
		if len(x.r.starts) != len(x.r.lasted) {
			c.fail("uneven rhythm")
		}
	})
	if !c.reading {
		return
	}
	for _, x := range entries {
		r := x.r
		e.rhythms[x.k] = &r
	}
}

// connect makes what follows from what was read.
func (e *Engine) connect(c *codec, alarms []*alarm, groups []uint64) {
	if len(groups) != len(alarms) {
		c.fail("uneven alarms")
		return
	}
	for k, a := range alarms {
		var id uint64
		if a.inc != nil {
			id = a.inc.id
		}
		if id != groups[k] || (a.state == attached) != (a.inc != nil) {
			c.fail("alarm without its incident")
			return
		}
	}
	for _, i := range e.open {
		if i.no != 0 && len(i.members)+len(i.past) == 0 {
			c.fail("incident without events")
			return
		}
	}
	e.listAgain(alarms)
	for _, i := range e.open {
		e.register(i)
	}
	for _, a := range alarms {
		if a.state == waiting {
			e.waitOn(a)
		}
	}
}
