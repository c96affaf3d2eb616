package device

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"incidentd/datastore/kv"
	"incidentd/incident/event"
)

// What was about to be reported is there after a crash at any moment; what is over goes.
func TestMemory(t *testing.T) {
	db, err := kv.Open(filepath.Join(t.TempDir(), "store"), kv.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	of := func(source string) *known { // as a server that has just begun
		t.Helper()
		k, err := (&memory{db: db, devices: map[string]*known{}}).of(source)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	left := func(source string) []string {
		var names []string
		for a := range of(source).left {
			names = append(names, a.resource)
		}
		slices.Sort(names)
		return names
	}
	at := func(resource string, severity event.Severity) map[key]state {
		a := key{resource, "t", ""}
		return map[key]state{a: {alarm{a, severity, "text", time.Unix(7, 0).UTC()}, "N", resource}}
	}
	k := of("a")
	tell := func(next map[key]state) {
		t.Helper()
		if err := k.expect(next); err != nil {
			t.Fatal(err)
		}
		k.remember(next)
	}
	if err := k.expect(at("x", event.Major)); err != nil { // and then the server crashes
		t.Fatal(err)
	}
	want := at("x", event.Major)
	if diff := cmp.Diff(want, of("a").left, cmp.AllowUnexported(state{}, alarm{}, key{})); diff != "" {
		t.Error(diff)
	}
	k.remember(want)
	tell(at("y", event.Minor))
	tell(at("x", event.Cleared))
	if diff := cmp.Diff([]string{"x", "y"}, left("a")); diff != "" {
		t.Errorf("before the next one is stored: %s", diff)
	}
	tell(at("z", event.Minor))
	if diff := cmp.Diff([]string{"y", "z"}, left("a")); diff != "" {
		t.Error(diff)
	}
	tell(at("z", event.Cleared))
	tell(at("z", event.Major)) // again
	if diff := cmp.Diff([]string{"y", "z"}, left("a")); diff != "" {
		t.Error(diff)
	}
	if got := left("b"); len(got) != 0 {
		t.Errorf("another source knows %s", got)
	}
}
