package journal

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"incidentd/datastore/kv"
)

// How much one transaction of Trim deletes at most, so that the writer does not
// wait long: records, or bytes if these come first, but always one record.
const (
	trimRecords = 1000
	trimBytes   = 4 << 20
)

// Trim deletes the records that are older than MaxAge at the time now, and the
// oldest ones beyond MaxBytes, and returns how many. It takes turns with the
// writer, in transactions of bounded size, and is meant to be called now and then
// in the background. Between two of them it looks at ctx.
func (j *Journal) Trim(ctx context.Context, now time.Time) (int, error) {
	j.trimming.Lock()
	defer j.trimming.Unlock()
	removed := 0
	for {
		if err := ctx.Err(); err != nil {
			return removed, err
		}
		c, err := j.findCut(now)
		if err != nil {
			return removed, fmt.Errorf("journal: trim: %w", err)
		}
		if c.first == c.to {
			return removed, nil
		}
		if err := j.cut(c); err != nil {
			return removed, fmt.Errorf("journal: trim: %w", err)
		}
		removed += int(c.to - c.first)
	}
}

// cut is a chunk of records to delete: those from first on, before to.
type cut struct {
	first, to uint64
	offset    uint64    // of to
	aged      time.Time // of the last one before to
}

// findCut finds the next chunk to delete, an empty one if there is none. Only
// published records are looked at, and nobody else deletes.
func (j *Journal) findCut(now time.Time) (c cut, err error) {
	j.mu.RLock()
	first, last, offset, end := j.first, j.last, j.offset, j.end
	j.mu.RUnlock()
	o := j.options
	err = j.db.View(func(r *kv.Reader) error {
		to, err := search(r, first, last, func(h head) bool {
			young := o.MaxAge < 0 || now.Sub(h.time) <= o.MaxAge
			return young && (o.MaxBytes < 0 || end-h.offset <= uint64(o.MaxBytes))
		})
		if err != nil {
			return err
		}
		if c = (cut{first: first, to: min(to, first+trimRecords)}); c.first == c.to {
			return nil
		}
		small, err := search(r, first, c.to-1, func(h head) bool { return h.offset-offset > trimBytes })
		if err != nil {
			return err
		}
		c.to = max(small, first+1)
		c.offset = end
		if c.to <= last {
			h, err := readHead(r, c.to)
			if err != nil {
				return err
			}
			c.offset = h.offset
		}
		h, err := readHead(r, c.to-1)
		c.aged = h.time
		return err
	})
	return c, err
}

func readHead(r *kv.Reader, seq uint64) (head, error) {
	row := r.Get(table, key(seq))
	if row == nil {
		return head{}, damaged("record %d is missing", seq)
	}
	return decodeHead(row)
}

// cut deletes a chunk.
func (j *Journal) cut(c cut) error {
	if err := j.db.Update(func(w *kv.Writer) error {
		if err := j.remember(w, c); err != nil {
			return err
		}
		if _, err := w.DeleteRange(table, key(c.first), key(c.to)); err != nil {
			return err
		}
		v := binary.BigEndian.AppendUint64(nil, c.to-1)
		return w.Put(infoTable, agedKey, binary.BigEndian.AppendUint64(v, uint64(c.aged.UnixNano())))
	}); err != nil {
		return err
	}
	j.trimmed.Add(c.to - c.first)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.first, j.offset, j.aged = c.to, c.offset, c.aged
	j.ring.trim(c.to)
	return nil
}

// lastKey is the key of the last deleted record of a stream apart.
func lastKey(stream string) []byte { return []byte("last " + stream) }

// remember keeps the last record of each stream apart that a chunk has.
func (j *Journal) remember(w *kv.Writer, c cut) error {
	last := map[string][]byte{}
	for k, row := range w.Scan(table, key(c.first), key(c.to)) {
		stream, _, err := decodeText(row[min(headSize, len(row)):])
		if err != nil {
			return err
		}
		if j.apart(string(stream)) {
			last[string(stream)] = slices.Concat(k, row)
		}
	}
	for stream, v := range last {
		if err := w.Put(infoTable, lastKey(stream), v); err != nil {
			return err
		}
	}
	return nil
}

// LastTrimmed is the last record of a stream apart that retention has deleted, nil if
// it has deleted none. It reads the store.
func (j *Journal) LastTrimmed(stream string) (r *Record, err error) {
	err = j.db.View(func(v *kv.Reader) error {
		kept := v.Get(infoTable, lastKey(stream))
		if kept == nil {
			return nil
		}
		seq, err := unkey(kept[:min(8, len(kept))])
		if err != nil {
			return err
		}
		r, err = decode(seq, kept[8:], func([]byte) bool { return true })
		return err
	})
	return r, err
}
