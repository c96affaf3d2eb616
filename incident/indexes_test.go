package incident

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"incidentd/datastore"
	"incidentd/datastore/journal"
	"incidentd/datastore/kv"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/modules"
)

// The index follows running at once, unless the last one was dear and is new.
func TestIndexFollows(t *testing.T) {
	schema, err := yang.Compile(modules.FS, yang.Options{Implemented: []string{"ietf-network-topology"}})
	if err != nil {
		t.Fatal(err)
	}
	db, err := kv.Open(filepath.Join(t.TempDir(), "store.db"), kv.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	j, err := journal.Open(db, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	store, err := datastore.Open(db, j, schema, datastore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	nodes := 0
	add := func() {
		t.Helper()
		nodes++
		err := store.Update(context.Background(), func(tx *datastore.Tx) error {
			p := data.Parser{Schema: schema}
			edit, err := p.ParseDocument(fmt.Appendf(nil, `<networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network"><network><network-id>ip</network-id><node><node-id>N%d</node-id></node></network></networks>`, nodes))
			if err == nil {
				tx.SetRunning(data.Merge(tx.Running(), edit))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var x indexes
	x.of(store.Snapshot().Running.Child("networks"))
	knows := func(n int) bool { _, ok := x.latest().index.Node(fmt.Sprintf("N%d", n)); return ok }
	add()
	if wait := x.follow(store); wait != 0 || !knows(1) {
		t.Errorf("a new node is waited for %s, known: %v", wait, knows(1))
	}
	made := x.latest()
	if x.follow(store); x.latest() != made {
		t.Error("an index is made of networks that have not changed")
	}
	x.cost, x.made = time.Minute, time.Now()
	add()
	if wait := x.follow(store); wait <= 0 || wait > rest*time.Minute || knows(2) {
		t.Errorf("after a dear index the next comes in %s, made: %v", wait, knows(2))
	}
	x.made = time.Now().Add(-rest * time.Minute)
	if wait := x.follow(store); wait != 0 || !knows(2) {
		t.Errorf("after the pause the index comes in %s, made: %v", wait, knows(2))
	}
}
