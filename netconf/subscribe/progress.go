package subscribe

import (
	"context"
	"encoding/binary"
	"strconv"
	"time"

	"incidentd/datastore"
	"incidentd/datastore/journal"
	"incidentd/netconf"
	"incidentd/yang/data"
)

// progress is how far a receiver of a configured subscription is.
type progress struct {
	next   uint64    // the next record of the journal to look at
	number uint64    // how many event records were sent
	time   time.Time // of the last record before next; zero: none was looked at
	stop   time.Time // the stop-time that the receiver has been told of as reached; zero: none
}

// progressTable holds a row for each receiver: the id of its subscription (4 bytes,
// big-endian) and its name, to next, number, and time and stop in nanoseconds since 1970, 0
// for none (8 bytes each; rows of earlier versions lack the last).
const progressTable = "receivers"

func (l *leg) key() []byte {
	return append(binary.BigEndian.AppendUint32(nil, l.of.id), l.name...)
}

func (p progress) row() []byte {
	b := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, p.next), p.number)
	for _, t := range []time.Time{p.time, p.stop} {
		at := uint64(0)
		if !t.IsZero() {
			at = uint64(t.UnixNano())
		}
		b = binary.BigEndian.AppendUint64(b, at)
	}
	return b
}

func parseProgress(row []byte) (p progress, ok bool) {
	if len(row) != 24 && len(row) != 32 {
		return p, false
	}
	p.next, p.number = binary.BigEndian.Uint64(row), binary.BigEndian.Uint64(row[8:])
	for i, t := range []*time.Time{&p.time, &p.stop}[:len(row)/8-2] {
		if at := binary.BigEndian.Uint64(row[16+8*i:]); at != 0 {
			*t = time.Unix(0, int64(at)).UTC()
		}
	}
	return p, true
}

// legKey names a receiver of a subscription.
type legKey struct {
	id   uint32
	name string
}

// beginnings are where the receivers go on that the caller does not know yet: where they
// were, or, if they are new, at the record since, or, with configured-replay, with what
// has happened since the start of the server.
func (c *caller) beginnings(top *data.Node, since uint64) map[legKey]progress {
	all := map[legKey]progress{}
	fresh := map[legKey]bool{} // whether it has configured-replay
	for e := range top.Entries("subscription") {
		id, _ := strconv.ParseUint(e.Leaf("id"), 10, 32) // the schema has checked it
		for r := range e.Child("receivers").Entries("receiver") {
			k := legKey{uint32(id), r.Leaf("name")}
			if s := c.subscriptions[k.id]; s == nil || s.legs[k.name] == nil { // only Run changes them
				fresh[k] = e.Has("configured-replay")
			}
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	if err := c.store.Update(context.Background(), func(tx *datastore.Tx) error {
		for k := range fresh {
			l := leg{of: &configured{id: k.id}, name: k.name}
			if p, ok := parseProgress(tx.Get(progressTable, l.key())); ok {
				all[k] = p
			}
		}
		return nil
	}); err != nil {
		c.config.Log.Error("the progress of receivers cannot be read", "err", err)
	}
	if since == 0 {
		since = c.journal.Last() + 1
	}
	for k, replay := range fresh {
		if _, ok := all[k]; ok {
			continue
		}
		all[k] = progress{next: since}
		if seq, err := c.journal.FindTime(c.boot, journal.NETCONF); replay && err == nil {
			all[k] = progress{next: seq}
		}
	}
	return all
}

// confirm asks a receiver, as long as its session lasts, whether it has got what it was
// sent.
func (c *caller) confirm(ctx context.Context, session *netconf.Session) {
	tick := time.NewTicker(confirmEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		sent := map[*leg]progress{}
		c.mu.Lock()
		for _, s := range c.subscriptions {
			for _, l := range s.legs {
				if l.session == session && l.sent != l.safe {
					sent[l] = l.sent
				}
			}
		}
		c.mu.Unlock()
		if len(sent) == 0 || session.Confirm() != nil {
			continue
		}
		c.mu.Lock()
		for l, p := range sent {
			if l.session == session {
				l.safe = p
			}
		}
		c.mu.Unlock()
	}
}

// save writes what has changed, in one transaction.
func (c *caller) save() {
	c.mu.Lock()
	rows := map[*leg]progress{}
	for _, s := range c.subscriptions {
		for _, l := range s.legs {
			if l.safe != l.saved {
				rows[l] = l.safe
			}
		}
	}
	c.mu.Unlock()
	if len(rows) == 0 {
		return
	}
	err := c.store.Update(context.Background(), func(tx *datastore.Tx) error {
		for l, p := range rows {
			tx.Put(progressTable, l.key(), p.row())
		}
		return nil
	})
	if err != nil {
		c.config.Log.Error("the progress of receivers cannot be written", "err", err)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for l, p := range rows {
		l.saved = p
	}
}

// forgetProgress deletes the row of a receiver that is no more.
func (c *caller) forgetProgress(l *leg) {
	key := l.key()
	c.running.Go(func() {
		if err := c.store.Update(context.Background(), func(tx *datastore.Tx) error {
			tx.Delete(progressTable, key)
			return nil
		}); err != nil {
			c.config.Log.Error("the progress of a receiver cannot be deleted", "err", err)
		}
	})
}
