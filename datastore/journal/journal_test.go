package journal

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"incidentd/datastore/kv"
)

var epoch = time.Date(2026, 3, 4, 5, 6, 7, 890, time.UTC)

func openStore(t testing.TB, path string) *kv.DB {
	t.Helper()
	db, err := kv.Open(path, kv.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return db
}

// openTest opens a journal in a store of its own.
func openTest(t testing.TB, o Options) *Journal {
	t.Helper()
	return openIn(t, openStore(t, filepath.Join(t.TempDir(), "store")), o)
}

func openIn(t testing.TB, db *kv.DB, o Options) *Journal {
	t.Helper()
	j, err := Open(db, o)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// add appends records in one transaction and publishes them.
func add(j *Journal, now time.Time, drafts ...Draft) error {
	var b *Batch
	if err := j.db.Update(func(w *kv.Writer) (err error) {
		b, err = j.Stage(w, now, drafts)
		return err
	}); err != nil {
		if b != nil {
			b.Discard()
		}
		return err
	}
	b.Publish()
	return nil
}

func mustAdd(t testing.TB, j *Journal, now time.Time, drafts ...Draft) {
	t.Helper()
	if err := add(j, now, drafts...); err != nil {
		t.Fatal(err)
	}
}

func draft(stream string, n int) Draft {
	return Draft{stream, "m:n", fmt.Appendf(nil, "<n>%d</n>", n)}
}

// drain is what a cursor gives without waiting.
func drain(t testing.TB, c *Cursor) (all []Record) {
	t.Helper()
	for {
		r, err := c.TryNext()
		if err != nil {
			t.Fatal(err)
		}
		if r == nil {
			return all
		}
		all = append(all, *r)
	}
}

func TestRecords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	db := openStore(t, path)
	j := openIn(t, db, Options{})
	if j.First() != 1 || j.Last() != 0 {
		t.Errorf("a new journal has %d to %d", j.First(), j.Last())
	}
	mustAdd(t, j, epoch, draft("incidents", 1), draft("alarms", 2))
	mustAdd(t, j, epoch.Add(-time.Hour), draft("", 3), draft(NETCONF, 4)) // the clock was set back
	mustAdd(t, j, epoch.Add(time.Hour).In(time.FixedZone("x", 3600)), draft("incidents", 5))
	record := func(seq uint64, at time.Time, stream string) Record {
		return Record{seq, at, stream, "m:n", fmt.Appendf(nil, "<n>%d</n>", seq)}
	}
	want := []Record{
		record(1, epoch, "incidents"), record(2, epoch, "alarms"), record(3, epoch, ""),
		record(4, epoch, ""), record(5, epoch.Add(time.Hour), "incidents"),
	}
	check := func(t *testing.T, j *Journal) {
		for _, c := range []struct {
			name    string
			from    uint64
			streams []string
			want    []Record
		}{
			{"all", 0, nil, want},
			{"from one", 4, nil, want[3:]},
			{"from the next", 6, nil, nil},
			{"NETCONF", 1, []string{"alarms", NETCONF}, want},
			{"one stream", 1, []string{"incidents"}, []Record{want[0], want[4]}},
			{"two streams", 2, []string{"incidents", "alarms"}, []Record{want[1], want[4]}},
			{"no such stream", 1, []string{"none"}, nil},
		} {
			if diff := cmp.Diff(c.want, drain(t, j.Cursor(c.from, c.streams...))); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.name, diff)
			}
		}
		for _, c := range []struct {
			at   time.Time
			want uint64
		}{{time.Time{}, 1}, {epoch, 1}, {epoch.Add(1), 5}, {epoch.Add(time.Hour), 5}, {epoch.Add(time.Hour + 1), 6}} {
			if got, err := j.FindTime(c.at, NETCONF); got != c.want || err != nil {
				t.Errorf("FindTime(%v) = %d, %v, want %d", c.at, got, err, c.want)
			}
		}
	}
	t.Run("from memory", func(t *testing.T) { check(t, j) })
	if n := j.Stats().DiskReads; n != 0 {
		t.Errorf("%d chunks were read from the disk", n)
	}
	t.Run("from disk", func(t *testing.T) { check(t, openIn(t, db, Options{})) })
	created := j.CreationTime()
	if created.IsZero() || !openIn(t, db, Options{}).CreationTime().Equal(created) {
		t.Errorf("creation time %v, later %v", created, openIn(t, db, Options{}).CreationTime())
	}
}

func TestStreams(t *testing.T) {
	j := openTest(t, Options{})
	var names []string
	for _, s := range j.Streams() {
		names = append(names, s.Name)
		if s.Description == "" {
			t.Errorf("stream %s has no description", s.Name)
		}
	}
	if diff := cmp.Diff([]string{"NETCONF", "incidents", "alarms", "oam", "audit"}, names); diff != "" {
		t.Errorf("Streams (-want +got):\n%s", diff)
	}
	if err := add(j, epoch, draft("oam", 1), draft("none", 2)); !errors.Is(err, ErrStream) {
		t.Errorf("a draft of an unknown stream: %v", err)
	}
	mustAdd(t, j, epoch, draft("oam", 1))
	if got := j.Last(); got != 1 {
		t.Errorf("Last = %d, want 1: the failed one is no gap", got)
	}
}

// TestBatches: several batches of a transaction, shown and taken back.
func TestBatches(t *testing.T) {
	j := openTest(t, Options{})
	stage := func(fail error, sizes ...int) (batches []*Batch) {
		err := j.db.Update(func(w *kv.Writer) error {
			for _, n := range sizes {
				b, err := j.Stage(w, epoch, make([]Draft, n))
				if err != nil {
					return err
				}
				batches = append(batches, b)
			}
			return fail
		})
		if err != fail {
			t.Fatal(err)
		}
		return batches
	}
	expect := func(what string, last uint64) {
		t.Helper()
		if got := len(drain(t, j.Cursor(0))); uint64(got) != last || j.Last() != last {
			t.Errorf("%s: %d records are read, Last = %d, want %d", what, got, j.Last(), last)
		}
	}
	b := stage(nil, 2, 0, 3)
	if got := b[2].Records()[0].Seq; got != 3 {
		t.Errorf("the second batch begins at %d, want 3", got)
	}
	expect("staged", 0)
	b[0].Publish()
	expect("first published", 2)
	b[0].Publish()
	b[0].Discard()
	b[1].Publish()
	b[2].Publish()
	expect("all published", 5)

	failed := stage(errors.New("no"), 2, 3)
	failed[0].Discard()
	failed[1].Discard()
	expect("discarded", 5)

	b = stage(nil, 1, 1)
	b[1].Publish() // the last one shows all
	b[0].Publish()
	expect("published from the last", 7)

	defer func() {
		if recover() == nil {
			t.Error("Publish of a discarded batch did not panic")
		}
	}()
	failed[1].Publish()
}

// TestUnpublished: what is on disk but not published is not read; after a crash
// it is, since its transaction was committed.
func TestUnpublished(t *testing.T) {
	db := openStore(t, filepath.Join(t.TempDir(), "store"))
	j := openIn(t, db, Options{RingRecords: -1})
	mustAdd(t, j, epoch, draft("oam", 1))
	if err := db.Update(func(w *kv.Writer) error {
		_, err := j.Stage(w, epoch, []Draft{draft("oam", 2)})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if got := drain(t, j.Cursor(0)); len(got) != 1 {
		t.Errorf("%d records before Publish, want 1", len(got))
	}
	j = openIn(t, db, Options{})
	if got := drain(t, j.Cursor(0)); len(got) != 2 {
		t.Errorf("%d records after the restart, want 2", len(got))
	}
	// And the other way: staged, and never committed.
	boom := errors.New("boom")
	if err := db.Update(func(w *kv.Writer) error {
		if _, err := j.Stage(w, epoch, []Draft{draft("oam", 3)}); err != nil {
			return err
		}
		return boom
	}); !errors.Is(err, boom) {
		t.Fatal(err)
	}
	j = openIn(t, db, Options{})
	mustAdd(t, j, epoch, draft("oam", 30))
	if got := drain(t, j.Cursor(3)); len(got) != 1 || got[0].Seq != 3 || string(got[0].Body) != "<n>30</n>" {
		t.Errorf("after the restart: %v", got)
	}
}

func TestTrim(t *testing.T) {
	ctx := t.Context()
	db := openStore(t, filepath.Join(t.TempDir(), "store"))
	o := Options{MaxAge: time.Hour, MaxBytes: 120000, RingRecords: 100}
	j := openIn(t, db, o)
	if !j.AgedTime(NETCONF).IsZero() {
		t.Errorf("AgedTime of a new journal = %v", j.AgedTime(NETCONF))
	}
	for i := range 50 {
		var drafts []Draft
		for n := range 50 {
			drafts = append(drafts, draft("oam", 50*i+n))
		}
		mustAdd(t, j, epoch.Add(time.Duration(i)*time.Minute), drafts...)
	}
	behind, ahead := j.Cursor(5), j.Cursor(2400)
	if r, err := behind.TryNext(); err != nil || r.Seq != 5 {
		t.Fatalf("TryNext = %v, %v", r, err)
	}
	trim := func(now time.Time, want int) {
		t.Helper()
		if n, err := j.Trim(ctx, now); n != want || err != nil {
			t.Errorf("Trim(%v) = %d, %v, want %d", now, n, err, want)
		}
	}
	trim(epoch.Add(time.Hour), 0)
	trim(epoch.Add(time.Hour+40*time.Minute), 2000) // in more than one transaction
	if j.First() != 2001 || j.Last() != 2500 {
		t.Errorf("%d to %d are kept, want 2001 to 2500", j.First(), j.Last())
	}
	if want := epoch.Add(39 * time.Minute); !j.AgedTime(NETCONF).Equal(want) {
		t.Errorf("AgedTime = %v, want %v", j.AgedTime(NETCONF), want)
	}
	if got, err := j.FindTime(epoch, NETCONF); got != 2001 || err != nil {
		t.Errorf("FindTime = %d, %v, want 2001", got, err)
	}
	// What the cursor holds already it still gives; then it learns.
	var err error
	for r := (&Record{}); r != nil && err == nil; {
		r, err = behind.TryNext()
	}
	var aged *AgedError
	if !errors.As(err, &aged) || !errors.Is(err, ErrAged) || aged.First != 2001 || aged.Wanted > 2000 {
		t.Fatalf("the cursor that is behind: %v", err)
	}
	if _, again := behind.Next(ctx); !errors.Is(again, ErrAged) {
		t.Errorf("and again: %v", again)
	}
	behind.Seek(aged.First)
	if got := len(drain(t, behind)); got != 500 {
		t.Errorf("after Seek: %d records, want 500", got)
	}
	if got := len(drain(t, ahead)); got != 101 {
		t.Errorf("the cursor that is ahead: %d records, want 101", got)
	}
	before := j.Stats()
	j = openIn(t, db, o)
	if after := j.Stats(); after.Records != before.Records || after.Bytes != before.Bytes {
		t.Errorf("reopened: %+v, before: %+v", after, before)
	}
	trim(epoch.Add(30*time.Hour), 500)
	if s := j.Stats(); s.Records != 0 || s.Bytes != 0 {
		t.Errorf("Stats of an empty journal = %+v", s)
	}
	j = openIn(t, db, o)
	if j.First() != 2501 || j.Last() != 2500 {
		t.Errorf("reopened when empty: %d to %d", j.First(), j.Last())
	}
	fresh := j.Cursor(0)
	mustAdd(t, j, epoch, draft("oam", 1))
	if got := drain(t, fresh); len(got) != 1 || got[0].Seq != 2501 || !got[0].Time.Equal(epoch.Add(49*time.Minute)) {
		t.Errorf("the next record is %v: no number is used again, and no time goes back", got)
	}
	// By bytes.
	body := []byte(strings.Repeat("b", 30000))
	for range 5 {
		mustAdd(t, j, epoch.Add(time.Hour), Draft{"oam", "m:n", body})
	}
	trim(epoch.Add(time.Hour), 3)
	if s := j.Stats(); s.Records != 3 || s.Bytes > 120000 || s.Bytes < 90000 {
		t.Errorf("Stats = %+v, want 3 records in less than 120000 bytes", s)
	}
	done, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := j.Trim(done, epoch); !errors.Is(err, context.Canceled) {
		t.Errorf("Trim with a context that is done = %v", err)
	}
}

// TestNext: waiting cursors are woken by Publish, and by the end of their context.
func TestNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := openTest(t, Options{})
		got := make([]int, 1000)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for i := range got {
			streams := [][]string{nil, {"oam"}, {"alarms"}}[i%3]
			wg.Go(func() {
				c := j.Cursor(j.Last()+1, streams...)
				for {
					if _, err := c.Next(ctx); err != nil {
						if !errors.Is(err, context.Canceled) {
							t.Errorf("Next = %v", err)
						}
						return
					}
					got[i]++
				}
			})
		}
		expect := func(want [3]int) {
			t.Helper()
			synctest.Wait()
			for i, n := range got {
				if n != want[i%3] {
					t.Fatalf("cursor %d has %d records, want %d", i, n, want[i%3])
				}
			}
		}
		expect([3]int{})
		mustAdd(t, j, time.Now(), draft("oam", 1))
		expect([3]int{1, 1, 0})
		mustAdd(t, j, time.Now(), draft("alarms", 1), draft("oam", 2), draft("incidents", 3))
		expect([3]int{4, 2, 1})
		time.Sleep(time.Hour) // nobody polls: the bubble would never be idle
		cancel()
		wg.Wait()
	})
}

// TestStalled: a cursor that is not read delays nobody, costs no memory beyond
// its chunk, and gets everything later from the disk.
func TestStalled(t *testing.T) {
	j := openTest(t, Options{RingRecords: 64})
	stalled, live := j.Cursor(1), j.Cursor(1)
	const n = 3000
	for i := range n {
		mustAdd(t, j, epoch, draft("oam", i))
		if i == 0 {
			if _, err := stalled.TryNext(); err != nil {
				t.Fatal(err)
			}
		}
		if r, err := live.TryNext(); err != nil || r == nil || r.Seq != uint64(i+1) {
			t.Fatalf("record %d: %v, %v", i+1, r, err)
		}
	}
	if reads := j.Stats().DiskReads; reads != 0 {
		t.Errorf("the live cursor read %d chunks from the disk", reads)
	}
	if j.ring.n > 64 {
		t.Errorf("%d records are in memory", j.ring.n)
	}
	rest := drain(t, stalled)
	if len(rest) != n-1 || rest[0].Seq != 2 || rest[n-2].Seq != n {
		t.Errorf("the stalled cursor got %d records", len(rest))
	}
	if reads := j.Stats().DiskReads; reads > n/chunkRecords+1 {
		t.Errorf("it took %d chunks", reads)
	}
}

// TestRingBytes: large records are bounded in memory by their bytes.
func TestRingBytes(t *testing.T) {
	j := openTest(t, Options{RingBytes: 100000})
	for i := range 50 {
		mustAdd(t, j, epoch, Draft{"oam", "m:n", make([]byte, 5000*(i%30))})
	}
	if j.ring.bytes > 100000 || j.ring.n > 25 {
		t.Errorf("%d records of %d bytes are in memory", j.ring.n, j.ring.bytes)
	}
	if got := drain(t, j.Cursor(1)); len(got) != 50 {
		t.Errorf("%d records, want 50", len(got))
	}
}

// TestConcurrent publishes, follows, replays and trims at once. Invariants: each
// cursor gets an unbroken ascending row of its stream's records, each with its own
// content, or is told what it missed.
func TestConcurrent(t *testing.T) {
	j := openTest(t, Options{RingRecords: 32, MaxBytes: 20000})
	const n = 2000
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var readers, trimmer sync.WaitGroup
	for i := range 12 {
		readers.Go(func() {
			c := j.Cursor(1)
			for want := uint64(1); want <= n; {
				r, err := c.Next(ctx)
				var aged *AgedError
				switch {
				case errors.As(err, &aged):
					if aged.Wanted != want || aged.First <= want {
						t.Errorf("cursor %d at %d: %v", i, want, err)
						return
					}
					want = aged.First
					c.Seek(want)
				case err != nil:
					t.Errorf("cursor %d: %v", i, err)
					return
				case r.Seq != want || string(r.Body) != fmt.Sprintf("<n>%d</n>", want):
					t.Errorf("cursor %d: record %d %s, want %d", i, r.Seq, r.Body, want)
					return
				default:
					want++
				}
			}
		})
	}
	trimmer.Go(func() {
		for ctx.Err() == nil {
			if _, err := j.Trim(ctx, epoch); err != nil && ctx.Err() == nil {
				t.Errorf("Trim: %v", err)
				return
			}
			if _, err := j.FindTime(epoch, NETCONF); err != nil {
				t.Errorf("FindTime: %v", err)
			}
		}
	})
	for i := 1; i <= n; i += 10 {
		var drafts []Draft
		for k := i; k < i+10; k++ {
			drafts = append(drafts, draft("oam", k))
		}
		if err := add(j, epoch, drafts...); err != nil {
			t.Error(err)
			cancel()
			break
		}
	}
	readers.Wait()
	cancel()
	trimmer.Wait()
}

// TestDamage: rows that are not as they should be are errors, not gaps.
func TestDamage(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(*kv.Writer) error
	}{
		{"short row", func(w *kv.Writer) error { return w.Put(table, key(2), []byte{1, 2}) }},
		{"cut row", func(w *kv.Writer) error {
			return w.Put(table, key(2), append(make([]byte, 0), encode(&Record{Time: epoch, Stream: "oam"}, 0)[:headSize+2]...))
		}},
		{"other format", func(w *kv.Writer) error { return w.Put(table, key(2), make([]byte, 40)) }},
		{"missing row", func(w *kv.Writer) error { return w.Delete(table, key(2)) }},
		{"strange key", func(w *kv.Writer) error { return w.Put(table, []byte("\x00\x00\x00\x00\x00\x00\x00\x01x"), nil) }},
		{"missing first row", func(w *kv.Writer) error { return w.Delete(table, key(1)) }},
		{"strange last row", func(w *kv.Writer) error { return w.Put(table, []byte("x"), nil) }},
		{"strange creation time", func(w *kv.Writer) error { return w.Put(infoTable, createdKey, []byte("x")) }},
		{"strange aged record", func(w *kv.Writer) error { return w.Put(infoTable, agedKey, []byte("x")) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := openStore(t, filepath.Join(t.TempDir(), "store"))
			j := openIn(t, db, Options{})
			mustAdd(t, j, epoch, draft("oam", 1), draft("oam", 2), draft("oam", 3))
			if err := db.Update(c.spoil); err != nil {
				t.Fatal(err)
			}
			j, err := Open(db, Options{})
			if err == nil {
				for cursor, r := j.Cursor(1), new(Record); r != nil && err == nil; {
					r, err = cursor.TryNext()
				}
			}
			if !errors.Is(err, kv.ErrDamaged) {
				t.Errorf("got %v, want ErrDamaged", err)
			}
		})
	}
}
