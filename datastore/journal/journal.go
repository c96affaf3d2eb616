package journal

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"incidentd/datastore/kv"
)

// The tables of the journal and the keys of the second one.
const (
	table     = "journal"
	infoTable = "journal-info"
)

var (
	createdKey = []byte("created")
	agedKey    = []byte("aged")
)

// NETCONF is the stream that has all records [RFC 5277 section 3.2.3] but those of
// streams apart.
const NETCONF = "NETCONF"

// Stream is one of the streams that can be subscribed to.
type Stream struct {
	Name        string
	Description string
	// Apart says that NETCONF does not have the stream's records [RFC 8639 section
	// 2.1], and that the last one which retention has deleted is remembered, see
	// Journal.LastTrimmed.
	Apart bool
	// Retain is what Options leave out of the stream's Retention.
	Retain Retention
}

// DefaultStreams are the streams besides NETCONF if Options names none.
func DefaultStreams() []Stream {
	return []Stream{
		{Name: "incidents", Description: "Incidents: raised, updated and cleared."},
		{Name: "alarms", Description: "Alarms: their changes, and those of the alarm inventory."},
		{Name: "oam", Description: "OAM tests: their progress and results."},
		{Name: "audit", Description: "Who did what, chained by hashes. NETCONF does not have it.", Apart: true, Retain: Retention{MaxAge: DefaultAuditAge}},
	}
}

// The defaults of Options.
const (
	DefaultMaxAge      = 7 * 24 * time.Hour
	DefaultAuditAge    = 90 * 24 * time.Hour
	DefaultMaxBytes    = 1 << 30
	DefaultRingRecords = 16384
	DefaultRingBytes   = 16 << 20
)

// Options of Open; the zero value works.
type Options struct {
	// Streams are those besides NETCONF; nil means DefaultStreams.
	Streams []Stream

	// MaxAge and MaxBytes are the Retention of each stream until SetRetention says
	// otherwise; 0 means what the stream itself says.
	MaxAge   time.Duration
	MaxBytes int64

	// RingRecords and RingBytes bound the latest records that are kept in
	// memory; 0 means DefaultRingRecords and DefaultRingBytes, less than 0 none.
	RingRecords, RingBytes int
}

// withDefaults fills in what is left out.
func (o Options) withDefaults() Options {
	if o.Streams == nil {
		o.Streams = DefaultStreams()
	}
	if o.RingRecords == 0 {
		o.RingRecords = DefaultRingRecords
	}
	if o.RingBytes == 0 {
		o.RingBytes = DefaultRingBytes
	}
	return o
}

// Journal is the journal of one store. It needs no closing; the store does.
type Journal struct {
	db      *kv.DB
	options Options
	streams []Stream
	created time.Time

	staged []stagedRecord // not yet published; of the writer

	mu       sync.RWMutex
	logs     map[string]*log // of the streams besides NETCONF
	retain   Retention       // of NETCONF
	first    uint64          // the oldest record of NETCONF, last+1 if there is none
	offset   uint64          // of first
	last     uint64          // the last published record, 0 before the first one
	lastTime time.Time
	end      uint64    // the offset behind last
	aged     time.Time // of the last deleted record
	ring     ring

	waking sync.Mutex
	wake   chan struct{} // closed by the next Publish; nil if nobody waits

	trimming sync.Mutex

	trimmed, diskReads atomic.Uint64
}

// Open opens the journal in a store and creates it there if need be.
func Open(db *kv.DB, o Options) (*Journal, error) {
	o = o.withDefaults()
	j := &Journal{db: db, options: o, logs: map[string]*log{}}
	j.streams = append([]Stream{{Name: NETCONF, Description: "All notifications."}}, o.Streams...)
	for _, s := range o.Streams {
		j.logs[s.Name] = &log{floor: 1, at: 1}
	}
	j.SetRetention(nil)
	j.ring = ring{maxBytes: max(o.RingBytes, 0), buf: make([]*Record, max(o.RingRecords, 1))}
	if o.RingRecords < 0 {
		j.ring.maxBytes = 0
	}
	if err := db.View(j.load); err != nil {
		return nil, err
	}
	if j.created.IsZero() {
		now := stamp(time.Now())
		if err := db.Update(func(w *kv.Writer) error {
			return w.Put(infoTable, createdKey, binary.BigEndian.AppendUint64(nil, uint64(now.UnixNano())))
		}); err != nil {
			return nil, fmt.Errorf("journal: %w", err)
		}
		j.created = now
	}
	return j, nil
}

// stamp is a time as a record keeps it.
func stamp(t time.Time) time.Time { return time.Unix(0, t.UnixNano()).UTC() }

// load reads where the journal begins and ends.
func (j *Journal) load(r *kv.Reader) error {
	switch v := r.Get(infoTable, createdKey); len(v) {
	case 0:
	case 8:
		j.created = decodeTime(v)
	default:
		return damaged("creation time of %d bytes", len(v))
	}
	switch v := r.Get(infoTable, agedKey); len(v) {
	case 0:
	case 16:
		j.last = binary.BigEndian.Uint64(v)
		j.aged = decodeTime(v[8:])
		j.lastTime = j.aged
	default:
		return damaged("an aged record of %d bytes", len(v))
	}
	j.first = j.last + 1
	if k, row := r.Last(table); k != nil {
		last, h, err := decodeRow(k, row)
		if err != nil {
			return err
		}
		if last >= j.first {
			j.last, j.lastTime, j.end = last, h.time, h.offset+rowSize(row)
			if h, err = readHead(r, j.first); err != nil {
				return err
			}
			if h.offset > j.end {
				return damaged("the offset %d of record %d is beyond the end", h.offset, j.first)
			}
			j.offset = h.offset
		}
	}
	return j.loadLogs(r)
}

func decodeRow(k, row []byte) (seq uint64, h head, err error) {
	if seq, err = unkey(k); err == nil {
		h, err = decodeHead(row)
	}
	return seq, h, err
}

// apart reports whether a stream is apart.
func (j *Journal) apart(stream string) bool {
	if stream == "" {
		return false
	}
	i := slices.IndexFunc(j.streams, func(s Stream) bool { return s.Name == stream })
	return i >= 0 && j.streams[i].Apart
}

// Streams are NETCONF and the others, with their descriptions.
func (j *Journal) Streams() []Stream { return slices.Clone(j.streams) }

// First is the sequence number of the oldest record that NETCONF has, Last()+1 if
// there is none.
func (j *Journal) First() uint64 {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.first
}

// Last is the sequence number of the last published record, kept or not; 0 if
// there has been none.
func (j *Journal) Last() uint64 {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.last
}

// CreationTime is when the journal was created: the replayLogCreationTime of
// RFC 5277 section 3.2.5.1.
func (j *Journal) CreationTime() time.Time { return j.created }

// AgedTime is the time of the last record that retention has taken from a stream, zero
// if it has taken none: the replayLogAgedTime of RFC 5277 section 3.2.5.1.
func (j *Journal) AgedTime(stream string) time.Time {
	j.mu.RLock()
	defer j.mu.RUnlock()
	if l := j.logs[stream]; l != nil {
		return l.aged
	}
	return j.aged
}

// FindTime is the sequence number of the first record that is not before t and that a
// stream may have, Last()+1 if there is none. It reads the store.
func (j *Journal) FindTime(t time.Time, stream string) (seq uint64, err error) {
	j.mu.RLock()
	first, last := j.floor([]string{stream}), j.last
	j.mu.RUnlock()
	err = j.db.View(func(r *kv.Reader) error {
		seq, err = search(r, first, last, func(h head) bool { return !h.time.Before(t) })
		return err
	})
	return seq, err
}

// search is the first record of which ok, last+1 if there is none; ok is false
// up to some record and true from there on. A record that is not there counts as the
// next one that is.
func search(r *kv.Reader, first, last uint64, ok func(head) bool) (uint64, error) {
	var failed error
	n := sort.Search(int(last+1-min(first, last+1)), func(i int) bool {
		seq := first + uint64(i)
		row := r.Get(table, key(seq))
		if row == nil {
			var k []byte
			if k, row = r.Seek(table, key(seq)); k == nil {
				return true
			}
		}
		if failed != nil {
			return false
		}
		h, err := decodeHead(row)
		if err != nil {
			failed = err
		}
		return err == nil && ok(h)
	})
	return first + uint64(n), failed
}

// Stats are figures of a journal.
type Stats struct {
	Records   uint64 // of NETCONF
	Bytes     uint64 // of those, as MaxBytes counts them
	Trimmed   uint64 // records that retention has taken from a stream since Open
	DiskReads uint64 // chunks that cursors have read from the store since Open
}

// Stats returns the figures.
func (j *Journal) Stats() Stats {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return Stats{
		Records:   j.last + 1 - j.first,
		Bytes:     j.end - j.offset,
		Trimmed:   j.trimmed.Load(),
		DiskReads: j.diskReads.Load(),
	}
}
