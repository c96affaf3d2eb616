package journal

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"incidentd/datastore/kv"
)

// follower is a cursor and what it should be at.
type follower struct {
	c      *Cursor
	next   uint64
	stream string
}

// retention of the model: one stream keeps less than NETCONF, another one more.
var retention = map[string]Retention{
	NETCONF:     {20 * time.Minute, 40000},
	"incidents": {2 * time.Hour, -1},
	"oam":       {10 * time.Minute, 10000},
}

// has reports whether a record is in a stream.
func has(stream string, r Record) bool { return stream == NETCONF || stream == r.Stream }

// TestModel appends, fails, trims, reopens and reads at random, on a journal and
// on a slice. Invariants: a cursor gives exactly the slice's records of its
// stream in order, as far as the stream keeps them; numbers have no gaps and are not
// used again; times never go back; FindTime, First, Last and AgedTime agree with the
// slice; the rows are those that some stream keeps.
func TestModel(t *testing.T) {
	dir, run := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		db, err := kv.Open(filepath.Join(dir, string(rune('a'+run%26))), kv.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if err := db.Update(func(w *kv.Writer) error {
			_, err := w.DeleteRange(table, nil, nil)
			_, err2 := w.DeleteRange(infoTable, nil, nil)
			return errors.Join(err, err2)
		}); err != nil {
			t.Fatal(err)
		}
		o := Options{RingRecords: 20, RingBytes: 8000}
		open := func() *Journal {
			j, err := Open(db, o)
			if err != nil {
				t.Fatal(err)
			}
			j.SetRetention(retention)
			return j
		}
		j, now := open(), epoch
		var all []Record // by Seq-1
		floor := map[string]uint64{NETCONF: 1, "incidents": 1, "oam": 1, "alarms": 1}
		var followers []*follower
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) {
				if j.First() != floor[NETCONF] || j.Last() != uint64(len(all)) {
					t.Fatalf("%d to %d, want %d to %d", j.First(), j.Last(), floor[NETCONF], len(all))
				}
				for stream, at := range floor {
					var aged time.Time
					if at > 1 {
						aged = all[at-2].Time
					}
					if got := j.AgedTime(stream); !got.Equal(aged) {
						t.Fatalf("AgedTime(%s) = %v, want %v", stream, got, aged)
					}
				}
				checkRows(t, db, all, floor)
			},
			"append": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(-120, 600).Draw(t, "seconds")) * time.Second)
				fail := rapid.IntRange(0, 3).Draw(t, "fail") == 0
				var batches []*Batch
				err := db.Update(func(w *kv.Writer) error {
					for range rapid.IntRange(1, 3).Draw(t, "batches") {
						var drafts []Draft
						for range rapid.IntRange(0, 15).Draw(t, "records") {
							drafts = append(drafts, Draft{
								rapid.SampledFrom([]string{"", "incidents", "oam"}).Draw(t, "stream"), "m:n",
								make([]byte, rapid.SampledFrom([]int{0, 10, 3000}).Draw(t, "body")),
							})
						}
						b, err := j.Stage(w, now, drafts)
						if err != nil {
							return err
						}
						batches = append(batches, b)
					}
					if fail {
						return errFail
					}
					return nil
				})
				if fail != (err != nil) {
					t.Fatal(err)
				}
				for _, b := range batches {
					if fail {
						b.Discard()
						continue
					}
					b.Publish()
					for _, r := range b.Records() {
						if n := len(all); n > 0 && r.Time.Before(all[n-1].Time) || r.Seq != uint64(n+1) {
							t.Fatalf("record %d at %v after %d", r.Seq, r.Time, n)
						}
						all = append(all, *r)
					}
				}
			},
			"trim": func(t *rapid.T) {
				if _, err := j.Trim(t.Context(), now); err != nil {
					t.Fatal(err)
				}
				for stream, keep := range retention {
					total := 0
					for _, r := range all[floor[stream]-1:] {
						if has(stream, r) {
							total += rowBytes(r)
						}
					}
					for i := floor[stream] - 1; i < uint64(len(all)); i++ {
						if !has(stream, all[i]) {
							continue
						}
						if now.Sub(all[i].Time) <= keep.MaxAge && (keep.MaxBytes < 0 || total <= int(keep.MaxBytes)) {
							break
						}
						total -= rowBytes(all[i])
						floor[stream] = i + 2
					}
				}
			},
			"reopen": func(t *rapid.T) {
				j = open()
				for _, f := range followers {
					f.c = j.Cursor(f.next, f.streams()...)
				}
			},
			"follow": func(t *rapid.T) {
				f := &follower{stream: rapid.SampledFrom([]string{"incidents", "oam", NETCONF}).Draw(t, "stream")}
				f.next = rapid.Uint64Range(floor[f.stream], uint64(len(all)+1)).Draw(t, "from")
				f.c = j.Cursor(f.next, f.streams()...)
				followers = append(followers, f)
			},
			"read": func(t *rapid.T) {
				if len(followers) == 0 {
					return
				}
				rapid.SampledFrom(followers).Draw(t, "who").read(t, all, floor, rapid.IntRange(1, 40).Draw(t, "n"))
			},
			"find": func(t *rapid.T) {
				at := now.Add(-time.Duration(rapid.IntRange(-100, 3000).Draw(t, "ago")) * time.Second)
				stream := rapid.SampledFrom([]string{"incidents", "oam", NETCONF}).Draw(t, "stream")
				got, err := j.FindTime(at, stream)
				if err != nil || got < floor[stream] || got > uint64(len(all)+1) {
					t.Fatalf("FindTime(%v, %s) = %d, %v", at, stream, got, err)
				}
				for i := floor[stream]; i <= uint64(len(all)); i++ {
					if r := all[i-1]; has(stream, r) && (i < got) != r.Time.Before(at) {
						t.Fatalf("FindTime(%v, %s) = %d, and record %d is of %v", at, stream, got, i, r.Time)
					}
				}
			},
		})
	})
}

var errFail = errors.New("the transaction fails")

// rowBytes is what a record counts for retention.
func rowBytes(r Record) int { return int(rowSize(encode(&r, 0))) }

// checkRows holds that a row is there if and only if a stream keeps it.
func checkRows(t *rapid.T, db *kv.DB, all []Record, floor map[string]uint64) {
	var want, got []uint64
	for _, r := range all {
		if r.Seq >= floor[NETCONF] || r.Stream != "" && r.Seq >= floor[r.Stream] {
			want = append(want, r.Seq)
		}
	}
	if err := db.View(func(r *kv.Reader) error {
		for k := range r.Scan(table, nil, nil) {
			seq, err := unkey(k)
			if err != nil {
				return err
			}
			got = append(got, seq)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("rows %v, want %v", got, want)
	}
}

func (f *follower) streams() []string { return []string{f.stream} }

// read reads up to n records.
func (f *follower) read(t *rapid.T, all []Record, floor map[string]uint64, n int) {
	first := floor[f.stream]
	for range n {
		got, err := f.c.TryNext()
		var aged *AgedError
		if errors.As(err, &aged) {
			if aged.First != first || aged.Wanted >= first || aged.Wanted < f.next {
				t.Fatalf("%v, and %d was next, %d is the first", err, f.next, first)
			}
			f.next = first
			f.c.Seek(first)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for f.next <= uint64(len(all)) && !has(f.stream, all[f.next-1]) {
			f.next++
		}
		if f.next > uint64(len(all)) {
			if got != nil {
				t.Fatalf("record %d after the last", got.Seq)
			}
			return
		}
		if got == nil {
			t.Fatalf("nothing, want record %d", f.next)
		}
		if want := all[f.next-1]; got.Seq != want.Seq || !got.Time.Equal(want.Time) || got.Stream != want.Stream || len(got.Body) != len(want.Body) {
			t.Fatalf("(-want +got):\n%s", cmp.Diff(want, *got))
		}
		f.next++
	}
}
