package kv

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"iter"
	"slices"

	bolt "go.etcd.io/bbolt"
)

// sumSize is the length of the checksum behind each value.
const sumSize = 4

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// seal is a value with its checksum, in memory of its own.
func seal(key, value []byte) []byte {
	b := make([]byte, 0, len(value)+sumSize)
	b = append(b, value...)
	return binary.BigEndian.AppendUint32(b, sum(key, value))
}

// unseal is the value without its checksum, which it checks.
func unseal(key, b []byte) ([]byte, error) {
	n := len(b) - sumSize
	if n < 0 || binary.BigEndian.Uint32(b[n:]) != sum(key, b[:n]) {
		return nil, damaged("the row with the key %q has a wrong checksum", key)
	}
	return b[:n:n], nil
}

func sum(key, value []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, value)
}

// Reader reads one state of the store. It is valid in the function that it was
// given to, and so are keys and values, which must not be changed.
type Reader struct {
	tx     *bolt.Tx
	tables map[string]*bolt.Bucket
	edits  int // by a Writer: cursors have to find their place again
}

func newReader(tx *bolt.Tx) *Reader {
	return &Reader{tx: tx, tables: make(map[string]*bolt.Bucket, 4)}
}

// table is nil when the table is not there.
func (r *Reader) table(name string) *bolt.Bucket {
	b, ok := r.tables[name]
	if !ok {
		defer boltCall()
		if b = r.tx.Bucket([]byte(name)); b != nil {
			r.tables[name] = b
		}
	}
	return b
}

// Tables names the tables that are there, in order.
func (r *Reader) Tables() []string {
	defer boltCall()
	var names []string
	for name := range r.buckets() {
		if name != ownTable {
			names = append(names, name)
		}
	}
	return names
}

func (r *Reader) buckets() iter.Seq[string] {
	return func(yield func(string) bool) {
		c := r.tx.Cursor()
		for k, _ := c.First(); k != nil && yield(string(k)); k, _ = c.Next() {
		}
	}
}

// Get returns the value of a key, nil when it is not there. A value of no bytes
// is not nil.
func (r *Reader) Get(table string, key []byte) []byte {
	b := r.table(table)
	if b == nil || table == ownTable {
		return nil
	}
	return get(b, key)
}

func get(b *bolt.Bucket, key []byte) []byte {
	defer boltCall()
	sealed := b.Get(key)
	if sealed == nil {
		return nil
	}
	return mustUnseal(key, sealed)
}

// mustUnseal panics with damage, which View and Update turn into their error.
func mustUnseal(key, b []byte) []byte {
	v, err := unseal(key, b)
	if err != nil {
		panic(damage{err})
	}
	return v
}

// Scan yields the rows with from <= key < to in ascending order; nil stands for
// the table's end on that side. A Writer may change the table meanwhile: rows
// not yet reached are yielded as they are then.
func (r *Reader) Scan(table string, from, to []byte) iter.Seq2[[]byte, []byte] {
	if table == ownTable {
		return none
	}
	return r.scan(table, from, to)
}

// none is what a table that is not for others yields.
func none(func([]byte, []byte) bool) {}

func (r *Reader) scan(table string, from, to []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func([]byte, []byte) bool) {
		b := r.table(table)
		if b == nil {
			return
		}
		c := b.Cursor()
		k, v := step(c, func() ([]byte, []byte) {
			if from == nil {
				return c.First()
			}
			return c.Seek(from)
		})
		for k != nil && (to == nil || bytes.Compare(k, to) < 0) {
			at, edits := k, r.edits
			if r.tx.Writable() {
				at = slices.Clone(k)
			}
			if !yield(k, v) {
				return
			}
			k, v = step(c, func() ([]byte, []byte) {
				if r.edits == edits {
					return c.Next()
				}
				k, v := c.Seek(at)
				if bytes.Equal(k, at) {
					return c.Next()
				}
				return k, v
			})
		}
	}
}

// ScanBack yields the same rows as Scan in descending order.
func (r *Reader) ScanBack(table string, from, to []byte) iter.Seq2[[]byte, []byte] {
	if table == ownTable {
		return none
	}
	return func(yield func([]byte, []byte) bool) {
		b := r.table(table)
		if b == nil {
			return
		}
		c := b.Cursor()
		k, v := step(c, func() ([]byte, []byte) { return r.before(c, to) })
		for k != nil && (from == nil || bytes.Compare(k, from) >= 0) {
			at, edits := k, r.edits
			if r.tx.Writable() {
				at = slices.Clone(k)
			}
			if !yield(k, v) {
				return
			}
			k, v = step(c, func() ([]byte, []byte) {
				if r.edits == edits && edits == 0 {
					return c.Prev()
				}
				return r.before(c, at)
			})
		}
	}
}

// before moves to the last row whose key is less than to; nil means the last.
//
// In a transaction that has deleted rows, bbolt's cursors stop on their way back
// at each page that became empty, and Last never ends when all are. Knowing that
// there is a row, one can go on until it comes.
func (r *Reader) before(c *bolt.Cursor, to []byte) (k, v []byte) {
	if r.edits > 0 {
		if k, _ := c.First(); k == nil || to != nil && bytes.Compare(k, to) >= 0 {
			return nil, nil
		}
	}
	if to == nil {
		return c.Last()
	}
	if k, _ := c.Seek(to); k == nil {
		return c.Last()
	}
	for {
		if k, v = c.Prev(); k != nil || r.edits == 0 {
			return k, v
		}
	}
}

// step makes one move of a cursor and checks the row.
func step(c *bolt.Cursor, move func() ([]byte, []byte)) (k, v []byte) {
	defer boltCall()
	if k, v = move(); k != nil {
		v = mustUnseal(k, v)
	}
	return k, v
}

// Seek returns the first row with a key >= from, nil if there is none.
func (r *Reader) Seek(table string, from []byte) (key, value []byte) {
	for k, v := range r.Scan(table, from, nil) {
		return k, v
	}
	return nil, nil
}

// First returns the row with the lowest key, nil if the table is empty.
func (r *Reader) First(table string) (key, value []byte) { return r.Seek(table, nil) }

// Last returns the row with the highest key, nil if the table is empty.
func (r *Reader) Last(table string) (key, value []byte) {
	for k, v := range r.ScanBack(table, nil, nil) {
		return k, v
	}
	return nil, nil
}

// Writer is a Reader that sees what it has written. When one of its methods
// fails, the whole transaction will.
type Writer struct {
	Reader
	put uint64
	err error
}

// fail keeps the first error.
func (w *Writer) fail(err error) error {
	if w.err == nil {
		w.err = err
	}
	return err
}

// Put sets the value of a key and creates the table if need be. Key and value
// are copied. It answers ErrKey or ErrTable. Keys in ascending order are faster.
func (w *Writer) Put(table string, key, value []byte) error {
	_, err := w.insert(table, key, value)
	return err
}

// Append is Put for a table whose keys only ever ascend: it fills the pages
// instead of leaving room in each for keys in between.
func (w *Writer) Append(table string, key, value []byte) error {
	b, err := w.insert(table, key, value)
	if err == nil {
		b.FillPercent = 0.98
	}
	return err
}

func (w *Writer) insert(table string, key, value []byte) (*bolt.Bucket, error) {
	if len(key) == 0 || len(key) > MaxKey {
		return nil, w.fail(fmt.Errorf("table %s: %w: %d bytes", table, ErrKey, len(key)))
	}
	b, err := w.make(table)
	if err != nil {
		return nil, w.fail(err)
	}
	defer boltCall()
	if err := b.Put(key, seal(key, value)); err != nil {
		return nil, w.fail(fmt.Errorf("table %s: %w", table, err))
	}
	w.edits++
	w.put += uint64(len(key) + len(value))
	return b, nil
}

// make finds or creates a table.
func (w *Writer) make(name string) (*bolt.Bucket, error) {
	if name == "" || name == ownTable || len(name) > MaxKey {
		return nil, fmt.Errorf("%w: %q", ErrTable, name)
	}
	if b := w.table(name); b != nil {
		return b, nil
	}
	defer boltCall()
	b, err := w.tx.CreateBucket([]byte(name))
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", name, err)
	}
	w.tables[name] = b
	return b, nil
}

// Delete removes a key; one that is not there is no error.
func (w *Writer) Delete(table string, key []byte) error {
	b := w.table(table)
	if b == nil || table == ownTable {
		return nil
	}
	defer boltCall()
	if err := b.Delete(key); err != nil {
		return w.fail(fmt.Errorf("table %s: %w", table, err))
	}
	w.edits++
	return nil
}

// DeleteRange removes the rows with from <= key < to, nil standing for the
// table's end on that side, and returns how many there were. The work is done
// in this transaction: chunk what is large.
func (w *Writer) DeleteRange(table string, from, to []byte) (int, error) {
	n := 0
	for k := range w.Scan(table, from, to) {
		if err := w.Delete(table, k); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
