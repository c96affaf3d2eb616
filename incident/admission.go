package incident

import (
	"context"
	"strconv"
	"time"

	"incidentd/datastore"
	"incidentd/yang/data"
)

// What incidentd-admission has for defaults.
const (
	queueMemory = 16 << 20
	patience    = 10 * time.Second
)

const (
	// mostTaken bounds the events that one transaction takes from the queue, and longest
	// the time in which it goes on taking: others want to write too. Both count after a
	// batch, which is taken as a whole.
	mostTaken = 1000
	longest   = 10 * time.Millisecond
)

// openQueue readies the queue and provides what it tells of itself.
func (m *Manager) openQueue() {
	m.queue.inlets = map[string]*Inlet{}
	m.queue.begin = func() { m.running.Go(m.takeAll) }
	m.queue.configure(m.store.Snapshot().Running)
	if at := m.store.Schema().Root.ChildNamed("admission"); at != nil {
		m.store.Provide(at, func(*datastore.Snapshot) *data.Node {
			b := data.Build(at)
			statistics := b.Container("statistics")
			m.Admission().encode(statistics)
			m.Lag().encode(statistics)
			return b.Node()
		})
	}
}

// configure lets the container admission of incidentd-admission hold.
func (q *queue) configure(running *data.Node) {
	n := running.Child("admission")
	q.mu.Lock()
	defer q.mu.Unlock()
	q.limit, q.wait = queueMemory, patience
	if v := n.Leaf("queue-memory"); v != "" {
		q.limit = number(v)
	}
	if v := n.Leaf("patience"); v != "" {
		q.wait = time.Duration(number(v)) * time.Second
	}
}

// takeAll takes what waits, until nothing does. A batch is done when the correlator has
// judged it, which may take some transactions more.
func (m *Manager) takeAll() {
	var open []*batch // on disk, not yet judged
	for {
		var taken []*batch
		m.indexes.follow(m.store)
		err := m.store.Update(context.Background(), func(tx *datastore.Tx) error {
			t, events := newTurn(), 0
			if len(open) == 0 {
				b := m.queue.next()
				if b == nil {
					return nil
				}
				taken = append(taken, b)
			}
			if err := m.ready(tx); err != nil {
				return err
			}
			if len(open) > 0 {
				if err := m.judge(tx, t); err != nil || !m.behind.caughtUp() {
					return err
				}
			}
			for k := 0; ; k++ {
				if k == len(taken) {
					if events >= mostTaken || t.spent() {
						return nil
					}
					b := m.queue.next()
					if b == nil {
						return nil
					}
					taken = append(taken, b)
				}
				events += len(taken[k].events)
				if err := m.take(tx, taken[k]); err != nil {
					return err
				}
				if err := m.judge(tx, t); err != nil || !m.behind.caughtUp() {
					return err
				}
				if m.next-1-m.snapped >= uint64(m.c.SnapshotEvery) {
					return m.snapshot(tx)
				}
			}
		})
		if err != nil && len(taken) == 0 { // the store has closed
			for b := m.queue.next(); b != nil; b = m.queue.next() {
				taken = append(taken, b)
			}
		}
		switch {
		case err != nil:
			m.queue.finish(open, nil) // they are in the log, and judged when that can be
			m.queue.finish(taken, err)
			open = nil
		case m.isBehind.Load():
			open = append(open, taken...)
			continue
		default:
			m.queue.finish(append(open, taken...), nil)
			open = nil
		}
		if m.queue.idle() {
			return
		}
	}
}

// Admission counts the events that were given to all inlets.
func (m *Manager) Admission() AdmissionFigures {
	q := &m.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	f := q.figures
	f.Memory, f.Reporters = q.held, len(q.queuers)
	return f
}

// encode writes the statistics of incidentd-admission.
func (f AdmissionFigures) encode(b *data.Builder) {
	b.Uint("accepted", f.Accepted).Uint("duplicates", f.Duplicates).Uint("refused", f.Refused).Uint("delayed", f.Delayed).Uint("lost", f.Lost).
		Uint("queued", uint64(f.Queued)).Uint("memory", uint64(f.Memory)).Uint("most-memory", uint64(f.MostMemory)).
		Uint("reporters-waiting", uint64(f.Reporters)).
		Leaf("lag", milliseconds(f.Lag)).Leaf("longest-lag", milliseconds(f.LongestLag))
}

// Lag tells how long decisions take.
func (m *Manager) Lag() LagFigures { return m.lag.figures() }

func (f LagFigures) encode(b *data.Builder) {
	exact := func(d time.Duration) string { return strconv.FormatFloat(float64(d.Microseconds())/1000, 'f', 3, 64) }
	b.Uint("decisions", f.Decisions).Uint("decisions-late", f.Late).Leaf("decision-lag-median", exact(f.Median)).
		Leaf("decision-lag-99", exact(f.P99)).Leaf("decision-lag-longest", exact(f.Longest))
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
