// Package ingesttest runs kinds of sources in a test: a store with its configuration, the
// supervisor, and a manager of incidents that only collects events.
//
// # Concurrency
//
// A Bench belongs to one goroutine, but for Report.
package ingesttest

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"incidentd/incident"
	"incidentd/incident/event"
	"incidentd/incident/ingest"
	"incidentd/netconf/netconftest"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// patience is how long a Bench waits for what has to come.
const patience = 10 * time.Second

// Bench is a supervisor with its store.
type Bench struct {
	*netconftest.Bench
	Supervisor *ingest.Supervisor

	t      testing.TB
	known  map[string]bool // ids; Report's mutex protects it
	mu     sync.Mutex
	events []event.Event
	refuse error
}

// Kinds completes kinds of sources: those of the schema that are missing refuse to run.
func Kinds(s *yang.Schema, kinds ...ingest.Kind) []ingest.Kind {
	have := map[string]bool{}
	for _, k := range kinds {
		have[k.Module+":"+k.Name] = true
	}
	for _, n := range s.Root.ChildNamed("sources").ChildNamed("source").Data {
		if cas, _ := n.CaseOf(); cas != nil && !have[n.QName()] {
			kinds = append(kinds, ingest.Kind{Module: n.Module.Name, Name: n.Name, New: func(*data.Loc) (ingest.Source, error) {
				return nil, rpcerr.OperationNotSupported("this kind of source")
			}})
		}
	}
	return kinds
}

// New starts a supervisor of some kinds, which ends with the test.
func New(t testing.TB, kinds ...ingest.Kind) *Bench {
	t.Helper()
	return NewWith(t, nil, kinds...)
}

// NewWith is New with a schema of its own.
func NewWith(t testing.TB, schema *yang.Schema, kinds ...ingest.Kind) *Bench {
	t.Helper()
	b := &Bench{Bench: netconftest.New(t, netconftest.Config{Schema: schema}), t: t, known: map[string]bool{}}
	s, err := ingest.New(ingest.Config{Store: b.Store, Inlet: func(string) ingest.Inlet { return b }, Kinds: Kinds(b.Schema, kinds...)})
	if err != nil {
		t.Fatal(err)
	}
	b.Supervisor = s
	s.Start()
	b.OnEnd(s.Stop)
	return b
}

// Close implements ingest.Inlet.
func (b *Bench) Close() {}

// Report implements ingest.Inlet.
func (b *Bench) Report(ctx context.Context, events []event.Event) (incident.Reported, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refuse != nil {
		return incident.Reported{}, b.refuse
	}
	var r incident.Reported
	for _, e := range events {
		if b.known[e.ID] {
			r.Duplicates++
			continue
		}
		b.known[e.ID] = true
		b.events = append(b.events, e)
		r.Accepted++
	}
	return r, nil
}

// Refuse has all events refused with an error; nil ends that.
func (b *Bench) Refuse(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refuse = err
}

// Sources makes sources, in XML without their list, all that running has.
func (b *Bench) Sources(sources string) {
	b.t.Helper()
	if err := b.Configure(`<sources xmlns="urn:incidentd:yang:sources">` + sources + `</sources>`); err != nil {
		b.t.Fatal(err)
	}
}

// Await waits for so many events in all, and returns those that have come.
func (b *Bench) Await(n int) []event.Event {
	b.t.Helper()
	var got []event.Event
	b.wait(func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		got = b.events
		return len(got) >= n
	}, func() { b.t.Fatalf("%d events came, want %d", len(got), n) })
	return got
}

// Health is the container health of a source.
func (b *Bench) Health(source string) *data.Node {
	snap := b.Store.Snapshot()
	return b.Store.With(snap, snap.Operational(), nil).Child("sources").EntryNamed("source", source).Child("health")
}

// AwaitHealth waits until a leaf of a source's health has a value.
func (b *Bench) AwaitHealth(source, leaf, value string) {
	b.t.Helper()
	b.wait(func() bool { return b.Health(source).Leaf(leaf) == value },
		func() { b.t.Fatalf("%s of %s is %q, want %q", leaf, source, b.Health(source).Leaf(leaf), value) })
}

// Listening waits until a source listens, and returns the address.
func (b *Bench) Listening(source string) string {
	b.t.Helper()
	b.wait(func() bool { return len(b.Health(source).Values("listening")) > 0 },
		func() { b.t.Fatalf("%s does not listen: %s", source, b.Health(source).Leaf("reason")) })
	_, address, _ := strings.Cut(b.Health(source).Values("listening")[0], " ")
	return address
}

func (b *Bench) wait(done func() bool, late func()) {
	b.t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			late()
			return
		}
	}
}
