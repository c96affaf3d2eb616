package data

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// check verifies what every B+tree holds to: sorted entries, pages of one height,
// none overfull, none empty but the root, the right count.
func (s *set) check() error {
	if s.byUser {
		return nil
	}
	n, last := 0, ""
	var walk func(p *page, top bool) (height int, err error)
	walk = func(p *page, top bool) (int, error) {
		switch {
		case len(p.items) > 0 && len(p.pages) > 0:
			return 0, fmt.Errorf("a page of entries and pages")
		case p.size() > pageSize:
			return 0, fmt.Errorf("a page of %d", p.size())
		case p.size() == 0 && !top:
			return 0, fmt.Errorf("an empty page")
		}
		for _, e := range p.items {
			if n++; n > 1 && e.text <= last {
				return 0, fmt.Errorf("%q after %q", e.text, last)
			}
			last = e.text
		}
		h, begin := 0, n
		for i, c := range p.pages {
			ch, err := walk(c, false)
			if err != nil {
				return 0, err
			}
			if i > 0 && ch != h {
				return 0, fmt.Errorf("pages of heights %d and %d", h, ch)
			}
			h = ch
		}
		if len(p.pages) > 0 && p.n != n-begin {
			return 0, fmt.Errorf("a page says %d entries, it has %d", p.n, n-begin)
		}
		return h + 1, nil
	}
	if _, err := walk(s.root, true); err != nil {
		return err
	}
	if n != s.n {
		return fmt.Errorf("%d entries, the count says %d", n, s.n)
	}
	return nil
}

// TestSetPlaces: entries are found by their place, and places by their key, in sets of
// every height and in sequences.
func TestSetPlaces(t *testing.T) {
	schema := testSchema(t)
	for _, list := range []string{"l", "u"} {
		for _, n := range []int{0, 1, 63, 64, 65, 5000} {
			s, o := newSet(schema.Root.ChildNamed(list)), new(owner)
			var want []string
			for i := range n {
				want = append(want, fmt.Sprintf("%06d", i))
				s = s.put(o, NewEntry(schema.Root.ChildNamed(list), want[i]))
			}
			for _, at := range []int{-1, 0, 1, n / 3, n - 2, n - 1, n} {
				var on, back []string
				s.from(at, false, func(e *Node) bool { on = append(on, e.text); return len(on) < 200 })
				s.from(at, true, func(e *Node) bool { back = append(back, e.text); return len(back) < 200 })
				if at < 0 || at >= n {
					if on != nil || back != nil {
						t.Errorf("%s of %d: something at %d", list, n, at)
					}
					continue
				}
				wantBack := slices.Clone(want[max(0, at-199) : at+1])
				slices.Reverse(wantBack)
				if !slices.Equal(on, want[at:min(n, at+200)]) || !slices.Equal(back, wantBack) {
					t.Errorf("%s of %d, from %d: %v and back %v", list, n, at, on, back)
				}
				if got := s.rank(want[at]); got != at {
					t.Errorf("%s of %d: the place of %s is %d", list, n, want[at], got)
				}
			}
			if got := s.rank("nosuch"); got != -1 {
				t.Errorf("%s of %d: the place of what is not there is %d", list, n, got)
			}
		}
	}
}

func contents(s *set) map[string]*Node {
	out := map[string]*Node{}
	s.each(func(e *Node) bool {
		out[e.text] = e
		return true
	})
	return out
}

// TestSetModel: a set behaves as a plain map; older versions stay as they were,
// whatever is done to newer ones, also within one edit; the difference of two
// versions is that of the maps.
func TestSetModel(t *testing.T) {
	schema := testSchema(t).Root.ChildNamed("l")
	rapid.Check(t, func(t *rapid.T) {
		type version struct {
			set *set
			m   map[string]*Node
		}
		versions := []version{{newSet(schema), map[string]*Node{}}}
		keys := rapid.IntRange(1, 600).Draw(t, "keys")
		for range rapid.IntRange(1, 6).Draw(t, "edits") {
			from := versions[rapid.IntRange(0, len(versions)-1).Draw(t, "from")]
			s, m, o := from.set, maps.Clone(from.m), new(owner)
			deleting := rapid.Bool().Draw(t, "deleting")
			at, step := rapid.IntRange(0, keys).Draw(t, "at"), rapid.IntRange(1, 7).Draw(t, "step")
			for i := range rapid.IntRange(0, 500).Draw(t, "changes") {
				key := fmt.Sprintf("%04d", (at+i*step)%keys)
				if deleting {
					s = s.delete(o, key)
					delete(m, key)
				} else {
					e := &Node{schema: schema, text: key}
					s = s.put(o, e)
					m[key] = e
				}
			}
			versions = append(versions, version{s, m})
		}
		for i, v := range versions {
			if err := v.set.check(); err != nil {
				t.Fatalf("version %d: %v", i, err)
			}
			if got := contents(v.set); !maps.Equal(got, v.m) || v.set.len() != len(v.m) {
				t.Fatalf("version %d has %d entries, want %d", i, len(got), len(v.m))
			}
			for key, e := range v.m {
				if v.set.get(key) != e {
					t.Fatalf("version %d: get(%s) is another entry", i, key)
				}
			}
			if v.set.get("x") != nil || v.set.get("") != nil {
				t.Fatalf("version %d has what it has not", i)
			}
			for j, w := range versions {
				got := map[string][2]*Node{}
				diffSets(v.set, w.set, func(old, new *Node) bool {
					key := ""
					if old != nil {
						key = old.text
					} else {
						key = new.text
					}
					if _, twice := got[key]; twice {
						t.Fatalf("%d to %d: %s is told twice", i, j, key)
					}
					got[key] = [2]*Node{old, new}
					return true
				})
				want := map[string][2]*Node{}
				for key, e := range v.m {
					if w.m[key] != e {
						want[key] = [2]*Node{e, w.m[key]}
					}
				}
				for key, e := range w.m {
					if v.m[key] != e {
						want[key] = [2]*Node{v.m[key], e}
					}
				}
				if !maps.Equal(got, want) {
					t.Fatalf("difference of %d and %d: %d entries, want %d", i, j, len(got), len(want))
				}
			}
		}
	})
}

// TestSequenceModel is the same for entries in the user's order, against a slice.
func TestSequenceModel(t *testing.T) {
	schema := testSchema(t).Root.ChildNamed("u")
	rapid.Check(t, func(t *rapid.T) {
		type version struct {
			set  *set
			list []string
		}
		versions := []version{{newSet(schema), nil}}
		for range rapid.IntRange(1, 6).Draw(t, "edits") {
			from := versions[rapid.IntRange(0, len(versions)-1).Draw(t, "from")]
			s, list, o := from.set, slices.Clone(from.list), new(owner)
			for range rapid.IntRange(0, 60).Draw(t, "changes") {
				key := fmt.Sprint(rapid.IntRange(0, 40).Draw(t, "key"))
				i := slices.Index(list, key)
				if rapid.IntRange(0, 3).Draw(t, "kind") == 0 {
					s = s.delete(o, key)
					if i >= 0 {
						list = slices.Delete(list, i, i+1)
					}
					continue
				}
				s = s.put(o, &Node{schema: schema, text: key})
				if i < 0 {
					list = append(list, key)
				}
			}
			versions = append(versions, version{s, list})
		}
		for i, v := range versions {
			var got []string
			v.set.each(func(e *Node) bool {
				got = append(got, e.text)
				return true
			})
			if !slices.Equal(got, v.list) {
				t.Fatalf("version %d is %v, want %v", i, got, v.list)
			}
			for at, key := range v.list {
				if v.set.find(key) != at || v.set.place(v.set.seq[at]) != at {
					t.Fatalf("version %d: %s is not found at %d", i, key, at)
				}
			}
			if v.set.get("x") != nil {
				t.Fatal("a key that is not there is found")
			}
			for j, w := range versions {
				gone, here := map[string]bool{}, map[string]bool{}
				diffSets(v.set, w.set, func(old, new *Node) bool {
					if old != nil && new == nil {
						gone[old.text] = true
					}
					if old == nil {
						here[new.text] = true
					}
					return true
				})
				// What stays keeps its order, and with what came it is the new list.
				stay := slices.DeleteFunc(slices.Clone(v.list), func(k string) bool { return gone[k] })
				rest := slices.DeleteFunc(slices.Clone(w.list), func(k string) bool { return here[k] })
				if !slices.Equal(stay, rest) {
					t.Fatalf("%d %v to %d %v: %v stay, %v are not new", i, v.list, j, w.list, stay, rest)
				}
			}
		}
	})
}

// TestSetRelatedDiff: the difference touches only pages that differ, also where
// pages were split at both ends.
func TestSetRelatedDiff(t *testing.T) {
	schema := testSchema(t).Root.ChildNamed("l")
	s, o := newSet(schema), new(owner)
	const n = 100_000
	for i := range n {
		s = s.put(o, &Node{schema: schema, text: fmt.Sprintf("%06d", i)})
	}
	edited, o := s, new(owner)
	want := 0
	for _, key := range []string{"000000a", "050000a", "099998a"} {
		for i := range 40 {
			edited = edited.put(o, &Node{schema: schema, text: fmt.Sprintf("%s%02d", key, i)})
			want++
		}
	}
	if err := edited.check(); err != nil {
		t.Fatal(err)
	}
	got := 0
	allocated := testing.AllocsPerRun(1, func() {
		got = 0
		diffSets(s, edited, func(old, new *Node) bool {
			if old != nil || new == nil {
				t.Errorf("%v became %v", old, new)
			}
			got++
			return true
		})
	})
	if got != want || allocated > 200 {
		t.Errorf("%d differences with %v allocations, want %d with at most 200", got, allocated, want)
	}
}
