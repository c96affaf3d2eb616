package device

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"incidentd/datastore/kv"
	"incidentd/incident/event"
)

// mostKnown is how many active alarms of a source are remembered. Those beyond are
// reported all the same, and are not cleared when the device forgets them.
const mostKnown = 100_000

// table has the alarms of devices that may be active: the name of a source, a zero byte and
// the hash of the alarm's key, to a row in JSON.
const table = "device-alarms"

// row is an alarm as it is stored.
type row struct {
	Resource  string         `json:"r"`
	TypeID    string         `json:"t"`
	Qualifier string         `json:"q,omitempty"`
	Severity  event.Severity `json:"s"`
	Text      string         `json:"x,omitempty"`
	Time      time.Time      `json:"at"`
	Node      string         `json:"n"`
	Part      string         `json:"p,omitempty"`
}

// memory is what is known of the devices, by the names of their sources.
type memory struct {
	db      *kv.DB
	mu      sync.Mutex
	devices map[string]*known
}

// of returns what is known of the device of a source. It is owned by the source's run, and
// a source has one run at a time.
func (m *memory) of(source string) (*known, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if k := m.devices[source]; k != nil {
		return k, nil
	}
	k := &known{db: m.db, prefix: append([]byte(source), 0), active: map[key]state{}, left: map[key]state{}, over: map[key]bool{}}
	if err := k.load(); err != nil {
		return nil, fmt.Errorf("what is remembered of the device: %w", err)
	}
	m.devices[source] = k
	return k, nil
}

// known is what is known of one device.
type known struct {
	db     *kv.DB
	prefix []byte // of its rows
	// active are the alarms that were reported and not cleared.
	active map[key]state
	// left are those that the server before this one may have reported and not cleared, as
	// long as the device has not told of them.
	left map[key]state
	// over are alarms whose rows are to be deleted.
	over map[key]bool
	// whole says that every active alarm of the device is in active.
	whole bool
	// last is when the last event happened by the device's clock, zero if it is not known.
	last time.Time
}

// state is an alarm and the place where it was reported.
type state struct {
	alarm
	node, resource string
}

// see notes when something happened.
func (k *known) see(at time.Time) {
	if at.After(k.last) {
		k.last = at
	}
}

// load reads the rows.
func (k *known) load() error {
	end := append([]byte{}, k.prefix...)
	end[len(end)-1] = 1
	return k.db.View(func(r *kv.Reader) error {
		for _, v := range r.Scan(table, k.prefix, end) {
			var w row
			if err := json.Unmarshal(v, &w); err != nil {
				return err
			}
			s := state{alarm{key{w.Resource, w.TypeID, w.Qualifier}, w.Severity, w.Text, w.Time}, w.Node, w.Part}
			k.left[s.key] = s
		}
		return nil
	})
}

// rowKey is the key of an alarm's row.
func (k *known) rowKey(a key) []byte {
	h := sha256.New()
	for _, s := range []string{a.resource, a.typeID, a.qualifier} {
		fmt.Fprintf(h, "%d %s", len(s), s)
	}
	return h.Sum(append([]byte{}, k.prefix...))
}

// expect stores that alarms are about to be reported, before they are: what a crash leaves
// is swept, or told of by the device again. Rows of alarms that are over go.
func (k *known) expect(next map[key]state) error {
	raised := false
	for _, s := range next {
		raised = raised || s.severity != event.Cleared
	}
	if !raised && len(k.over) == 0 {
		return nil
	}
	err := k.db.Update(func(w *kv.Writer) error {
		for a := range k.over {
			if err := w.Delete(table, k.rowKey(a)); err != nil {
				return err
			}
		}
		room := mostKnown - len(k.active)
		for a, s := range next {
			if s.severity == event.Cleared {
				continue
			}
			if _, had := k.active[a]; !had {
				if room--; room < 0 {
					continue
				}
			}
			v, err := json.Marshal(row{a.resource, a.typeID, a.qualifier, s.severity, s.text, s.time, s.node, s.resource})
			if err != nil {
				return err
			}
			if err := w.Put(table, k.rowKey(a), v); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		clear(k.over)
	}
	return err
}

// remember notes what was reported.
func (k *known) remember(next map[key]state) {
	for a, s := range next {
		delete(k.left, a)
		_, had := k.active[a]
		switch {
		case s.severity == event.Cleared:
			delete(k.active, a)
			k.over[a] = true
		case had || len(k.active) < mostKnown:
			k.active[a] = s
		default:
			k.whole = false
		}
	}
}
