package journal

import (
	"fmt"
	"time"

	"incidentd/datastore/kv"
)

// stagedRecord is a record in a transaction that has not ended.
type stagedRecord struct {
	*Record
	end   uint64 // the offset behind it
	batch *Batch
}

// Batch is the records of one Stage, until their transaction has ended.
type Batch struct {
	j         *Journal
	records   []*Record
	published bool
}

// Stage writes records into the caller's transaction. It may be called several
// times in one transaction, and in the next one only after the batches of this
// one are published or discarded. Records get the time now, or that of the record
// before them if the clock was set back. It answers ErrStream, or the error of
// the store; then the transaction must not be committed, and there is no batch.
func (j *Journal) Stage(w *kv.Writer, now time.Time, drafts []Draft) (*Batch, error) {
	last, t, end := j.tip()
	if now := stamp(now); now.After(t) {
		t = now
	}
	before := len(j.staged)
	b := &Batch{j: j, records: make([]*Record, 0, len(drafts))}
	for _, d := range drafts {
		stream, err := j.stream(d.Stream)
		if err != nil {
			j.staged = j.staged[:before]
			return nil, err
		}
		last++
		r := &Record{Seq: last, Time: t, Stream: stream, Name: d.Name, Body: d.Body}
		row := encode(r, end)
		if err := w.Append(table, key(r.Seq), row); err != nil {
			j.staged = j.staged[:before]
			return nil, fmt.Errorf("journal: %w", err)
		}
		end += rowSize(row)
		b.records = append(b.records, r)
		j.staged = append(j.staged, stagedRecord{r, end, b})
	}
	return b, nil
}

// tip is where the next record is appended.
func (j *Journal) tip() (last uint64, t time.Time, end uint64) {
	if n := len(j.staged); n > 0 {
		s := j.staged[n-1]
		return s.Seq, s.Time, s.end
	}
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.last, j.lastTime, j.end
}

// stream is a draft's stream as a record has it, with one string for all.
func (j *Journal) stream(name string) (string, error) {
	if name == "" || name == NETCONF {
		return "", nil
	}
	for _, s := range j.streams {
		if s.Name == name {
			return s.Name, nil
		}
	}
	return "", fmt.Errorf("journal: %w: %q", ErrStream, name)
}

// Records are the records of the batch. Readers see them after Publish.
func (b *Batch) Records() []*Record { return b.records }

// find is the place of the batch in what is staged.
func (b *Batch) find() (int, bool) {
	for i, s := range b.j.staged {
		if s.batch == b {
			return i, true
		}
	}
	return 0, false
}

// Publish shows the records to the readers, and with them those of earlier
// batches of the same transaction. It is called after the transaction was
// committed; calling it again does nothing. It panics when the batch was
// discarded.
func (b *Batch) Publish() {
	if len(b.records) == 0 || b.published {
		return
	}
	at, ok := b.find()
	if !ok {
		panic("journal: Publish of a batch that was discarded")
	}
	j := b.j
	shown := j.staged[:at+len(b.records)]
	j.show(shown)
	rest := copy(j.staged, j.staged[len(shown):])
	clear(j.staged[rest:])
	j.staged = j.staged[:rest]

	j.waking.Lock()
	wake := j.wake
	j.wake = nil
	j.waking.Unlock()
	if wake != nil {
		close(wake)
	}
}

// show moves the end of the journal over what was staged.
func (j *Journal) show(shown []stagedRecord) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, s := range shown {
		if j.first > j.last {
			j.offset = j.end
		}
		if l := j.logs[s.Stream]; l != nil {
			l.bytes += s.end - j.end
		}
		j.last, j.lastTime, j.end = s.Seq, s.Time, s.end
		j.ring.push(s.Record)
		s.batch.published = true
	}
}

// Discard takes back the batch, and with it later batches of the same
// transaction, after the transaction was rolled back or failed. Their sequence
// numbers will be used again. It does nothing after Publish, so it can be
// deferred.
func (b *Batch) Discard() {
	if len(b.records) == 0 {
		return
	}
	if at, ok := b.find(); ok {
		clear(b.j.staged[at:])
		b.j.staged = b.j.staged[:at]
	}
}
