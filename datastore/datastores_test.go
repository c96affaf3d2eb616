package datastore_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"incidentd/datastore"
	"incidentd/datastore/kv"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
	"incidentd/yang/xmltext"
)

func (b *bench) update(fn func(*datastore.Tx) error) error {
	return b.store.Update(context.Background(), fn)
}

// change edits a datastore as a session; body is that of /m:top.
func (b *bench) change(session uint32, name datastore.Name, body string) error {
	edit, err := b.parse(body)
	if err != nil {
		return err
	}
	return b.by(session, func(tx *datastore.Tx) error {
		next, err := data.Apply(tx.Datastore(name), edit, data.MergeOp)
		if err == nil {
			tx.Set(name, next)
		}
		return err
	})
}

// parse reads an edit of /m:top.
func (b *bench) parse(body string) (*data.Node, error) {
	d := xmltext.NewDecoder([]byte(`<c xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0"><top xmlns="urn:m">`+body+`</top></c>`), xmltext.Limits{})
	if _, err := d.Next(); err != nil {
		return nil, err
	}
	return (&data.Parser{Schema: b.schema, Edit: true}).Parse(d, b.schema.Root)
}

func (b *bench) by(session uint32, fn func(*datastore.Tx) error) error {
	return b.update(func(tx *datastore.Tx) error {
		tx.By(datastore.Author{User: "u", Session: session, Source: "test"})
		return fn(tx)
	})
}

func (b *bench) commit(session uint32, o datastore.CommitOptions) error {
	return b.by(session, func(tx *datastore.Tx) error { return tx.Commit(o) })
}

// names are /m:top/m:name of startup, candidate and running.
func (b *bench) names() (out [3]string) {
	s := b.store.Snapshot()
	for i, n := range []datastore.Name{datastore.Startup, datastore.Candidate, datastore.Running} {
		out[i] = s.Datastore(n).Child("top").Leaf("name")
	}
	return out
}

func tag(err error) rpcerr.Tag {
	var e *rpcerr.Error
	if errors.As(err, &e) {
		return e.Tag
	}
	if err != nil {
		return rpcerr.Tag("other: " + err.Error())
	}
	return ""
}

func TestDatastores(t *testing.T) {
	b := open(t)
	step := func(what string, err error, want rpcerr.Tag, startup, candidate, running string) {
		t.Helper()
		if tag(err) != want {
			t.Errorf("%s: %v, want %q", what, err, want)
		}
		if diff := cmp.Diff([3]string{startup, candidate, running}, b.names()); diff != "" {
			t.Errorf("%s: startup, candidate, running (-want +got):\n%s", what, diff)
		}
	}
	copying := func(from, to datastore.Name) error {
		return b.by(1, func(tx *datastore.Tx) error { tx.Copy(from, to); return nil })
	}
	step("edit of running", b.change(1, datastore.Running, `<name>a</name>`), "", "", "a", "a")
	step("edit of the candidate", b.change(1, datastore.Candidate, `<name>b</name>`), "", "", "b", "a")
	step("running goes on", b.change(1, datastore.Running, `<name>c</name>`), "", "", "b", "c")
	step("discard", b.by(1, func(tx *datastore.Tx) error { tx.Discard(); return nil }), "", "", "c", "c")
	step("copy to startup", copying(datastore.Running, datastore.Startup), "", "c", "c", "c")
	step("edit of the candidate", b.change(1, datastore.Candidate, `<name>d</name>`), "", "c", "d", "c")
	step("commit", b.commit(1, datastore.CommitOptions{}), "", "c", "d", "d")
	if b.store.Snapshot().CandidateModified() {
		t.Error("the candidate is modified after the commit")
	}
	step("an invalid candidate", b.change(1, datastore.Candidate, `<ref>none</ref>`), "", "c", "d", "d")
	step("is not committed", b.commit(1, datastore.CommitOptions{}), rpcerr.TagDataMissing, "c", "d", "d")
	b.reopen()
	step("after a restart", nil, "", "c", "d", "d")
	if b.store.Snapshot().CandidateModified() {
		t.Error("the candidate has outlived the restart")
	}
	step("copy from startup", copying(datastore.Startup, datastore.Running), "", "c", "c", "c")
	step("invalid startup", b.change(1, datastore.Startup, `<ref>none</ref>`), rpcerr.TagDataMissing, "c", "c", "c")
	step("write of intended", b.change(1, datastore.Intended, `<name>x</name>`), rpcerr.TagInvalidValue, "c", "c", "c")
	step("copy of operational", copying(datastore.Operational, datastore.Running), rpcerr.TagInvalidValue, "c", "c", "c")
	step("delete of startup", b.by(1, func(tx *datastore.Tx) error {
		tx.Set(datastore.Startup, data.New(b.schema.Root))
		return nil
	}), "", "", "c", "c")
	if s := b.store.Snapshot(); s.Datastore(datastore.Intended) != s.Running || s.Datastore("other") != nil {
		t.Error("intended is not running, or there is another datastore")
	}
}

func TestLocks(t *testing.T) {
	b := open(t)
	ctx := context.Background()
	step := func(what string, err error, want rpcerr.Tag) {
		t.Helper()
		if tag(err) != want {
			t.Errorf("%s: %v, want %q", what, err, want)
		}
	}
	for _, n := range []datastore.Name{datastore.Startup, datastore.Candidate, datastore.Running} {
		step("lock", b.store.Lock(ctx, n, 1), "")
		step("second lock", b.store.Lock(ctx, n, 2), rpcerr.TagLockDenied)
		step("own second lock", b.store.Lock(ctx, n, 1), rpcerr.TagLockDenied)
		step("write of another", b.change(2, n, `<name>x</name>`), rpcerr.TagInUse)
		step("write of none", b.change(0, n, `<name>x</name>`), rpcerr.TagInUse)
		step("own write", b.change(1, n, `<name>`+string(n)+`</name>`), "")
		step("unlock of another", b.store.Unlock(ctx, n, 2), rpcerr.TagLockDenied)
		if l := b.store.Holder(n); l == nil || l.Session != 1 || l.Since.IsZero() {
			t.Errorf("holder of %s: %v", n, l)
		}
	}
	step("commit by another", b.commit(2, datastore.CommitOptions{}), rpcerr.TagInUse)
	step("unlock", b.store.Unlock(ctx, datastore.Candidate, 1), "")
	if diff := cmp.Diff([3]string{"startup", "running", "running"}, b.names()); diff != "" {
		t.Errorf("the unlocked candidate keeps its changes (-want +got):\n%s", diff)
	}
	step("second unlock", b.store.Unlock(ctx, datastore.Candidate, 1), rpcerr.TagOperationFailed)
	b.store.Release(2)
	step("lock after the end of another session", b.store.Lock(ctx, datastore.Running, 2), rpcerr.TagLockDenied)
	b.store.Release(1)
	for _, n := range []datastore.Name{datastore.Startup, datastore.Running} {
		step("lock after the session's end", b.store.Lock(ctx, n, 2), "")
	}
	step("edit of the candidate", b.change(2, datastore.Candidate, `<name>y</name>`), "")
	step("lock of a changed candidate", b.store.Lock(ctx, datastore.Candidate, 2), rpcerr.TagLockDenied)
	step("lock of operational", b.store.Lock(ctx, datastore.Operational, 2), rpcerr.TagInvalidValue)
	b.close()
	b.store.Release(2)
	if b.store.Holder(datastore.Running) != nil {
		t.Error("a lock has outlived the store and its session")
	}
	step("lock after the end", b.store.Lock(ctx, datastore.Running, 2), rpcerr.Tag("other: "+datastore.ErrClosed.Error()))
	b.open()
}

// A lock that shares its commit with what fails is not held.
func TestLockOfAFailedGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t)
		b.failing(func(string) error { return errors.New("no luck") })
		inside, leave := make(chan bool), make(chan bool)
		written, locked := make(chan error, 1), make(chan error, 1)
		go func() {
			written <- b.update(func(tx *datastore.Tx) error {
				tx.Put("test", []byte("k"), nil)
				close(inside)
				<-leave // as no other transaction may, so that the lock comes into this group
				return nil
			})
		}()
		<-inside
		go func() { locked <- b.store.Lock(context.Background(), datastore.Running, 1) }()
		synctest.Wait()
		close(leave)
		if err := <-written; err == nil {
			t.Error("the transaction has not failed")
		}
		if err := <-locked; err == nil || b.store.Holder(datastore.Running) != nil {
			t.Errorf("the lock is told %v, and held by %v", err, b.store.Holder(datastore.Running))
		}
	})
}

type participant struct {
	name   string
	log    *[]string
	refuse bool
	edit   func(*datastore.Tx)
}

func (p *participant) Prepare(tx *datastore.Tx) error {
	*p.log = append(*p.log, "prepare "+p.name+" "+tx.Base().Running.Child("top").Leaf("name")+">"+tx.Running().Child("top").Leaf("name"))
	if p.edit != nil {
		p.edit(tx)
	}
	if p.refuse {
		return rpcerr.ResourceDenied("refused")
	}
	return nil
}

func (p *participant) Commit(s *datastore.Snapshot) {
	*p.log = append(*p.log, "commit "+p.name+" "+s.Running.Child("top").Leaf("name"))
}

func (p *participant) Abort() { *p.log = append(*p.log, "abort "+p.name) }

func TestParticipants(t *testing.T) {
	b := open(t)
	var log []string
	first, second := &participant{name: "first", log: &log}, &participant{name: "second", log: &log}
	b.store.Join(first)
	b.store.Join(second)
	step := func(what string, err error, want rpcerr.Tag, calls ...string) {
		t.Helper()
		if tag(err) != want {
			t.Errorf("%s: %v, want %q", what, err, want)
		}
		if diff := cmp.Diff(calls, log); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
		log = nil
	}
	step("commit", b.edit(`<name>a</name>`), "", "prepare first >a", "prepare second >a", "commit first a", "commit second a")
	step("candidate", b.change(1, datastore.Candidate, `<name>x</name>`), "")
	step("invalid", b.edit(`<ref>x</ref>`), rpcerr.TagDataMissing)
	second.refuse = true
	step("refusal", b.edit(`<name>b</name>`), rpcerr.TagResourceDenied, "prepare first a>b", "prepare second a>b", "abort first")
	second.refuse = false
	b.failing(func(string) error { return rpcerr.ResourceDenied("no disk") })
	step("no disk", b.edit(`<name>b</name>`), rpcerr.TagResourceDenied, "prepare first a>b", "prepare second a>b", "abort second", "abort first")
	b.works()
	first.edit = func(tx *datastore.Tx) {
		tx.SetState(data.Build(b.schema.Root).Container("state").Entry("s", "1").Node())
	}
	step("state", b.edit(`<name>c</name>`), "", "prepare first a>c", "prepare second a>c", "commit first c", "commit second c")
	if b.store.Snapshot().State.Len() != 1 {
		t.Error("a participant's state is not there")
	}
	first.edit = func(tx *datastore.Tx) { tx.Set(datastore.Running, data.New(b.schema.Root)) }
	if err := b.edit(`<name>d</name>`); err == nil || b.names()[2] != "c" {
		t.Errorf("a participant changed the configuration: %v, now %v", err, b.names())
	}
}

func TestHistory(t *testing.T) {
	b := open(t)
	b.options.History = 4
	b.reopen()
	var trees []string
	trees = append(trees, b.running())
	for i, body := range []string{
		`<name>a</name><l><a>1</a><b>1</b><o><k>x</k></o><o><k>y</k></o><o><k>z</k></o></l>`,
		`<plain><a>x</a><ordered>3</ordered><ordered>1</ordered><ordered>2</ordered></plain>`,
		`<name>b</name><l><a>1</a><b>1</b><o xmlns:yang="urn:ietf:params:xml:ns:yang:1" nc:operation="remove"><k>x</k></o><v>1</v></l><ref>1</ref>`,
		`<plain><ordered nc:operation="remove">3</ordered><ordered>4</ordered></plain><any><x xmlns="urn:x">1</x></any>`,
		`<plain nc:operation="remove"/><l nc:operation="replace"><a>1</a><b>1</b><o><k>z</k></o><o><k>x</k><v>w</v></o></l><there/>`,
		`<name nc:operation="remove"/><any><x xmlns="urn:x">2</x></any><there><a>1</a></there>`,
	} {
		if err := b.change(uint32(i+1), datastore.Running, body); err != nil {
			t.Fatal(err)
		}
		trees = append(trees, b.running())
	}
	if err := b.change(9, datastore.Running, `<there><a>1</a></there>`); err != nil {
		t.Fatal(err) // it changes nothing, so it is no commit
	}
	check := func() {
		t.Helper()
		got, err := b.store.History()
		if err != nil {
			t.Fatal(err)
		}
		var want []datastore.Commit
		for n := uint64(6); n > 2; n-- {
			want = append(want, datastore.Commit{Number: n, Author: datastore.Author{User: "u", Session: uint32(n), Source: "test"}})
		}
		for i := range got {
			if time.Since(got[i].Time) > time.Hour || got[i].Time.IsZero() {
				t.Errorf("commit %d was at %v", got[i].Number, got[i].Time)
			}
			got[i].Time = time.Time{}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("history (-want +got):\n%s", diff)
		}
		for n := uint64(2); n <= 6; n++ {
			tree, err := b.store.At(n)
			if err != nil {
				t.Errorf("At(%d): %v", n, err)
				continue
			}
			if diff := cmp.Diff(trees[n], string(data.AppendChildrenXML(nil, tree, ""))); diff != "" {
				t.Errorf("At(%d) (-want +got):\n%s", n, diff)
			}
		}
		for _, n := range []uint64{0, 1, 7} {
			if _, err := b.store.At(n); tag(err) != rpcerr.TagInvalidValue {
				t.Errorf("At(%d): %v, want invalid-value", n, err)
			}
		}
	}
	check()
	b.reopen()
	check()
	var places []string
	err := b.store.Difference(6, func(parent *data.Loc, old, new *data.Node) bool {
		n := old
		if new != nil {
			n = new
		}
		places = append(places, parent.Down(n).String())
		return true
	})
	if diff := cmp.Diff([]string{"/m:top/m:name", "/m:top/m:there/m:a", "/m:top/m:any"}, places); diff != "" || err != nil {
		t.Errorf("difference: %v (-want +got):\n%s", err, diff)
	}
	if err := b.store.Difference(0, nil); tag(err) != rpcerr.TagInvalidValue {
		t.Errorf("difference of commit 0: %v", err)
	}
	if err := b.by(7, func(tx *datastore.Tx) error { return tx.Rollback(3) }); err != nil {
		t.Fatal(err)
	}
	b.reopen()
	if got := b.running(); got != trees[3] || b.store.Snapshot().Commit != 7 {
		t.Errorf("after the rollback, commit %d:\n got %s\nwant %s", b.store.Snapshot().Commit, got, trees[3])
	}
}

// confirmed is a store with a confirmed commit of session 1 from a to b, in a bubble.
func confirmed(t *testing.T, o datastore.CommitOptions, f func(*bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := open(t)
		o.Confirmed = true
		for _, err := range []error{
			b.change(1, datastore.Running, `<name>a</name>`),
			b.change(1, datastore.Candidate, `<name>b</name>`),
			b.commit(1, o),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		f(b)
	})
}

func (b *bench) expect(what, running string, pending bool) {
	b.t.Helper()
	s := b.store.Snapshot()
	if got := b.names()[2]; got != running || (s.Pending() != nil) != pending {
		b.t.Errorf("%s: running %q, pending %v; want %q, %v", what, got, s.Pending(), running, pending)
	}
}

func TestConfirmedCommit(t *testing.T) {
	const second = time.Second
	pass := func(b *bench, d time.Duration) {
		time.Sleep(d) // in the bubble
		synctest.Wait()
		_ = b.update(func(*datastore.Tx) error { return nil }) // behind what the deadline began
	}
	t.Run("nobody confirms", func(t *testing.T) {
		confirmed(t, datastore.CommitOptions{}, func(b *bench) {
			pass(b, datastore.DefaultConfirmTimeout-second)
			b.expect("before the deadline", "b", true)
			pass(b, 2*second)
			b.expect("after the deadline", "a", false)
			h, err := b.store.History()
			if err != nil || len(h) != 3 || h[0].Source != "confirmed-commit" || h[0].Comment == "" {
				t.Errorf("history: %+v, %v", h, err)
			}
			b.reopen()
			b.expect("after a restart", "a", false)
		})
	})
	t.Run("confirmed", func(t *testing.T) {
		confirmed(t, datastore.CommitOptions{Timeout: 5 * second}, func(b *bench) {
			if err := b.commit(1, datastore.CommitOptions{}); err != nil {
				t.Error(err)
			}
			pass(b, 10*second)
			b.expect("after the deadline", "b", false)
			b.reopen()
			b.expect("after a restart", "b", false)
		})
	})
	t.Run("extended", func(t *testing.T) {
		confirmed(t, datastore.CommitOptions{Timeout: 5 * second}, func(b *bench) {
			pass(b, 4*second)
			if err := errors.Join(b.change(1, datastore.Candidate, `<name>c</name>`), b.commit(1, datastore.CommitOptions{Confirmed: true, Timeout: 5 * second})); err != nil {
				t.Error(err)
			}
			pass(b, 4*second)
			b.expect("before the new deadline", "c", true)
			pass(b, 2*second)
			b.expect("after the new deadline", "a", false)
		})
	})
	t.Run("cancelled", func(t *testing.T) {
		confirmed(t, datastore.CommitOptions{}, func(b *bench) {
			if err := b.by(2, func(tx *datastore.Tx) error { return tx.CancelCommit("") }); tag(err) != rpcerr.TagInUse {
				t.Errorf("another session's: %v", err)
			}
			if err := b.by(1, func(tx *datastore.Tx) error { return tx.CancelCommit("x") }); tag(err) != rpcerr.TagInvalidValue {
				t.Errorf("with a token: %v", err)
			}
			b.expect("before", "b", true)
			if err := b.by(1, func(tx *datastore.Tx) error { return tx.CancelCommit("") }); err != nil {
				t.Error(err)
			}
			b.expect("after", "a", false)
			if err := b.by(1, func(tx *datastore.Tx) error { return tx.CancelCommit("") }); tag(err) != rpcerr.TagOperationFailed {
				t.Errorf("second cancel: %v", err)
			}
		})
	})
	t.Run("the session ends", func(t *testing.T) {
		confirmed(t, datastore.CommitOptions{}, func(b *bench) {
			b.store.Release(2)
			b.expect("another's end", "b", true)
			b.store.Release(1)
			b.expect("its end", "a", false)
		})
	})
	t.Run("persistent", func(t *testing.T) {
		confirmed(t, datastore.CommitOptions{Persist: "p"}, func(b *bench) {
			if err := b.store.Lock(context.Background(), datastore.Running, 2); tag(err) != rpcerr.TagLockDenied {
				t.Errorf("lock of another session: %v", err)
			}
			b.store.Release(1)
			b.expect("its session's end", "b", true)
			for id, want := range map[string]rpcerr.Tag{"": rpcerr.TagInvalidValue, "q": rpcerr.TagInvalidValue} {
				if err := b.commit(2, datastore.CommitOptions{PersistID: id}); tag(err) != want {
					t.Errorf("persist-id %q: %v, want %q", id, err, want)
				}
			}
			if err := b.commit(2, datastore.CommitOptions{PersistID: "p"}); err != nil {
				t.Error(err)
			}
			b.expect("confirmed", "b", false)
			if err := b.commit(2, datastore.CommitOptions{PersistID: "p"}); tag(err) != rpcerr.TagInvalidValue {
				t.Errorf("a token of nothing: %v", err)
			}
		})
	})
	t.Run("restart", func(t *testing.T) {
		confirmed(t, datastore.CommitOptions{Persist: "p"}, func(b *bench) {
			b.reopen()
			b.expect("after a restart", "a", false)
			b.reopen()
			b.expect("after another", "a", false)
		})
	})
	t.Run("no room on the disk", func(t *testing.T) {
		confirmed(t, datastore.CommitOptions{Timeout: 5 * second}, func(b *bench) {
			b.failing(func(string) error { return errors.New("no luck") })
			pass(b, 6*second)
			b.expect("while the disk fails", "b", true)
			b.works()
			pass(b, 10*second)
			b.expect("when it works again", "a", false)
		})
	})
	t.Run("a short history", func(t *testing.T) {
		confirmed(t, datastore.CommitOptions{}, func(b *bench) {
			b.options.History = 1
			b.close()
			b.open()
			if err := errors.Join(b.change(1, datastore.Candidate, `<name>c</name>`), b.commit(1, datastore.CommitOptions{Confirmed: true})); err != nil {
				t.Fatal(err)
			}
			for _, n := range []string{"d", "e", "f"} {
				if err := b.change(2, datastore.Running, `<name>`+n+`</name>`); err != nil {
					t.Fatal(err)
				}
			}
			// All that it takes to go back, and no more once it is decided.
			if h, err := b.store.History(); err != nil || len(h) != 4 {
				t.Errorf("history: %v, %v", h, err)
			}
			b.store.Release(1)
			b.expect("reverted", "a", false)
			if h, err := b.store.History(); err != nil || len(h) != 1 {
				t.Errorf("history: %v, %v", h, err)
			}
		})
	})
}

// TestTest validates without a change: what a condition lets go is no fault.
func TestTest(t *testing.T) {
	b := open(t)
	if err := b.edit(`<name>a</name><only>1</only>`); err != nil {
		t.Fatal(err)
	}
	snap := b.store.Snapshot()
	top := snap.Running.Child("top")
	try := func(what string, top *data.Node, want rpcerr.Tag) {
		t.Helper()
		if err := b.store.Test(snap.Running, snap.Running.With(top)); tag(err) != want {
			t.Errorf("%s: %v, want %q", what, err, want)
		}
	}
	s := top.Schema()
	try("what a condition lets go", top.With(data.NewLeaf(s.ChildNamed("name"), "b")), "")
	try("a reference to nothing", top.With(data.NewLeaf(s.ChildNamed("ref"), "1")), rpcerr.TagDataMissing)
	if b.store.Snapshot() != snap {
		t.Error("a test has changed the datastores")
	}
	if err := b.edit(`<name>b</name>`); err != nil {
		t.Error(err)
	}
	if got, want := b.running(), `<top xmlns="urn:m"><name>b</name></top>`; got != want {
		t.Errorf("running = %s, want %s", got, want)
	}
	if err := b.edit(`<only>2</only>`); tag(err) != rpcerr.TagUnknownElement {
		t.Errorf("what a condition forbids: %v", err)
	}
}

// The numbers that a refused transaction has given to names go with it, when those
// that share its group write nothing.
func TestNamesOfARefusedTransaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t)
		inside, leave := make(chan bool), make(chan bool)
		first, second := make(chan error, 1), make(chan error, 1)
		go func() {
			first <- b.update(func(*datastore.Tx) error {
				close(inside)
				<-leave // as no other transaction may, so that the edit comes into this group
				return nil
			})
		}()
		<-inside
		go func() { second <- b.edit(`<l><a>` + strings.Repeat("k", kv.MaxKey) + `</a><b>1</b></l>`) }()
		synctest.Wait()
		close(leave)
		if err := <-first; err != nil {
			t.Error(err)
		}
		if err := <-second; tag(err) != rpcerr.TagTooBig {
			t.Errorf("error = %v, want too-big", err)
		}
		if err := b.edit(`<l><a>1</a><b>1</b></l>`); err != nil {
			t.Error(err)
		}
		b.reopen()
		if got, want := b.running(), `<top xmlns="urn:m"><l><a>1</a><b>1</b></l></top>`; got != want {
			t.Errorf("running = %s, want %s", got, want)
		}
	})
}

// Check finds a history that does not lead to the configuration, though its rows are
// sound.
func TestCheckFindsABrokenHistory(t *testing.T) {
	for _, c := range []struct {
		name string
		harm func(*datastore.Tx)
	}{
		{"a commit is missing", func(tx *datastore.Tx) { tx.Delete("history", []byte{0, 0, 0, 0, 0, 0, 0, 2}) }},
		{"a commit is another's", func(tx *datastore.Tx) {
			tx.Put("history", []byte{0, 0, 0, 0, 0, 0, 0, 3}, bytes.Clone(tx.Get("history", []byte{0, 0, 0, 0, 0, 0, 0, 1})))
			tx.Put("history", []byte{0, 0, 0, 0, 0, 0, 0, 2}, bytes.Clone(tx.Get("history", []byte{0, 0, 0, 0, 0, 0, 0, 3})))
		}},
		{"a commit is cut short", func(tx *datastore.Tx) {
			v := tx.Get("history", []byte{0, 0, 0, 0, 0, 0, 0, 2})
			tx.Put("history", []byte{0, 0, 0, 0, 0, 0, 0, 2}, bytes.Clone(v[:len(v)-1]))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := open(t)
			for _, body := range []string{`<name>a</name>`, `<l><a>1</a><b>1</b></l>`, `<l><a>1</a><b>1</b><v>v</v></l>`} {
				if err := b.edit(body); err != nil {
					t.Fatal(err)
				}
			}
			if err := b.store.Check(); err != nil {
				t.Fatal(err)
			}
			if err := b.update(func(tx *datastore.Tx) error { c.harm(tx); return nil }); err != nil {
				t.Fatal(err)
			}
			if err := b.store.Check(); !errors.Is(err, kv.ErrDamaged) {
				t.Errorf("Check = %v, want damage", err)
			}
		})
	}
}
