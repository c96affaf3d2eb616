package correlate

import (
	"slices"
	"time"

	"incidentd/incident/topology"
)

const day = 24 * 60 * minute

// history is what is remembered of a root: when its incidents began and how long they
// lasted, lately.
type history struct {
	key            hypKey
	no             uint64 // in the order in which they began
	starts, lasted []int64
	raised         int32  // how often an incident of it was
	last           uint64 // the number of the last that has ended
	ended          int64  // when
	dirty          bool   // changed since the last snapshot
}

const mostRemembered = 8

// remembers reports whether a root may come again.
func (h *hypothesis) remembers() bool { return h.cause != Transaction }

// historyOf returns the history of a root, which begins with this.
func (e *Engine) historyOf(h *hypothesis) *history {
	r := e.pastOf(h)
	if r == nil {
		r = &history{key: h.key(), no: uint64(len(e.histories))}
		e.histories[r.key] = r
		h.past = r
	}
	e.touchHistory(r)
	return r
}

// pastOf returns the history of a root; nil if it has none.
func (e *Engine) pastOf(h *hypothesis) *history {
	if h.past == nil {
		h.past = e.histories[h.key()]
	}
	return h.past
}

// remember enters an incident that has ended into the history of its root.
func (e *Engine) remember(i *incident) {
	if !i.root.remembers() {
		return
	}
	r := e.historyOf(i.root)
	r.last, r.ended = i.no, e.now
	r.enter(i.t0, e.now-i.t0)
	if line := e.lineUnder(i.root); line != nil {
		e.historyOf(line).enter(i.t0, e.now-i.t0)
	}
}

// enter enters when an incident began and how long it lasted.
func (r *history) enter(start, lasted int64) {
	r.starts, r.lasted = append(r.starts, start), append(r.lasted, lasted)
	if n := len(r.starts) - mostRemembered; n > 0 {
		r.starts, r.lasted = slices.Delete(r.starts, 0, n), slices.Delete(r.lasted, 0, n)
	}
}

// lineUnder returns the cause that a customer's line is down, of a session with that customer
// over it; nil for any other cause. Of a customer who switches off, the session is all that is
// told when other alarms get lost, so it shares the rhythm of the line.
func (e *Engine) lineUnder(h *hypothesis) *hypothesis {
	if h.cause != SessionReset {
		return nil
	}
	a, b := topology.NodeID(topology.None), topology.NodeID(topology.None)
	if h.edge != topology.None {
		d := e.x.Edge(h.edge)
		a, b = d.A, d.B
	} else if o := e.objects[objKey{h.node, h.name}]; o != nil {
		a, b = o.nodeID, o.peer
	}
	if a == topology.None || b == topology.None {
		return nil
	}
	if lines := e.x.accessBetween(a, b); len(lines) == 1 {
		return e.edgeHyp(AccessOutage, lines[0])
	}
	return nil
}

// before returns the last incident of the same root, if it is not long over: its number
// and how many there were; 0 if there was none.
func (e *Engine) before(i *incident) (no uint64, times int) {
	r := e.pastOf(i.root)
	if r == nil || r.last == 0 || r.last == i.no || i.t0-r.ended > e.p.recurrence {
		return 0, 0
	}
	return r.last, max(1, int(r.raised)-1)
}

// usual returns how long the root is usually down when it goes down at this time of the
// day, by an approved rule or by its history; false if that is not usual. days are the
// days of the history.
func (e *Engine) usual(i *incident) (lasts int64, days []int64, ok bool) {
	for k := range e.calendar {
		if c := &e.calendar[k]; (c.Object.of(i.root) || c.ofLine(e.lineUnder(i.root))) && c.covers(i.t0) {
			return int64(c.Lasts), nil, true
		}
	}
	h := i.root
	if line := e.lineUnder(h); line != nil {
		h = line
	}
	if !slices.Contains(e.rhythmic, h.cause) {
		return 0, nil, false
	}
	r := e.pastOf(h)
	if r == nil {
		return 0, nil, false
	}
	lasts, days = r.at(i.t0, e.p.periodSlack)
	return lasts, days, len(days) >= e.p.periodDays
}

// at returns the earlier days on which there was an incident at the time of day of t, and
// how long the longest lasted.
func (r *history) at(t, slack int64) (lasts int64, days []int64) {
	for k, s := range r.starts {
		off := ((t-s)%day + day) % day
		if min(off, day-off) > slack || t-s < day/2 {
			continue
		}
		if d := s / day; !slices.Contains(days, d) {
			days = append(days, d)
		}
		lasts = max(lasts, r.lasted[k])
	}
	return lasts, days
}

// CalendarRule says that an object is down at a time of day and that this is as wanted,
// for example to save energy at night.
type CalendarRule struct {
	Name   string
	Object MarkObject
	// Start is the time of day in UTC, Slack how far from it an outage may begin, Lasts
	// how long it lasts at most.
	Start, Slack, Lasts time.Duration
	// Weekdays are those of the start; none means all.
	Weekdays []time.Weekday
}

// covers reports whether an outage that begins at t is the rule's.
func (c *CalendarRule) covers(t int64) bool {
	if len(c.Weekdays) > 0 && !slices.Contains(c.Weekdays, timeOf(t).Weekday()) {
		return false
	}
	off := ((t-int64(c.Start))%day + day) % day
	return min(off, day-off) <= int64(c.Slack)
}

// ofLine reports whether a rule is about a customer's line, nil for none.
func (c *CalendarRule) ofLine(line *hypothesis) bool { return line != nil && c.Object.of(line) }

// of reports whether an object is the place of a cause.
func (o *MarkObject) of(h *hypothesis) bool {
	if o.Node != "" {
		return o.Node == h.node && o.Resource == h.name && h.edge == topology.None
	}
	return o.Network == h.node && o.Link == h.name
}

// place returns what a cause is a cause at.
func (h *hypothesis) place() MarkObject {
	if h.edge != topology.None {
		return MarkObject{Network: h.node, Link: h.name}
	}
	return MarkObject{Node: h.node, Resource: h.name}
}
