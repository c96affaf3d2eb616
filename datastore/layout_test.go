package datastore_test

import (
	"os"
	"path/filepath"
	"testing"

	"incidentd/datastore"
	"incidentd/datastore/kv"
	"incidentd/yang/data"
)

// TestLayout1 opens a store that the program before layout 2 has made: nothing is
// lost, what is new works in it, and the file says its layout after a change.
func TestLayout1(t *testing.T) {
	const want = `<top xmlns="urn:m"><name>second</name><there/><plain><a>x</a><sorted>1</sorted><sorted>2</sorted><ordered>z</ordered><ordered>a</ordered></plain>` +
		`<l><a>1</a><b>2</b><v>v</v><o><k>9</k></o><o><k>3</k><v>w</v></o></l><ref>1</ref><any><x xmlns="urn:x">1</x></any></top>`
	old, err := os.ReadFile(filepath.Join("testdata", "layout1.db"))
	if err != nil {
		t.Fatal(err)
	}
	b := open(t)
	b.close()
	if err := os.WriteFile(filepath.Join(b.dir, "store.db"), old, 0o600); err != nil {
		t.Fatal(err)
	}
	b.open()
	check := func() {
		t.Helper()
		if got := b.running(); got != want {
			t.Errorf("running:\n got %s\nwant %s", got, want)
		}
		snap := b.store.Snapshot()
		if got, want := string(data.AppendChildrenXML(nil, snap.State, "")), `<state xmlns="urn:m"><s><id>7</id><text>seven</text></s></state>`; got != want {
			t.Errorf("state = %s, want %s", got, want)
		}
		if !snap.Startup.Empty() || b.store.Journal().Last() != 1 {
			t.Errorf("startup has %d nodes, the journal %d records; want 0 and 1", snap.Startup.Len(), b.store.Journal().Last())
		}
		err := b.db.View(func(r *kv.Reader) error {
			if v := r.Get("other", []byte("key")); string(v) != "value" {
				t.Errorf("a row of another package is %q", v)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	check()
	b.close()
	if now, err := os.ReadFile(filepath.Join(b.dir, "store.db")); err != nil || string(now) != string(old) {
		t.Errorf("reading has changed the file (%v)", err)
	}
	b.open()
	if err := b.edit(`<name>third</name>`); err != nil {
		t.Fatal(err)
	}
	b.reopen()
	if err := b.db.Check(); err != nil {
		t.Error(err)
	}
	if err := b.update(func(tx *datastore.Tx) error { return tx.Rollback(0) }); err != nil {
		t.Fatal(err)
	}
	check()
}
