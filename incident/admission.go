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
			m.Admission().encode(b.Container("statistics"))
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

// takeAll takes what waits, until nothing does.
func (m *Manager) takeAll() {
	for {
		var taken []*batch
		err := m.store.Update(context.Background(), func(tx *datastore.Tx) error {
			begun, events := time.Now(), 0
			for events < mostTaken && time.Since(begun) < longest {
				b := m.queue.next()
				if b == nil {
					break
				}
				taken = append(taken, b)
				events += len(b.events)
				if len(taken) == 1 {
					if err := m.ready(tx); err != nil {
						return err
					}
				}
				if err := m.take(tx, b); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil && len(taken) == 0 { // the store has closed
			for b := m.queue.next(); b != nil; b = m.queue.next() {
				taken = append(taken, b)
			}
		}
		m.queue.finish(taken, err)
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

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
