package oam

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"
	"sync/atomic"
	"time"

	"incidentd/datastore"
	"incidentd/datastore/kv"
)

// Crossing is what supervision of a test has come to.
type Crossing struct {
	Kind Kind   `json:"kind"`
	Test string `json:"test"`
	// RunID is of the run that was decisive.
	RunID string    `json:"run-id"`
	Time  time.Time `json:"time"`
	// Raised says that the test fails so often that it is a matter of concern. Lost says the same
	// of runs of which nothing arrived, WasLost that this was told before.
	Raised  bool `json:"raised"`
	Lost    bool `json:"lost,omitempty"`
	WasLost bool `json:"was-lost,omitempty"`
	// Removed says that there is no test any more that would tell of the end.
	Removed bool `json:"removed,omitempty"`
	// Crossed are the thresholds that the run crossed.
	Crossed []string `json:"crossed,omitempty"`
	// Resources and Services are what the test stands for.
	Resources []string `json:"resources,omitempty"`
	Services  []string `json:"services,omitempty"`
}

// Supervise is told the crossings, one after the other. It returns when what follows from one
// is on disk; with an error it is told it again. It may be told of one twice.
type Supervise func(context.Context, Crossing) error

// The tables of crossings.
const (
	tableCrossings = "oam-crossings" // eight bytes, big-endian, to Crossing: those to be told
	tableRaised    = "oam-raised"    // key of a test to the Crossing that is raised
)

// retryCrossing is how long to wait before a crossing is told again.
const retryCrossing = time.Second

// crossings are those that are raised, and how many have been stored to be told. Its owner's
// mutex guards it.
type crossings struct {
	raised map[id]Crossing
	next   uint64
	wake   chan struct{} // one slot: there is more to be told
	untold atomic.Int64
}

// read reads what was stored.
func (c *crossings) read(r *kv.Reader) error {
	for k, v := range r.Scan(tableRaised, nil, nil) {
		var x Crossing
		if err := unpack(v, &x); err != nil {
			return err
		}
		c.raised[id{Kind(k[0]), string(k[1 : len(k)-1])}] = x
	}
	for k := range r.Scan(tableCrossings, nil, nil) {
		c.next = binary.BigEndian.Uint64(k) + 1
		c.untold.Add(1)
	}
	return nil
}

// supervise looks whether runs have become a matter of concern, or no longer are.
func (m *Manager) supervise(it *item, rec *Run, to State) {
	s, verdict := it.supervision, rec.Verdict
	if it.kind == TestSequence && rec.Outcome == Finished {
		verdict = map[State]Verdict{Success: Pass, Failure: Fail}[to]
	}
	if s == nil || it.removed || verdict != Pass && verdict != Fail {
		return
	}
	it.Failing, it.Losing = append(it.Failing, verdict == Fail), append(it.Losing, rec.Found.nothing())
	if extra := len(it.Failing) - max(s.ofLast, s.clearCount); extra > 0 {
		it.Failing = it.Failing[extra:]
	}
	it.Losing = last(it.Losing, len(it.Failing))
	raised, lost := it.Raised, it.Lost
	it.Raised = s.after(raised, it.Failing)
	it.Lost = it.Raised && s.after(lost, it.Losing)
	if it.Raised == raised && it.Lost == lost {
		return
	}
	m.cross(Crossing{Kind: it.kind, Test: it.name, RunID: rec.ID, Time: rec.End, Raised: it.Raised, Lost: it.Lost, WasLost: lost,
		Crossed: rec.crossed(), Resources: s.resources, Services: s.services})
}

// after is whether something is a matter of concern after the last of its runs.
func (s *supervision) after(raised bool, bad []bool) bool {
	if raised {
		return len(bad) < s.clearCount || count(last(bad, s.clearCount), true) > 0
	}
	return count(last(bad, s.ofLast), true) >= s.failCount
}

// nothing reports whether packets were sent and none was answered.
func (m *Measurement) nothing() bool {
	return m != nil && m.Packets != nil && m.Packets.Sent > 0 && m.Packets.Received == 0
}

// crossed are the thresholds that a run has crossed, of a sequence those of its members.
func (r *Run) crossed() (list []string) {
	if r.Found != nil {
		list = r.Found.Crossed
	}
	for _, x := range r.Members {
		if x.Found != nil {
			for _, c := range x.Found.Crossed {
				list = append(list, x.Name+": "+c)
			}
		}
	}
	return list
}

// cross tells of a crossing: by a notification, and whoever is to be told, when it is on disk.
func (m *Manager) cross(c Crossing) {
	i := id{c.Kind, c.Test}
	if c.Raised {
		m.crossings.raised[i] = c
	} else {
		delete(m.crossings.raised, i)
	}
	n, row, number := m.schema.crossing(&c), pack(c), m.crossings.next
	m.crossings.next++
	m.outbox.add(func(tx *datastore.Tx) {
		tx.Notify(Stream, n)
		if c.Raised {
			tx.Put(tableRaised, key(i.kind, i.name), row)
		} else {
			tx.Delete(tableRaised, key(i.kind, i.name))
		}
		if m.told == nil {
			return
		}
		tx.Put(tableCrossings, binary.BigEndian.AppendUint64(nil, number), row)
		tx.OnCommit(func(*datastore.Snapshot) {
			m.crossings.untold.Add(1)
			select {
			case m.crossings.wake <- struct{}{}:
			default:
			}
		})
	})
}

// unsupervised ends the crossing of a test that is no longer supervised, or stands for
// something else.
func (m *Manager) unsupervised(i id, s *supervision) {
	c, ok := m.crossings.raised[i]
	if !ok || s != nil && slices.Equal(s.resources, c.Resources) && slices.Equal(s.services, c.Services) {
		return
	}
	c.Raised, c.Lost, c.WasLost, c.Removed, c.Crossed, c.Time = false, false, c.Lost, true, nil, time.Now()
	m.cross(c)
	if it := m.items[i]; it != nil {
		it.Raised, it.Lost, it.Failing, it.Losing = false, false, nil, nil
		m.saveProgress(it)
	}
}

// tell tells the crossings that are on disk, each until it is taken.
func (m *Manager) tell() {
	for {
		k, c, err := m.firstCrossing()
		if k == nil && err == nil {
			select {
			case <-m.crossings.wake:
				continue
			case <-m.ctx.Done():
				return
			}
		}
		if err == nil {
			err = m.told(m.ctx, c)
		}
		if err == nil {
			err = m.store.Update(m.ctx, func(tx *datastore.Tx) error {
				tx.Delete(tableCrossings, k)
				tx.OnCommit(func(*datastore.Snapshot) { m.crossings.untold.Add(-1) })
				return nil
			})
		}
		if err == nil {
			continue
		}
		if m.ctx.Err() != nil {
			return
		}
		m.log.Warn("a crossing cannot be told yet", "test", c.Test, "run-id", c.RunID, "err", err)
		select {
		case <-time.After(retryCrossing):
		case <-m.ctx.Done():
			return
		}
	}
}

// firstCrossing is the oldest crossing that is to be told, nil without one.
func (m *Manager) firstCrossing() (k []byte, c Crossing, err error) {
	var fault error
	err = m.store.Read(tableCrossings, nil, nil, func(key, v []byte) bool {
		k, fault = bytes.Clone(key), unpack(v, &c)
		return false
	})
	if err == nil {
		err = fault
	}
	return k, c, err
}

func last(list []bool, n int) []bool { return list[max(0, len(list)-n):] }

func count(list []bool, what bool) (n int) {
	for _, v := range list {
		if v == what {
			n++
		}
	}
	return n
}
