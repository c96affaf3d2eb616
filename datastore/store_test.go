package datastore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"incidentd/datastore"
	"incidentd/datastore/journal"
	"incidentd/datastore/kv"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
	"incidentd/yang/xmltext"
)

const module = `module m { yang-version 1.1; namespace "urn:m"; prefix m;
	container top {
		leaf name { type string; }
		container there { presence "it"; leaf a { type string; } }
		container plain { leaf a { type string; } leaf-list sorted { type string; } leaf-list ordered { type string; ordered-by user; } }
		list l { key "a b"; leaf a { type string; } leaf b { type string; } leaf v { type string; }
			list o { key k; ordered-by user; leaf k { type string; } leaf v { type string; } } }
		leaf ref { type leafref { path "../l/a"; } }
		anydata any;
		leaf only { when "../name = 'a'"; type string; }
	}
	container state { config false; list s { key id; leaf id { type uint32; } leaf text { type string; } } }
	notification changed { leaf what { type string; } }
}`

type bench struct {
	t      testing.TB
	dir    string
	schema *yang.Schema
	fail   atomic.Pointer[func(string) error]
	db     *kv.DB
	store  *datastore.Store

	options datastore.Options
}

func open(t testing.TB) *bench {
	s, err := yang.Compile(fstest.MapFS{"m.yang": {Data: []byte(module)}}, yang.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, dir: t.TempDir(), schema: s}
	b.open()
	t.Cleanup(b.close)
	return b
}

func (b *bench) open() {
	b.t.Helper()
	db, err := kv.Open(filepath.Join(b.dir, "store.db"), kv.Options{FailPoint: func(name string) error {
		if f := b.fail.Load(); f != nil {
			return (*f)(name)
		}
		return nil
	}})
	if err != nil {
		b.t.Fatal(err)
	}
	j, err := journal.Open(db, journal.Options{})
	if err != nil {
		b.t.Fatal(err)
	}
	b.db = db
	if b.store, err = datastore.Open(db, j, b.schema, b.options); err != nil {
		b.t.Fatal(err)
	}
}

// failing makes f the fail point from now on.
func (b *bench) failing(f func(string) error) { b.fail.Store(&f) }

// works ends what failing began.
func (b *bench) works() { b.fail.Store(nil) }

func (b *bench) close() {
	b.store.Close()
	if err := b.db.Close(); err != nil {
		b.t.Error(err)
	}
}

func (b *bench) reopen() {
	b.close()
	b.open()
}

// edit applies an edit of /m:top, given without its element.
func (b *bench) edit(body string) error {
	text := `<c xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0"><top xmlns="urn:m">` + body + `</top></c>`
	d := xmltext.NewDecoder([]byte(text), xmltext.Limits{})
	if _, err := d.Next(); err != nil {
		return err
	}
	edit, err := (&data.Parser{Schema: b.schema, Edit: true}).Parse(d, b.schema.Root)
	if err != nil {
		return err
	}
	return b.store.Update(context.Background(), func(tx *datastore.Tx) error {
		next, err := data.Apply(tx.Running(), edit, data.MergeOp)
		tx.SetRunning(next)
		return err
	})
}

func (b *bench) running() string {
	return string(data.AppendChildrenXML(nil, b.store.Snapshot().Running, ""))
}

func TestEditsSurviveReopening(t *testing.T) {
	b := open(t)
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 2))
	t.Logf("seed %d", seed)
	fragments := []string{
		`<name%[3]s>n%[1]d</name>`, `<there%[3]s/>`, `<there><a%[3]s>%[1]d</a></there>`, `<plain%[3]s><a>%[1]d</a></plain>`,
		`<plain><sorted%[3]s>%[1]d</sorted></plain>`, `<plain><ordered%[3]s>%[2]d</ordered></plain>`,
		`<l%[3]s><a>%[1]d</a><b>%[2]d</b><v>x</v></l>`, `<l><a>%[1]d</a><b>%[2]d</b><o%[3]s><k>%[1]d</k><v>y</v></o></l>`,
		`<l><a>%[1]d</a><b>%[2]d</b><v%[3]s>z%[2]d</v></l>`, `<ref%[3]s>%[1]d</ref>`, `<any%[3]s><x xmlns="urn:x">%[1]d</x></any>`,
	}
	done := 0
	for range 600 {
		body := ""
		for range 1 + r.IntN(4) {
			op := ""
			switch r.IntN(5) {
			case 0:
				op = ` nc:operation="remove"`
			case 1:
				op = ` nc:operation="replace"`
			}
			f := fragments[r.IntN(len(fragments))]
			body += fmt.Sprintf(f+"<!-- %[1]d%[2]d%[3]s -->", r.IntN(4), r.IntN(4), op)
		}
		if b.edit(body) == nil {
			done++
		}
		if r.IntN(20) == 0 {
			before, old := b.running(), b.store.Snapshot().Running
			b.reopen()
			if after := b.running(); after != before || !data.Equal(old, b.store.Snapshot().Running) {
				t.Fatalf("before reopening:\n%s\nafter:\n%s", before, after)
			}
		}
	}
	if done < 100 {
		t.Errorf("only %d edits were accepted: the test proves little", done)
	}
}

func TestInvalidEditChangesNothing(t *testing.T) {
	b := open(t)
	if err := b.edit(`<l><a>1</a><b>1</b></l><ref>1</ref>`); err != nil {
		t.Fatal(err)
	}
	before := b.running()
	err := b.edit(`<l nc:operation="delete"><a>1</a><b>1</b></l>`)
	var e *rpcerr.Error
	if !errors.As(err, &e) || e.AppTag != rpcerr.AppInstanceRequired || e.Path.Expr != "/m:top/m:ref" {
		t.Errorf("error = %v, want instance-required at /m:top/m:ref", err)
	}
	if got := b.running(); got != before {
		t.Errorf("running = %s, want %s", got, before)
	}
}

func TestKeyTooLongForTheStore(t *testing.T) {
	b := open(t)
	long := strings.Repeat("k", kv.MaxKey)
	err := b.edit(`<name>x</name><l><a>` + long + `</a><b>1</b></l>`)
	var e *rpcerr.Error
	if !errors.As(err, &e) || e.Tag != rpcerr.TagTooBig {
		t.Fatalf("error = %v, want too-big", err)
	}
	if err := b.edit(`<l><a>1</a><b>1</b></l>`); err != nil {
		t.Error(err)
	}
	b.reopen()
	if got, want := b.running(), `<top xmlns="urn:m"><l><a>1</a><b>1</b></l></top>`; got != want {
		t.Errorf("running = %s, want %s", got, want)
	}
}

func (b *bench) note(i int, state bool) error {
	return b.store.Update(context.Background(), func(tx *datastore.Tx) error {
		n := data.Build(b.schema.Notification("m", "changed")).Leaf("what", fmt.Sprint(i)).Node()
		tx.Notify("NETCONF", n)
		tx.Put("test", []byte(fmt.Sprint(i)), []byte("row"))
		if state {
			root := data.New(b.schema.Root)
			root = data.Build(b.schema.Root).Container("state").Entry("s", fmt.Sprint(i)).Leaf("text", "t").Node()
			tx.SetState(data.Merge(tx.State(), root))
		}
		return nil
	})
}

// TestAllOrNothing fails the commit: neither the tree nor the notification nor
// the row of the transaction is there, and all of it once there is room again.
func TestAllOrNothing(t *testing.T) {
	b := open(t)
	b.failing(func(name string) error {
		if name == "before-commit" {
			return fmt.Errorf("test: %w", kv.ErrFull)
		}
		return nil
	})
	aborted := 0
	err := b.store.Update(context.Background(), func(tx *datastore.Tx) error {
		tx.Put("test", []byte("k"), nil)
		tx.OnAbort(func() { aborted++ })
		tx.OnCommit(func(*datastore.Snapshot) { t.Error("OnCommit was called") })
		return nil
	})
	var e *rpcerr.Error
	if !errors.As(err, &e) || e.Tag != rpcerr.TagResourceDenied || aborted != 1 {
		t.Errorf("error = %v, aborted %d times; want resource-denied, once", err, aborted)
	}
	if err := b.note(1, true); err == nil {
		t.Error("a full disk was not noticed")
	}
	if b.store.Journal().Last() != 0 || b.store.Snapshot().State.Len() != 0 {
		t.Error("something of a failed transaction is there")
	}
	b.works()
	if err := b.note(1, true); err != nil {
		t.Fatal(err)
	}
	b.reopen()
	if b.store.Journal().Last() != 1 || b.store.Snapshot().State.Len() != 1 {
		t.Errorf("journal at %d, state %d: want 1 and 1", b.store.Journal().Last(), b.store.Snapshot().State.Len())
	}
}

// TestNothingToWrite spares the disk, but the transaction has taken place.
func TestNothingToWrite(t *testing.T) {
	b := open(t)
	before := b.db.Stats().Commits
	called := false
	err := b.store.Update(context.Background(), func(tx *datastore.Tx) error {
		tx.OnCommit(func(*datastore.Snapshot) { called = true })
		return nil
	})
	if err != nil || !called || b.db.Stats().Commits != before {
		t.Errorf("error %v, OnCommit called: %v, %d commits", err, called, b.db.Stats().Commits-before)
	}
}

func TestGroupsKeepOrder(t *testing.T) {
	b := open(t)
	var wg sync.WaitGroup
	const writers, each = 16, 40
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				err := b.store.Update(context.Background(), func(tx *datastore.Tx) error {
					if i%10 == 3 {
						return errors.New("refused")
					}
					n := data.Build(b.schema.Root).Container("state").Entry("s", fmt.Sprint(w*each+i)).Node()
					tx.SetState(data.Merge(tx.State(), n))
					return nil
				})
				if (err != nil) != (i%10 == 3) {
					t.Errorf("error = %v", err)
				}
			}
		})
	}
	wg.Wait()
	want := writers * each * 9 / 10
	s := b.schema.Root.Child(b.schema.Module("m"), "state").ChildNamed("s")
	if got := b.store.Snapshot().State.Child("state").Count(s); got != want {
		t.Errorf("%d entries, want %d", got, want)
	}
	if c := b.db.Stats().Commits; c >= uint64(want) {
		t.Errorf("%d commits for %d transactions: none shared an fsync", c, want)
	}
}

func TestPanicIsAnError(t *testing.T) {
	b := open(t)
	err := b.store.Update(context.Background(), func(*datastore.Tx) error { panic("boom") })
	if err == nil || !strings.Contains(err.Error(), "boom") {
		t.Errorf("error = %v", err)
	}
	if err := b.edit(`<name>n</name>`); err != nil {
		t.Error(err)
	}
}

func TestOperationalAndGet(t *testing.T) {
	b := open(t)
	if err := b.edit(`<name>n</name>`); err != nil {
		t.Fatal(err)
	}
	err := b.store.Update(context.Background(), func(tx *datastore.Tx) error {
		root := data.Build(b.schema.Root)
		root.Container("state").Entry("s", "1")
		root.Container("top").Entry("l", "system", "origin") // configuration of system origin
		tx.SetState(root.Node())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	snap := b.store.Snapshot()
	if got, want := string(data.AppendChildrenXML(nil, snap.Operational(), "")), `<top xmlns="urn:m"><name>n</name><l><a>system</a><b>origin</b></l></top><state xmlns="urn:m"><s><id>1</id></s></state>`; got != want {
		t.Errorf("operational:\n got %s\nwant %s", got, want)
	}
	if got, want := string(data.AppendChildrenXML(nil, snap.Get(), "")), `<top xmlns="urn:m"><name>n</name></top><state xmlns="urn:m"><s><id>1</id></s></state>`; got != want {
		t.Errorf("get:\n got %s\nwant %s", got, want)
	}
	state := b.schema.Root.Child(b.schema.Module("m"), "state")
	b.store.Provide(state, func(*datastore.Snapshot) *data.Node { return data.Build(state).Entry("s", "2").Node() })
	if got := b.store.With(snap, snap.Get(), nil).Child("state").Len(); got != 2 {
		t.Errorf("%d entries with the provider's, want 2", got)
	}
}

func networkEdit(s *yang.Schema, node string) *data.Node {
	root := data.Build(s.Root)
	root.Container("networks").Entry("network", "n").Entry("node", node)
	return root.Node()
}
