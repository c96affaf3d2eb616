package incident

import (
	"time"

	"incidentd/datastore"
	"incidentd/incident/correlate"
	"incidentd/incident/event"
)

// behind is what the correlator has seen or has to see and a transaction has left for the
// next: events of the log that it was not fed, then decisions that are not stored. It is
// owned by the writer of the store. After a crash both follow from the log.
type behind struct {
	events    []logged
	decisions []decided
}

// logged is an event of the log, decided what the correlator made of it or of a timer;
// since is when the event was given, or when the timer was due.
type logged struct {
	*event.Event
	since time.Time
}

type decided struct {
	correlate.Decision
	since time.Time
}

func (b *behind) caughtUp() bool { return len(b.events) == 0 && len(b.decisions) == 0 }

const (
	// few bounds the decisions of one step of the correlator.
	few = 16
	// mostDecided bounds the decisions that one transaction stores.
	mostDecided = 256
)

// turn is what a transaction may do, so that others are not held up.
type turn struct {
	begun   time.Time
	decided int
}

func newTurn() *turn { return &turn{begun: time.Now()} }

// spent reports whether it is over. A turn of nil lasts.
func (t *turn) spent() bool {
	return t != nil && (t.decided >= mostDecided || time.Since(t.begun) >= longest)
}

// judge feeds the correlator and stores what it decides, until it has caught up or the
// turn is over.
func (m *Manager) judge(tx *datastore.Tx, t *turn) error {
	b := &m.behind
	for !b.caughtUp() && !t.spent() {
		if len(b.decisions) > 0 {
			n := min(few, len(b.decisions))
			list := make([]correlate.Decision, n)
			for k, d := range b.decisions[:n] {
				list[k] = d.Decision
				if !d.since.IsZero() {
					m.stored = append(m.stored, d.since)
				}
			}
			if err := m.decide(tx, list); err != nil {
				return err
			}
			if t != nil {
				t.decided += n
			}
			clear(b.decisions[:n])
			b.decisions = b.decisions[n:]
			continue
		}
		e := b.events[0]
		if !m.step(e.Arrival) {
			continue
		}
		for _, d := range m.engine.Feed(e.Event) {
			b.decisions = append(b.decisions, decided{d, e.since})
		}
		b.events[0] = logged{}
		b.events = b.events[1:]
	}
	return nil
}

// takeUp leaves the events of a batch, which are in the log, to the correlator.
func (m *Manager) takeUp(events []*event.Event, since time.Time) {
	for _, e := range events {
		m.behind.events = append(m.behind.events, logged{e, since})
	}
}

// step runs some of the timers that are due, and reports whether these were all.
func (m *Manager) step(until time.Time) bool {
	decisions, done := m.engine.Step(until, few)
	clk := m.clock.Load()
	for _, d := range decisions {
		since := clk.at(d.At)
		if clk.recording {
			since = time.Time{}
		}
		m.behind.decisions = append(m.behind.decisions, decided{d, since})
	}
	return done
}
