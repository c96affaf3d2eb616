package journal

import (
	"context"
	"slices"

	"incidentd/datastore/kv"
)

// How much a cursor takes at once. The first bounds how long it holds the
// journal's lock or a transaction, the second what it holds in memory. Cursors stop at the
// same multiples of the first, so that their readers can share what they make of a chunk.
const (
	chunkRecords = 256
	chunkBytes   = 256 << 10
)

// Cursor reads the records in order, from one on. It belongs to one goroutine
// and needs no closing.
type Cursor struct {
	j       *Journal
	streams []string // nil: all that are not apart
	next    uint64   // the next to be looked at; 0: the oldest kept
	chunk   []*Record
	at      int   // the next of the chunk
	bytes   int   // of the chunk
	behind  error // what comes after the chunk cannot be read
}

// Cursor makes a cursor at the record from, which may be yet to come; 0 means
// the oldest that is kept at the first reading, and Last()+1 what is published
// from now on. It gives the records of the streams that are named, or those of all that
// are not apart if none or NETCONF is among them.
func (j *Journal) Cursor(from uint64, streams ...string) *Cursor {
	if slices.Contains(streams, NETCONF) {
		streams = nil
	}
	return &Cursor{j: j, next: from, streams: slices.Clone(streams)}
}

// Seek moves the cursor as Journal.Cursor places it.
func (c *Cursor) Seek(from uint64) {
	c.chunk, c.at, c.next, c.behind = nil, 0, from, nil
}

// Next returns the next record and waits for one if need be. It answers the
// error of ctx, an *AgedError if what comes next is deleted, or an error of the
// store; the cursor stays where it is and can be used again.
func (c *Cursor) Next(ctx context.Context) (*Record, error) {
	for {
		r, err := c.poll(ctx)
		if r != nil || err != nil {
			return r, err
		}
		// Nothing is missed that is published from here on.
		wake := c.j.waker()
		if r, err := c.poll(ctx); r != nil || err != nil {
			return r, err
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// TryNext is Next without waiting: nil if there is no record now. It may read
// the store.
func (c *Cursor) TryNext() (*Record, error) { return c.poll(context.Background()) }

// AtHand are the next records, as far as the cursor has them already. They are valid until
// the next call of another method.
func (c *Cursor) AtHand() []*Record { return c.chunk[c.at:] }

// Skip passes over the first n records of AtHand.
func (c *Cursor) Skip(n int) {
	clear(c.chunk[c.at : c.at+n])
	c.at += n
}

// Fill looks for more records when none are at hand. An error comes with the next
// reading.
func (c *Cursor) Fill() {
	if err := c.fill(context.Background()); err != nil {
		c.behind = err
	}
}

// waker is closed by the next Publish.
func (j *Journal) waker() <-chan struct{} {
	j.waking.Lock()
	defer j.waking.Unlock()
	if j.wake == nil {
		j.wake = make(chan struct{})
	}
	return j.wake
}

// poll returns the next record, nil if there is none.
func (c *Cursor) poll(ctx context.Context) (*Record, error) {
	if err := c.fill(ctx); err != nil || len(c.AtHand()) == 0 {
		return nil, err
	}
	r := c.chunk[c.at]
	c.Skip(1)
	return r, nil
}

// fill takes a chunk when the last one is used up, if there is any.
func (c *Cursor) fill(ctx context.Context) error {
	for c.at == len(c.chunk) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := c.behind; err != nil {
			c.behind = nil
			return err
		}
		c.chunk, c.at, c.bytes = c.chunk[:0], 0, 0
		done, last, err := c.fromRing()
		if err == nil && !done {
			err = c.fromDisk(last)
		}
		if len(c.chunk) > 0 {
			c.behind = err
			return nil
		}
		if err != nil || done && c.next > last {
			return err
		}
	}
	return nil
}

// take adds a record to the chunk and tells whether there is room for more.
func (c *Cursor) take(r *Record) bool {
	c.chunk = append(c.chunk, r)
	c.bytes += weight(r)
	return c.bytes < chunkBytes
}

// fromRing looks at the records in memory. It is not done if the next one is on
// disk only.
func (c *Cursor) fromRing() (done bool, last uint64, err error) {
	j := c.j
	j.mu.RLock()
	defer j.mu.RUnlock()
	floor := j.floor(c.streams)
	if c.next == 0 {
		c.next = floor
	}
	switch {
	case c.next < floor:
		return true, j.last, &AgedError{Wanted: c.next, First: floor}
	case c.next > j.last:
		return true, j.last, nil
	case j.ring.n == 0 || c.next < j.ring.at(0).Seq:
		return false, j.last, nil
	}
	i := int(c.next - j.ring.at(0).Seq)
	for end := min(j.ring.n, i+chunkRecords-int(c.next%chunkRecords)); i < end; i++ {
		r := j.ring.at(i)
		c.next = r.Seq + 1
		if c.wants(r.Stream) && !c.take(r) {
			break
		}
	}
	return true, j.last, nil
}

// wants tells whether the cursor gives the records of a stream.
func (c *Cursor) wants(stream string) bool {
	if c.streams == nil {
		return !c.j.apart(stream)
	}
	return slices.Contains(c.streams, stream)
}

// fromDisk reads a chunk of the records up to last, of which there is one.
func (c *Cursor) fromDisk(last uint64) error {
	c.j.diskReads.Add(1)
	wanted := func(stream []byte) bool { return c.wants(string(stream)) }
	return c.j.db.View(func(r *kv.Reader) error {
		first, err := c.j.firstIn(r)
		if err != nil {
			return err
		}
		if err := c.j.agedIn(r, c.streams, first, c.next); err != nil {
			return err
		}
		for k, row := range r.Scan(table, key(c.next), key(last+1)) {
			seq, err := unkey(k)
			if err != nil {
				return err
			}
			if seq != c.next && seq > first {
				return damaged("record %d is missing", max(c.next, first))
			}
			record, err := decode(seq, row, wanted)
			if err != nil {
				return err
			}
			c.next = seq + 1
			full := record != nil && !c.take(record)
			if full || c.next%chunkRecords == 0 {
				return nil
			}
		}
		if c.next <= last && first <= last {
			return damaged("record %d is missing", max(c.next, first))
		}
		c.next = last + 1
		return nil
	})
}
