package correlate

import (
	"slices"
	"time"

	"incidentd/incident/event"
)

// Replay feeds a recording and keeps the state that every incident came to. Its zero
// value is not ready: use [NewReplay].
type Replay struct {
	e    *Engine
	last map[uint64]*Incident
	tell func(Decision)
}

// NewReplay returns a replay through e, which should be new. tell, if not nil, is
// called with each decision.
func NewReplay(e *Engine, tell func(Decision)) *Replay {
	return &Replay{e: e, last: map[uint64]*Incident{}, tell: tell}
}

// Feed takes the next event of the recording, in order of arrival. An event without
// arrival arrives at its own time.
func (r *Replay) Feed(ev event.Event) {
	if ev.Arrival.IsZero() {
		ev.Arrival = ev.Time
	}
	r.take(r.e.Feed(&ev))
}

// Finish ends the recording: the stream time goes on past the last arrival by as long
// as a symptom may wait for its cause and an incident of KPIs soaks, whichever is more,
// and ten seconds, so that what is under way is decided. Nothing that needs longer, a
// clearing hold or a rhythm, is waited for. It returns the incidents in their final
// state, by number; updates that were not told yet are in it.
func (r *Replay) Finish() []*Incident {
	p := &r.e.p
	tail := max(2*p.effectWait, p.soakKPI, p.soakKPIMajor) + 10*second
	if !r.e.Now().IsZero() {
		r.take(r.e.Advance(r.e.Now().Add(time.Duration(tail))))
	}
	for _, i := range r.e.Open() {
		r.last[i.No] = i
	}
	out := make([]*Incident, 0, len(r.last))
	for _, i := range r.last {
		out = append(out, i)
	}
	slices.SortFunc(out, func(a, b *Incident) int { return cmpSerial(a.No, b.No) })
	return out
}

func (r *Replay) take(ds []Decision) {
	for _, d := range ds {
		r.last[d.Incident.No] = d.Incident
		if r.tell != nil {
			r.tell(d)
		}
	}
}
