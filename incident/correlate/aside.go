package correlate

import (
	"cmp"
	"maps"
	"slices"

	"incidentd/incident/event"
)

// What is on a shelf [RFC 8632 section 3.6] is put aside: it raises nothing and is no
// evidence, as if it had not been told. It is kept as long as it lasts, so that it can be
// judged when it comes off the shelf.

// aside is an alarm that lasts and was put aside.
type aside struct {
	no    uint64      // in the order in which they were
	ev    event.Event // that raised it, with the latest severity
	t     int64       // corrected time of its raise
	gone  bool
	dirty bool // changed since the last snapshot
}

type asideKey struct{ node, name, typ, qualifier string }

func asideKeyOf(o *object, t *alarmType) asideKey { return asideKey{o.node, o.name, t.id, t.qualifier} }

// putAside takes an event of an alarm that is on a shelf.
func (e *Engine) putAside(o *object, typ *alarmType, ev *event.Event, t int64) {
	a := o.alarm(typ)
	if ev.Severity == event.Cleared {
		e.takeBack(asideKeyOf(o, typ))
		if a != nil {
			e.clear(alarmKey{o, typ}, a, t)
		}
		return
	}
	if a != nil {
		e.withdraw(a)
	}
	if typ.listed && !typ.lasting {
		return // it is over already
	}
	k := asideKeyOf(o, typ)
	s := e.shelf[k]
	if s == nil {
		e.serial++
		s = &aside{no: e.serial, ev: *ev, t: t}
		e.shelf[k] = s
	}
	s.ev.Severity, s.ev.Text = ev.Severity, ev.Text
	e.touchAside(s)
}

// takeBack takes an alarm off what was put aside; nil if it is not there.
func (e *Engine) takeBack(k asideKey) *aside {
	s := e.shelf[k]
	if s != nil {
		delete(e.shelf, k)
		s.gone = true
		e.touchAside(s)
	}
	return s
}

// withdraw takes an alarm out that counts no longer, as if it were over. The incident that it
// was in keeps its events, and is judged without it.
func (e *Engine) withdraw(a *alarm) {
	i := a.inc
	e.uncount(a)
	a.active, a.off = false, e.now
	e.count(a)
	e.forget(a)
	if i == nil || e.incidents[i.id] != i {
		return
	}
	switch {
	case len(i.members) == 0:
		e.close(i) // there is nothing to wait for
	case i.no == 0 && !i.hasEvidence():
		e.dissolve(i)
	case e.young(i):
		e.resolveSoon(i, i.members[0])
	}
}

// Shelve puts aside what is on a shelf now, and takes back what is on none any more: that is
// judged as if it had been told now, with the times at which it happened. on is asked about each
// alarm that lasts. Like a command it is an input.
func (e *Engine) Shelve(on func(*event.Event) bool) []Decision {
	var back []*aside
	for _, s := range e.asides() {
		if !on(&s.ev) {
			back = append(back, s)
		}
	}
	for _, a := range e.inOrder() {
		if ev := a.event(); ev.Kind == event.Alarm && on(&ev) && a.obj.alarm(a.typ) == a {
			active, t := a.active, a.t
			e.withdraw(a)
			if active {
				e.putAside(a.obj, a.typ, &ev, t)
			}
		}
	}
	for _, s := range back {
		o, typ := e.object(s.ev.Node, s.ev.Resource), e.typeOf(s.ev.AlarmTypeID, s.ev.AlarmTypeQualifier)
		e.takeBack(asideKeyOf(o, typ))
		if o.alarm(typ) != nil {
			continue
		}
		a := e.newAlarm(alarmKey{o, typ}, e.says(o, typ, &s.ev))
		e.raise(a, &s.ev, s.t)
		e.locate(a)
	}
	return e.flush()
}

// Aside returns how many alarms are put aside.
func (e *Engine) Aside() int { return len(e.shelf) }

// asides returns what was put aside, in its order.
func (e *Engine) asides() []*aside {
	return slices.SortedFunc(maps.Values(e.shelf), func(a, b *aside) int { return cmp.Compare(a.no, b.no) })
}

// event returns the latest event that has raised an alarm.
func (a *alarm) event() event.Event {
	s := &a.seen[len(a.seen)-1]
	ev := event.Event{ID: s.id, Time: s.time.time(), Arrival: s.arrival.time(), Kind: s.kind, Node: a.obj.node, Resource: s.resource,
		AlarmTypeID: a.typ.id, AlarmTypeQualifier: a.typ.qualifier, Severity: a.severity, Text: s.text}
	if s.more != nil {
		ev.Value, ev.Threshold, ev.TraceID = s.more.value, s.more.threshold, s.more.trace
	}
	return ev
}

func (s *aside) part() Part {
	key := partKey(asidePart, s.no)
	if s.gone {
		return Part{Key: key}
	}
	c := &codec{}
	s.walk(c)
	return Part{key, c.b}
}

func (s *aside) walk(c *codec) {
	for _, p := range [...]*string{&s.ev.ID, &s.ev.Node, &s.ev.Resource, &s.ev.AlarmTypeID, &s.ev.AlarmTypeQualifier, &s.ev.Text, &s.ev.Value, &s.ev.Threshold, &s.ev.TraceID} {
		c.str(p)
	}
	small(c, &s.ev.Kind)
	small(c, &s.ev.Severity)
	c.time(&s.ev.Time)
	c.time(&s.ev.Arrival)
	c.i64(&s.t)
}

// aside reads an alarm that was put aside.
func (r *restorer) aside(c *codec, no uint64) {
	s := &aside{no: no}
	s.walk(c)
	if c.err != nil {
		return
	}
	e := r.e
	if e.nodes[s.ev.Node] == nil {
		c.fail("shelved alarm of an unknown node")
		return
	}
	k := asideKeyOf(e.object(s.ev.Node, s.ev.Resource), e.typeOf(s.ev.AlarmTypeID, s.ev.AlarmTypeQualifier))
	if e.shelf[k] != nil {
		c.fail("an alarm shelved twice")
	}
	e.shelf[k] = s
}
