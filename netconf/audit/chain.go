package audit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"incidentd/datastore"
	"incidentd/datastore/journal"
	"incidentd/datastore/kv"
)

const table = "audit"

var headKey = []byte("head")

// head is the last record of a chain; zero before the first.
type head struct {
	number uint64
	hash   [sha256.Size]byte
}

func (h head) text() string { return hex.EncodeToString(h.hash[:]) }

func (h head) encode() []byte {
	return append(binary.BigEndian.AppendUint64(nil, h.number), h.hash[:]...)
}

// loadHead reads the head that is stored beside the stream.
func loadHead(db *kv.DB) (h head, err error) {
	err = db.View(func(r *kv.Reader) (err error) {
		h, err = decodeHead(r.Get(table, headKey))
		return err
	})
	return h, err
}

func decodeHead(v []byte) (h head, err error) {
	switch len(v) {
	case 0:
	case 8 + sha256.Size:
		h.number = binary.BigEndian.Uint64(v)
		copy(h.hash[:], v[8:])
	default:
		return h, fmt.Errorf("audit: %w: a head of %d bytes", kv.ErrDamaged, len(v))
	}
	return h, nil
}

// recordEnd ends the XML of a record. Its hash, which stands before, is that of the XML
// without the element hash.
const recordEnd = "</audit-record>"

// hasHash reports whether a record's XML ends with a hash, and has it.
func hasHash(xml []byte, h head) bool {
	content, found := bytes.CutSuffix(xml, []byte("<hash>"+h.text()+"</hash>"+recordEnd))
	return found && sha256.Sum256(append(bytes.Clone(content), recordEnd...)) == h.hash
}

// Result is what Verify has found.
type Result struct {
	// Records are the good ones, from First to Last, before the first break.
	Records     uint64 `json:"records"`
	First, Last uint64
	// Hash is that of the last good one.
	Hash string `json:"hash"`
	// Break is the first fault, empty when there is none. It says which record is
	// wrong and how.
	Break string `json:"break,omitempty"`
}

// Verify goes through the chain of a store. Records may be added meanwhile. The error is
// that of the store, or of ctx.
func Verify(ctx context.Context, store *datastore.Store, db *kv.DB) (Result, error) {
	for {
		before, err := anchor(store)
		if err != nil {
			return Result{}, err
		}
		r, err := verify(ctx, store, db, before)
		if err != nil || r.Break == "" {
			return r, err
		}
		// Retention may have deleted what the chain began with.
		if after, err := anchor(store); err != nil || after == before {
			return r, err
		}
	}
}

// anchor is the last record that retention has deleted; the zero head if none.
func anchor(store *datastore.Store) (head, error) {
	kept, err := store.Journal().LastTrimmed(Stream)
	if kept == nil || err != nil {
		return head{}, err
	}
	r, err := decode(store.Schema(), kept)
	if err != nil {
		return head{}, fmt.Errorf("audit: %w: the last record that was deleted: %w", kv.ErrDamaged, err)
	}
	return r.head()
}

func verify(ctx context.Context, store *datastore.Store, db *kv.DB, at head) (r Result, err error) {
	r.First = at.number + 1
	end, err := loadHead(db) // before the records: later ones may come
	if err != nil {
		return r, err
	}
	defer func() { r.Last, r.Hash = at.number, at.text() }()
	c := store.Journal().Cursor(0, Stream)
	for at.number < end.number {
		if err := ctx.Err(); err != nil {
			return r, err
		}
		got, err := c.TryNext()
		switch {
		case errors.Is(err, journal.ErrAged), err == nil && got == nil:
			r.Break = fmt.Sprintf("record %d and those after it, up to %d, are missing", at.number+1, end.number)
			return r, nil
		case errors.Is(err, kv.ErrDamaged):
			r.Break = fmt.Sprintf("after record %d: %v", at.number, err)
			return r, nil
		case err != nil:
			return r, err
		}
		next, fault := follow(store, got, at)
		if fault != "" {
			r.Break = fault
			return r, nil
		}
		at = next
		r.Records++
	}
	if at != end {
		r.Break = fmt.Sprintf("record %d is not the one that was stored as the last", at.number)
	}
	return r, nil
}

// follow checks the record after a good one.
func follow(store *datastore.Store, got *journal.Record, at head) (next head, fault string) {
	r, err := decode(store.Schema(), got)
	if err != nil {
		return at, fmt.Sprintf("record %d cannot be read: %v", at.number+1, err)
	}
	if r.Number != at.number+1 {
		return at, fmt.Sprintf("record %d is missing; record %d stands in its place", at.number+1, r.Number)
	}
	if next, err = r.head(); err != nil {
		return at, fmt.Sprintf("record %d cannot be read: %v", r.Number, err)
	}
	switch {
	case !hasHash(got.Body, next):
		return at, fmt.Sprintf("record %d was changed: its content does not have the hash that it states", r.Number)
	case r.PreviousHash != at.text():
		return at, fmt.Sprintf("record %d does not follow record %d, which was changed, or it was put there", r.Number, at.number)
	}
	return next, ""
}
