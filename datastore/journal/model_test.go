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

// TestModel appends, fails, trims, reopens and reads at random, on a journal and
// on a slice. Invariants: a cursor gives exactly the slice's records of its
// stream in order; numbers have no gaps and are not used again; times never go
// back; FindTime, First and Last agree with the slice.
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
		o := Options{MaxAge: 20 * time.Minute, MaxBytes: 40000, RingRecords: 20, RingBytes: 8000}
		open := func() *Journal {
			j, err := Open(db, o)
			if err != nil {
				t.Fatal(err)
			}
			return j
		}
		j, now := open(), epoch
		var all []Record // by Seq-1
		first := uint64(1)
		var followers []*follower
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) {
				if j.First() != first || j.Last() != uint64(len(all)) {
					t.Fatalf("%d to %d, want %d to %d", j.First(), j.Last(), first, len(all))
				}
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
				size := func(r Record) int { return 8 + len(encode(&r, 0)) }
				total := 0
				for _, r := range all[first-1:] {
					total += size(r)
				}
				for first <= uint64(len(all)) && (now.Sub(all[first-1].Time) > o.MaxAge || total > int(o.MaxBytes)) {
					total -= size(all[first-1])
					first++
				}
			},
			"reopen": func(t *rapid.T) {
				j = open()
				for _, f := range followers {
					f.c = j.Cursor(f.next, f.streams()...)
				}
			},
			"follow": func(t *rapid.T) {
				f := &follower{
					next:   rapid.Uint64Range(first, uint64(len(all)+1)).Draw(t, "from"),
					stream: rapid.SampledFrom([]string{"", "incidents", "oam", NETCONF}).Draw(t, "stream"),
				}
				f.c = j.Cursor(f.next, f.streams()...)
				followers = append(followers, f)
			},
			"read": func(t *rapid.T) {
				if len(followers) == 0 {
					return
				}
				rapid.SampledFrom(followers).Draw(t, "who").read(t, all, first, rapid.IntRange(1, 40).Draw(t, "n"))
			},
			"find": func(t *rapid.T) {
				at := now.Add(-time.Duration(rapid.IntRange(-100, 3000).Draw(t, "ago")) * time.Second)
				i := slices.IndexFunc(all[first-1:], func(r Record) bool { return !r.Time.Before(at) })
				want := first + uint64(i)
				if i < 0 {
					want = uint64(len(all) + 1)
				}
				if got, err := j.FindTime(at); got != want || err != nil {
					t.Fatalf("FindTime(%v) = %d, %v, want %d", at, got, err, want)
				}
			},
		})
	})
}

var errFail = errors.New("the transaction fails")

func (f *follower) streams() []string {
	if f.stream == "" {
		return nil
	}
	return []string{f.stream}
}

// read reads up to n records.
func (f *follower) read(t *rapid.T, all []Record, first uint64, n int) {
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
		for f.next <= uint64(len(all)) && f.stream != "" && f.stream != NETCONF && all[f.next-1].Stream != f.stream {
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
