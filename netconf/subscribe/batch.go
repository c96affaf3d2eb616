package subscribe

import (
	"math/bits"
	"slices"
	"sync"

	"incidentd/datastore/journal"
	"incidentd/netconf/transport"
)

// batchBytes is about how much is sent at once: two packets of SSH.
const batchBytes = 64 << 10

// room is about how long the message of a record is, with its framing.
func room(r *journal.Record) int { return len(r.Body) + 160 }

// border is how many of the records behind a first one are sent together with it, when
// the last of them has no room any more: those before the roundest sequence number. So all
// who have more to send than there is room for soon have the same borders.
func border(first *journal.Record, more []*journal.Record) (n int) {
	roundest := 0
	for i, r := range more {
		if round := bits.Len64(first.Seq ^ r.Seq); round >= roundest {
			n, roundest = i, round
		}
		first = r
	}
	return n
}

// keptBatches is how many batches are found again, if their records have no more than
// keptBytes.
const keptBatches = 256

// batch is the events of records that follow each other in a stream.
type batch struct {
	events []*Event
	size   int // about how long their messages are

	mu         sync.Mutex
	selections []*selection // mu
}

// batch is that of some records, the same one for all subscriptions that come to them at
// about the same time.
func (es *events) batch(records []*journal.Record) *batch {
	es.mu.Lock()
	defer es.mu.Unlock()
	slot := &es.batches[records[0].Seq/16%keptBatches]
	if b := *slot; b != nil && slices.EqualFunc(b.events, records, func(e *Event, r *journal.Record) bool { return e.seq == r.Seq }) {
		return b
	}
	b := &batch{events: make([]*Event, len(records))}
	for i, r := range records {
		b.events[i] = es.getLocked(r)
		b.size += room(r)
	}
	es.keepLocked(slot, b)
	return b
}

func (es *events) keepLocked(slot **batch, b *batch) {
	if *slot != nil {
		es.batchedBytes -= (*slot).size
	}
	*slot = b
	if es.batchedBytes += b.size; es.batchedBytes > keptBytes {
		clear(es.batches[:])
		es.batchedBytes = 0
	}
}

// keptSelections is how many selections of a batch are found again.
const keptSelections = 16

// of is the selection of those events of the batch that have passed a filter and the
// receiver's rights, the same one for all subscriptions where the same ones have. The
// slice is not kept.
func (b *batch) of(passed []*Event) *selection {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.selections {
		if slices.Equal(s.events, passed) {
			return s
		}
	}
	events := b.events
	if len(passed) < len(events) {
		events = slices.Clone(passed)
	}
	s := newSelection(events)
	if len(b.selections) < keptSelections {
		b.selections = append(b.selections, s)
	}
	return s
}

// selection is events that are sent together. Each of its forms is made once.
type selection struct {
	events  []*Event
	encoded [encodings]func() *messages
}

func newSelection(events []*Event) *selection {
	s := &selection{events: events}
	for i := range s.encoded {
		s.encoded[i] = sync.OnceValue(func() *messages {
			list := make([]*message, 0, len(events))
			for _, e := range events {
				if m := e.message[i](); m != nil {
					list = append(list, m)
				}
			}
			return newMessages(list...)
		})
	}
	return s
}

// messages are notification messages that are sent together.
type messages struct {
	list  []*message
	batch *transport.Batch // of the same, without headers of subscriptions
}

func newMessages(list ...*message) *messages {
	texts := make([][]byte, len(list))
	for i, m := range list {
		texts[i] = m.text
	}
	return &messages{list, transport.NewBatch(texts)}
}
