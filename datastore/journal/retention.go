package journal

import (
	"cmp"
	"encoding/binary"
	"time"

	"incidentd/datastore/kv"
)

// Retention is how long a stream keeps its records.
type Retention struct {
	// MaxAge is how old a record may become; 0 means DefaultMaxAge, less than 0 any
	// age.
	MaxAge time.Duration
	// MaxBytes is how many bytes of records are kept, not counting what the store
	// adds; 0 means DefaultMaxBytes, less than 0 any number.
	MaxBytes int64
}

func (r Retention) withDefaults() Retention {
	if r.MaxAge == 0 {
		r.MaxAge = DefaultMaxAge
	}
	if r.MaxBytes == 0 {
		r.MaxBytes = DefaultMaxBytes
	}
	return r
}

// expired reports whether the oldest record of a stream of so many bytes is too much.
func (r Retention) expired(age time.Duration, bytes uint64) bool {
	return r.MaxAge >= 0 && age > r.MaxAge || r.MaxBytes >= 0 && bytes > uint64(r.MaxBytes)
}

// SetRetention says how long streams keep their records, from the next Trim on. What
// it leaves out is what Options say, and else what the stream itself does.
func (j *Journal) SetRetention(streams map[string]Retention) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, s := range j.streams {
		r := streams[s.Name]
		r.MaxAge = cmp.Or(r.MaxAge, j.options.MaxAge, s.Retain.MaxAge)
		r.MaxBytes = cmp.Or(r.MaxBytes, j.options.MaxBytes, s.Retain.MaxBytes)
		if r = r.withDefaults(); s.Name == NETCONF {
			j.retain = r
		} else {
			j.logs[s.Name].retain = r
		}
	}
}

// log is what a stream besides NETCONF keeps of its records. A row is deleted when
// neither its stream nor NETCONF keeps it any more.
type log struct {
	retain Retention
	floor  uint64    // behind the last record that retention has taken
	aged   time.Time // of that record
	at     uint64    // from floor on there is no record of the stream before this one
	bytes  uint64    // of the records kept
}

// floor is the oldest record that a cursor on streams may read; nil and NETCONF stand for
// all streams. The lock is held.
func (j *Journal) floor(streams []string) uint64 {
	floor := uint64(0)
	for _, s := range streams {
		if l := j.logs[s]; l != nil {
			floor = max(floor, l.floor)
		}
	}
	if floor == 0 {
		return j.first
	}
	return floor
}

// The rows of a log in infoTable: its name after logPrefix to floor, time of aged (0:
// none) and bytes, and counted to the last record that all those bytes count.
const logPrefix = "log/"

var countedKey = []byte("counted")

func (l *log) row(counted uint64) []byte {
	b := binary.BigEndian.AppendUint64(nil, l.floor)
	aged := uint64(0)
	if !l.aged.IsZero() {
		aged = uint64(l.aged.UnixNano())
	}
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, aged), counted)
}

func (l *log) parse(row []byte) (bytes uint64, err error) {
	if len(row) != 24 {
		return 0, damaged("a log of %d bytes", len(row))
	}
	l.floor = binary.BigEndian.Uint64(row)
	if t := binary.BigEndian.Uint64(row[8:]); t != 0 {
		l.aged = decodeTime(row[8:])
	}
	return binary.BigEndian.Uint64(row[16:]), nil
}

// loadLogs reads the logs, and counts the records that came after they were written.
func (j *Journal) loadLogs(r *kv.Reader) error {
	counted, err := countedIn(r)
	if err != nil {
		return err
	}
	for name, l := range j.logs {
		if row := r.Get(infoTable, []byte(logPrefix+name)); row != nil {
			if l.bytes, err = l.parse(row); err != nil {
				return err
			}
		}
		l.at = l.floor
	}
	for k, row := range r.Scan(table, key(counted+1), nil) {
		seq, err := unkey(k)
		if err != nil {
			return err
		}
		stream, err := streamOf(row)
		if err != nil {
			return err
		}
		if l := j.logs[stream]; l != nil && seq >= l.floor {
			l.bytes += rowSize(row)
		}
	}
	return nil
}

func countedIn(r *kv.Reader) (uint64, error) {
	switch v := r.Get(infoTable, countedKey); len(v) {
	case 0:
		return 0, nil
	case 8:
		return binary.BigEndian.Uint64(v), nil
	default:
		return 0, damaged("a count of %d bytes", len(v))
	}
}

// firstIn is the oldest record of NETCONF as a transaction sees it; older rows are those
// that another stream keeps.
func (j *Journal) firstIn(r *kv.Reader) (uint64, error) {
	switch v := r.Get(infoTable, agedKey); len(v) {
	case 0:
		return 1, nil
	case 16:
		return binary.BigEndian.Uint64(v) + 1, nil
	default:
		return 0, damaged("an aged record of %d bytes", len(v))
	}
}

// agedIn is an *AgedError when retention has taken what a cursor on streams wants next.
func (j *Journal) agedIn(r *kv.Reader, streams []string, first, next uint64) error {
	floor := first
	if len(streams) > 0 {
		floor = 1
		for _, s := range streams {
			l := log{floor: 1}
			if row := r.Get(infoTable, []byte(logPrefix+s)); row != nil {
				if _, err := l.parse(row); err != nil {
					return err
				}
			}
			floor = max(floor, l.floor)
		}
	}
	if next < floor {
		return &AgedError{Wanted: next, First: floor}
	}
	return nil
}
