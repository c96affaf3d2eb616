package audit_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"incidentd/datastore"
	"incidentd/datastore/journal"
	"incidentd/datastore/kv"
	"incidentd/netconf/audit"
	"incidentd/netconf/netconftest"
	"incidentd/netconf/transport"
	"incidentd/yang/data"
)

// fixture is an audit on a store of its own.
type fixture struct {
	t     testing.TB
	path  string
	o     journal.Options
	db    *kv.DB
	store *datastore.Store
	log   *audit.Log
	text  *netconftest.Log
}

func open(t testing.TB, o journal.Options) *fixture {
	t.Helper()
	f := &fixture{t: t, path: filepath.Join(t.TempDir(), "store.db"), o: o, text: new(netconftest.Log)}
	f.open()
	return f
}

func (f *fixture) open() {
	f.t.Helper()
	schema, err := netconftest.Schema()
	if err != nil {
		f.t.Fatal(err)
	}
	if f.db, err = kv.Open(f.path, kv.Options{}); err != nil {
		f.t.Fatal(err)
	}
	j, err := journal.Open(f.db, f.o)
	if err != nil {
		f.t.Fatal(err)
	}
	if f.store, err = datastore.Open(f.db, j, schema, datastore.Options{}); err != nil {
		f.t.Fatal(err)
	}
	f.log, err = audit.Open(audit.Config{Store: f.store, DB: f.db, Log: slog.New(slog.NewTextHandler(f.text, nil))})
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) close() {
	f.t.Helper()
	f.log.Close()
	f.store.Close()
	if err := f.db.Close(); err != nil {
		f.t.Error(err)
	}
}

// reopen changes the store behind the audit's back.
func (f *fixture) reopen(change func(w *kv.Writer) error) {
	f.t.Helper()
	f.log.Close()
	f.store.Close()
	if change != nil {
		if err := f.db.Update(change); err != nil {
			f.t.Fatal(err)
		}
	}
	if err := f.db.Close(); err != nil {
		f.t.Fatal(err)
	}
	f.open()
}

func (f *fixture) verify() audit.Result {
	f.t.Helper()
	r, err := audit.Verify(f.t.Context(), f.store, f.db)
	if err != nil {
		f.t.Fatal(err)
	}
	return r
}

func (f *fixture) login(user string) {
	f.log.Login(transport.Login{User: user, RemoteAddr: &net.TCPAddr{IP: net.ParseIP("192.0.2.7"), Port: 1}, Credential: "password"})
}

// commands makes n records, each on disk before the next.
func (f *fixture) commands(from, n int) {
	for i := range n {
		f.log.Command("test", fmt.Sprint("subject ", from+i), nil)
	}
}

func key(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

func TestVerify(t *testing.T) {
	replace := func(seq uint64, old, new string) func(w *kv.Writer) error {
		return func(w *kv.Writer) error {
			row := w.Get("journal", key(seq))
			if !bytes.Contains(row, []byte(old)) {
				return fmt.Errorf("row %d has no %q", seq, old)
			}
			return w.Put("journal", key(seq), bytes.ReplaceAll(row, []byte(old), []byte(new)))
		}
	}
	copyRow := func(from, to uint64) func(w *kv.Writer) error {
		return func(w *kv.Writer) error { return w.Put("journal", key(to), bytes.Clone(w.Get("journal", key(from)))) }
	}
	tests := []struct {
		name   string
		change func(w *kv.Writer) error
		good   uint64
		fault  string
	}{
		{"untouched", nil, 10, ""},
		{"a text was changed", replace(4, "subject 4", "subject 9"), 3, "record 4 was changed"},
		{"the result was changed", replace(4, "<result>ok", "<result>error"), 3, "record 4 was changed"},
		{"the first one was changed", replace(1, "subject 1", "subject 9"), 0, "record 1 was changed"},
		{"the last one was changed", replace(10, "subject 10", "subject 11"), 9, "record 10 was changed"},
		{"a hash is missing", replace(4, "<hash>", "<text>"), 3, "record 4 cannot be read"},
		{"no audit record", replace(4, "incidentd-audit:audit-record", "incidentd-audit:auditorecord"), 3, "record 4 cannot be read"},
		{"one in the place of another", copyRow(5, 4), 3, "record 4 is missing; record 5 stands in its place"},
		{"removed in the middle", func(w *kv.Writer) error { return w.Delete("journal", key(4)) }, 3, "after record 3"},
		{"the last ones were cut off", func(w *kv.Writer) error {
			return errors.Join(w.Delete("journal", key(9)), w.Delete("journal", key(10)))
		}, 8, "record 9 and those after it, up to 10, are missing"},
		{"the head was turned back", func(w *kv.Writer) error {
			head := bytes.Clone(w.Get("audit", []byte("head")))
			binary.BigEndian.PutUint64(head, 8)
			return w.Put("audit", []byte("head"), head)
		}, 8, "record 8 is not the one that was stored as the last"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := open(t, journal.Options{RingRecords: -1})
			defer f.close()
			f.commands(1, 10)
			if r := f.verify(); r.Records != 10 || r.First != 1 || r.Last != 10 || r.Break != "" {
				t.Fatalf("before: %+v", r)
			}
			f.reopen(tt.change)
			r := f.verify()
			if r.Records != tt.good || !strings.HasPrefix(r.Break, tt.fault) || (r.Break == "") != (tt.fault == "") {
				t.Errorf("Verify = %+v, want %d good records and the break %q", r, tt.good, tt.fault)
			}
		})
	}
}

// A chain goes on after a restart, and begins with what retention has left.
func TestTrimmed(t *testing.T) {
	if _, err := netconftest.Schema(); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		f := open(t, journal.Options{MaxAge: time.Hour, RingRecords: -1})
		defer f.close()
		f.commands(1, 5)
		time.Sleep(2 * time.Hour)
		f.reopen(nil)
		f.commands(6, 5)
		if _, err := f.store.Journal().Trim(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		if r := f.verify(); r.First != 6 || r.Records != 5 || r.Break != "" {
			t.Errorf("Verify = %+v, want 6 to 10", r)
		}
		// Who deletes more than retention did is noticed.
		f.reopen(func(w *kv.Writer) error {
			aged := binary.BigEndian.AppendUint64(key(6), uint64(time.Now().UnixNano()))
			return errors.Join(w.Delete("journal", key(6)), w.Put("journal-info", []byte("aged"), aged))
		})
		if r := f.verify(); r.Break != "record 6 is missing; record 7 stands in its place" {
			t.Errorf("Verify = %+v", r)
		}
	})
}

// Nothing is lost between many who write at once, and the order is that of the numbers.
func TestConcurrent(t *testing.T) {
	f := open(t, journal.Options{})
	defer f.close()
	var writers sync.WaitGroup
	for w := range 8 {
		writers.Go(func() {
			for i := range 1000 {
				f.login(fmt.Sprint("u", w, "-", i))
			}
			f.log.Command("flush", "", nil)
		})
	}
	writers.Wait()
	if r := f.verify(); r.Records != 8008 || r.Break != "" {
		t.Errorf("Verify = %+v, want 8008 records", r)
	}
	list, err := audit.List(t.Context(), f.store, 8008)
	if err != nil || len(list) != 8008 {
		t.Fatalf("List = %d records, %v", len(list), err)
	}
	next := map[string]int{}
	for i, r := range list {
		if r.Number != uint64(i+1) {
			t.Fatalf("record %d stands at %d", r.Number, i)
		}
		if who, n, ok := strings.Cut(r.User, "-"); ok {
			if n != fmt.Sprint(next[who]) {
				t.Fatalf("%s after %d of the same", r.User, next[who])
			}
			next[who]++
		}
	}
	if list, err := audit.List(t.Context(), f.store, 3); err != nil || len(list) != 3 || list[2].Number != 8008 {
		t.Errorf("the last three: %v, %v", list, err)
	}
}

// What a record holds is bounded, whatever a peer says it is.
func TestHostileLogin(t *testing.T) {
	f := open(t, journal.Options{})
	defer f.close()
	f.login(strings.Repeat("ä", 1<<16))
	f.login("a\x00\x1b[2J]]><x/>\xff")
	groups := make([]string, 1000)
	for i := range groups {
		groups[i] = strings.Repeat("g", 1000)
	}
	f.log.Login(transport.Login{User: "u", Groups: groups, Err: errors.New("no")})
	f.log.Command("flush", "", nil)
	list, err := audit.List(t.Context(), f.store, 10)
	if err != nil || len(list) != 4 {
		t.Fatalf("List = %v, %v", list, err)
	}
	if u := list[0].User; len(u) > 256 || !strings.HasSuffix(u, "ä…") {
		t.Errorf("a user's name of %d bytes: %q", len(u), u)
	}
	if u := list[1].User; u != "a��[2J]]><x/>�" {
		t.Errorf("control characters: %q", u)
	}
	if r := list[2]; len(r.Groups) != 32 || len(r.Groups[0]) > 256 || r.Event != "login-failed" || r.Result != "error" {
		t.Errorf("many groups: %+v", r)
	}
	if r := f.verify(); r.Records != 4 || r.Break != "" {
		t.Errorf("Verify = %+v", r)
	}
}

// What cannot be stored stands in the log, and the next record tells of it.
func TestLost(t *testing.T) {
	f := open(t, journal.Options{})
	defer f.close()
	f.commands(1, 2)
	works := f.log.Break(errors.New("the disk is full"))
	f.commands(3, 2)
	f.login("ann")
	if r := f.verify(); r.Records != 2 || r.Break != "" {
		t.Errorf("Verify while nothing can be stored = %+v, want 2 records", r)
	}
	works()
	f.commands(6, 1)
	for _, want := range []string{
		`level=ERROR msg="audit record not stored" event=command operation=test result=ok text="subject 3" err="the disk is full"`,
		`level=ERROR msg="audit record not stored" event=command operation=test result=ok text="subject 4" err="the disk is full"`,
	} {
		if !strings.Contains(f.text.String(), want) {
			t.Errorf("the log has no %s:\n%s", want, f.text)
		}
	}
	list, err := audit.List(t.Context(), f.store, 10)
	if err != nil || len(list) < 4 {
		t.Fatalf("List = %v, %v", list, err)
	}
	if r := list[2]; r.Event != "lost" || !strings.HasSuffix(r.Text, "records could not be stored") || r.Result != "error" {
		t.Errorf("the record after those that were lost: %+v", r)
	}
	if r := f.verify(); r.Break != "" {
		t.Errorf("Verify = %+v", r)
	}
	f.log.Close()
	f.commands(7, 1)
	if want := `level=ERROR msg="audit record not stored" event=command operation=test result=ok text="subject 7"`; !strings.Contains(f.text.String(), want) {
		t.Errorf("after Close the log has no %s:\n%s", want, f.text)
	}
}

// A change by a local command that is on disk when the server ends, and whose record is
// not, has one after the restart.
func TestPending(t *testing.T) {
	f := open(t, journal.Options{})
	defer f.close()
	schema := f.store.Schema()
	change := func(hostname string, by datastore.Author) {
		t.Helper()
		err := f.store.Update(t.Context(), func(tx *datastore.Tx) error {
			tx.By(by)
			b := data.Build(schema.Root)
			b.Container("system").Leaf("hostname", hostname)
			tx.SetRunning(b.Node())
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	change("h1", datastore.Author{Source: "upgrade"})
	change("h2", datastore.Author{Source: audit.LocalSource, Comment: "user add noc"})
	change("h3", datastore.Author{Source: "upgrade"})
	for range 2 { // the second time there is nothing more to tell
		f.reopen(nil)
		f.log.Close()
		list, err := audit.List(t.Context(), f.store, 10)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range list {
			got = append(got, fmt.Sprint(r.Event, " ", r.User, " ", r.Source, " ", r.Session, " ", r.Operation, " ", r.Touched, " ", r.Text))
		}
		want := []string{
			"command   0 user add noc [{update running /sys:system/sys:hostname}] the server ended before it could answer",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the records (-want +got):\n%s", diff)
		}
	}
}

// Whatever stands in a row is a record or an error, and never a panic.
func FuzzVerify(f *testing.F) {
	fx := open(f, journal.Options{})
	fx.commands(1, 3)
	var body []byte
	c := fx.store.Journal().Cursor(0, audit.Stream)
	for range 2 {
		r, err := c.TryNext()
		if err != nil {
			f.Fatal(err)
		}
		body = r.Body
	}
	follow := audit.Follower(fx.store, 1)
	fx.close() // nothing in the background while it fuzzes
	f.Add(body)
	f.Add([]byte("<audit-record/>"))
	f.Add([]byte(`<audit-record xmlns="urn:incidentd:yang:audit"><number>2</number><hash></hash></audit-record>`))
	f.Fuzz(func(t *testing.T, other []byte) {
		fault := follow(other)
		if (fault == "") != bytes.Equal(other, body) {
			t.Errorf("%q after record 1: fault %q", other, fault)
		}
	})
}
