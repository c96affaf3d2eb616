package journal

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
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

// Trim takes from each stream the records that its Retention does not keep at the time
// now, deletes those that no stream keeps, and returns how many NETCONF has lost. It
// takes turns with the writer, in transactions of bounded size, and is meant to be called
// now and then in the background. Between two of them it looks at ctx.
func (j *Journal) Trim(ctx context.Context, now time.Time) (int, error) {
	j.trimming.Lock()
	defer j.trimming.Unlock()
	removed := 0
	err := j.count()
	for n := -1; n != 0 && err == nil; removed += max(n, 0) {
		if n, err = 0, ctx.Err(); err == nil {
			n, err = j.trimNETCONF(now)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(j.logs)) {
		for more := true; more && err == nil; {
			if err = ctx.Err(); err == nil {
				more, err = j.trimLog(name, now)
			}
		}
	}
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("journal: trim: %w", err)
	}
	return removed, err
}

// count writes how much the logs have, so that Open need not count it.
func (j *Journal) count() error {
	j.mu.RLock()
	last := j.last
	rows := map[string][]byte{}
	for name, l := range j.logs {
		rows[name] = l.row(l.bytes)
	}
	j.mu.RUnlock()
	counted := uint64(0)
	if err := j.db.View(func(r *kv.Reader) (err error) {
		counted, err = countedIn(r)
		return err
	}); err != nil || counted == last {
		return err
	}
	return j.db.Update(func(w *kv.Writer) error {
		for name, row := range rows {
			if err := w.Put(infoTable, []byte(logPrefix+name), row); err != nil {
				return err
			}
		}
		return w.Put(infoTable, countedKey, key(last))
	})
}

// trimNETCONF takes a chunk from NETCONF, none when it returns 0.
func (j *Journal) trimNETCONF(now time.Time) (int, error) {
	c, err := j.findCut(now)
	if err != nil || c.first == c.to {
		return 0, err
	}
	return int(c.to - c.first), j.cut(c)
}

// cut is a chunk of records that NETCONF gives up: those from first on, before to.
type cut struct {
	first, to uint64
	offset    uint64    // of to
	aged      time.Time // of the last one before to
}

// findCut finds the next chunk to give up, an empty one if there is none. Only
// published records are looked at, and nobody else deletes.
func (j *Journal) findCut(now time.Time) (c cut, err error) {
	j.mu.RLock()
	first, last, offset, end, retain := j.first, j.last, j.offset, j.end, j.retain
	j.mu.RUnlock()
	err = j.db.View(func(r *kv.Reader) error {
		to, err := search(r, first, last, func(h head) bool { return !retain.expired(now.Sub(h.time), end-h.offset) })
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

// cut gives up a chunk, and deletes what of it no other stream keeps.
func (j *Journal) cut(c cut) error {
	if err := j.db.Update(func(w *kv.Writer) error {
		var gone []uint64
		for k, row := range w.Scan(table, key(c.first), key(c.to)) {
			seq, err := unkey(k)
			if err != nil {
				return err
			}
			stream, err := streamOf(row)
			if err != nil {
				return err
			}
			if l := j.logs[stream]; l == nil || seq < l.floor { // only Trim writes floor
				gone = append(gone, seq)
			}
		}
		if err := deleteRows(w, gone); err != nil {
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

// deleteRows deletes rows that are in order, runs of them at once.
func deleteRows(w *kv.Writer, seqs []uint64) error {
	for len(seqs) > 0 {
		n := 1
		for n < len(seqs) && seqs[n] == seqs[0]+uint64(n) {
			n++
		}
		if _, err := w.DeleteRange(table, key(seqs[0]), key(seqs[0]+uint64(n))); err != nil {
			return err
		}
		seqs = seqs[n:]
	}
	return nil
}

// trimLog takes a chunk from a stream besides NETCONF; more tells that there may be
// another.
func (j *Journal) trimLog(name string, now time.Time) (more bool, err error) {
	j.mu.RLock()
	l, last, first := *j.logs[name], j.last, j.first
	j.mu.RUnlock()
	var gone []uint64 // rows that NETCONF's retention does not keep either
	var latest []byte // key and row of the last record taken
	taken, bytes, apart := 0, uint64(0), j.apart(name)
	err = j.db.View(func(r *kv.Reader) error {
		looked := 0
		for k, row := range r.Scan(table, key(l.at), key(last+1)) {
			seq, err := unkey(k)
			if err != nil {
				return err
			}
			h, err := decodeHead(row)
			if err != nil {
				return err
			}
			stream, err := streamOf(row)
			if err != nil {
				return err
			}
			if stream == name {
				if !l.retain.expired(now.Sub(h.time), l.bytes-bytes) {
					l.at = seq
					return nil
				}
				taken++
				bytes += rowSize(row)
				l.floor, l.aged = seq+1, h.time
				if apart {
					latest = append(append(latest[:0], k...), row...)
				}
				if seq < first {
					gone = append(gone, seq)
				}
			}
			l.at = seq + 1
			if looked++; looked == trimRecords || bytes > trimBytes {
				more = true
				return nil
			}
		}
		l.at = last + 1
		return nil
	})
	if err != nil {
		return false, err
	}
	if taken > 0 {
		err = j.db.Update(func(w *kv.Writer) error {
			if err := deleteRows(w, gone); err != nil {
				return err
			}
			if apart {
				if err := w.Put(infoTable, lastKey(name), latest); err != nil {
					return err
				}
			}
			k := []byte(logPrefix + name)
			var stored log
			counted, err := stored.parse(w.Get(infoTable, k)) // count has written it
			if err != nil {
				return err
			}
			return w.Put(infoTable, k, l.row(counted-bytes))
		})
		if err != nil {
			return false, err
		}
	}
	j.trimmed.Add(uint64(taken))
	j.mu.Lock()
	defer j.mu.Unlock()
	to := j.logs[name]
	to.floor, to.aged, to.at = l.floor, l.aged, l.at
	to.bytes -= bytes
	return more, nil
}

// lastKey is the key of the last record that retention took from a stream apart.
func lastKey(stream string) []byte { return []byte("last " + stream) }

// LastTrimmed is the last record that retention has taken from a stream apart, nil if
// it has taken none. It reads the store.
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
