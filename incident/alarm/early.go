package alarm

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strconv"
	"time"

	"incidentd/datastore"
	"incidentd/incident/event"
)

// A clear may overtake its raise on the way. One that finds nothing to clear is kept for a
// while: a raise that happened before it and comes after it is over at once. The correlator
// does the same, for as long (leaf lateness of incidentd-correlation).

const (
	// earlyRows begins the keys of such clears in the table; the alarm's key follows. A row has the
	// time of the clear and that at which it was told.
	earlyRows = "early/"
	// mostEarly bounds them.
	mostEarly = 4096
	// defaultLateness is the default of the leaf.
	defaultLateness = 5 * time.Minute
)

// lateness is how long a clear is kept.
func (e *Edit) lateness() time.Duration {
	text := e.tx.Running().Child("correlation").Child("timing").Leaf("lateness")
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Duration(ms) * time.Millisecond
	}
	return defaultLateness
}

// keepEarly keeps a clear that found nothing to clear.
func (e *Edit) keepEarly(k Key, at, told time.Time) {
	wait := e.lateness()
	if wait == 0 {
		return
	}
	if e.a.countEarly(e.tx) >= mostEarly {
		e.dropEarly(told.Add(-wait))
	}
	key := []byte(earlyRows + k.text())
	if e.tx.Get(tableAlarms, key) == nil {
		e.a.early++
		e.tx.OnAbort(func() { e.a.early = -1 })
	}
	row := binary.BigEndian.AppendUint64(nil, uint64(at.UnixNano()))
	e.tx.Put(tableAlarms, key, binary.BigEndian.AppendUint64(row, uint64(told.UnixNano())))
}

// overtaken takes the clear that has overtaken a raise; false if none has.
func (e *Edit) overtaken(k Key, raised, told time.Time) (cleared time.Time, ok bool) {
	if e.a.countEarly(e.tx) == 0 {
		return cleared, false
	}
	key := []byte(earlyRows + k.text())
	row := e.tx.Get(tableAlarms, key)
	if len(row) != 16 {
		return cleared, false
	}
	at, since := time.Unix(0, int64(binary.BigEndian.Uint64(row))).UTC(), time.Unix(0, int64(binary.BigEndian.Uint64(row[8:])))
	e.tx.Delete(tableAlarms, key)
	e.a.early--
	e.tx.OnAbort(func() { e.a.early = -1 })
	return at, raised.Before(at) && told.Sub(since) <= e.lateness()
}

// countEarly is how many clears are kept, which are counted when nobody knows.
func (a *Alarms) countEarly(tx *datastore.Tx) int {
	if a.early < 0 {
		a.early = 0
		for range tx.Scan(tableAlarms, []byte(earlyRows), earlyEnd) {
			a.early++
		}
	}
	return a.early
}

// earlyEnd is behind all keys of earlyRows.
var earlyEnd = []byte("early0")

// dropEarly drops the clears that were told before a time, and where those that are left are too
// many, the older half of them.
func (e *Edit) dropEarly(before time.Time) {
	type kept struct {
		key  []byte
		told uint64
	}
	var all []kept
	for k, v := range e.tx.Scan(tableAlarms, []byte(earlyRows), earlyEnd) {
		r := kept{key: slices.Clone(k)}
		if len(v) == 16 {
			r.told = binary.BigEndian.Uint64(v[8:])
		}
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b kept) int { return cmp.Compare(a.told, b.told) })
	gone, _ := slices.BinarySearchFunc(all, uint64(before.UnixNano()), func(r kept, t uint64) int { return cmp.Compare(r.told, t) })
	if len(all)-gone >= mostEarly {
		gone += (len(all) - gone) / 2
	}
	for _, r := range all[:gone] {
		e.tx.Delete(tableAlarms, r.key)
	}
	e.a.early -= gone
	e.tx.OnAbort(func() { e.a.early = -1 })
}

// clearEarly ends an alarm that was raised a moment ago, if its clear came before it.
func (e *Edit) clearEarly(t *touched, raised, told time.Time) {
	at, ok := e.overtaken(t.key, raised, told)
	if !ok {
		return
	}
	before := e.severity(t)
	e.change(t, at, event.Cleared, value(t.is, e.at(t).text))
	e.announce(t, before, event.Cleared)
}
