package oam

import (
	"fmt"
	"iter"
	"slices"

	"incidentd/yang"
	"incidentd/yang/data"
)

// schema are the schema nodes of tests.
type schema struct {
	root       *yang.Node
	containers [2]*yang.Node // by kind
	lists      [2]*yang.Node
	service    *yang.Node
	change     *yang.Node // the notifications
	done       *yang.Node
	crossed    *yang.Node
	preview    *yang.Node // the output of preview-schedule
}

func newSchema(s *yang.Schema) (*schema, error) {
	own := s.Module("incidentd-oam-tests")
	out := &schema{root: s.Root}
	for _, k := range []Kind{UnitaryTest, TestSequence} {
		m := s.Module(k.module())
		if own == nil || !own.Implemented || m == nil || !m.Implemented {
			return nil, fmt.Errorf("oam: the schema does not implement incidentd-oam-tests and %s", k.module())
		}
		out.containers[k] = s.Root.Child(m, k.container())
		out.lists[k] = out.containers[k].ChildNamed(k.list())
	}
	out.service = s.Root.Child(own, "oam-service")
	out.change = s.Notification(own.Name, "oam-test-state-change")
	out.done = s.Notification(own.Name, "oam-test-completed")
	out.crossed = s.Notification(own.Name, "oam-threshold-crossing")
	for _, c := range s.RPC(own.Name, "preview-schedule").Children {
		if c.Kind == yang.Output {
			out.preview = c
		}
	}
	return out, nil
}

// serviceOf is oam-service of a configuration, empty without one.
func (s *schema) serviceOf(running *data.Node) *data.Node {
	if n := running.Get(s.service); n != nil {
		return n
	}
	return data.New(s.service)
}

// containerOf is the container of a kind in a configuration, empty without one.
func (s *schema) containerOf(running *data.Node, k Kind) *data.Node {
	if n := running.Get(s.containers[k]); n != nil {
		return n
	}
	return data.New(s.containers[k])
}

// entries are all tests and sequences of a configuration, with their places.
func (s *schema) entries(running *data.Node) iter.Seq2[id, *data.Loc] {
	return func(yield func(id, *data.Loc) bool) {
		for _, k := range []Kind{UnitaryTest, TestSequence} {
			at := (&data.Loc{Node: running}).Down(s.containerOf(running, k))
			for e := range at.Node.EntriesOf(s.lists[k]) {
				if !yield(id{k, e.Leaf("name")}, at.Down(e)) {
					return
				}
			}
		}
	}
}

// entry is the place of a test or a sequence in a configuration, nil without it.
func (s *schema) entry(running *data.Node, i id) *data.Loc {
	at := (&data.Loc{Node: running}).Down(s.containerOf(running, i.kind))
	if e := at.Node.Entry(s.lists[i.kind], data.Key(i.name)); e != nil {
		return at.Down(e)
	}
	return nil
}

// changed are the tests and sequences that differ between two configurations: those to be
// read, among them sequences that refer to tests which differ, and those that are gone.
func (s *schema) changed(old, new *data.Node) (define map[id]*data.Loc, remove []id) {
	define = map[id]*data.Loc{}
	tests := false
	for _, k := range []Kind{UnitaryTest, TestSequence} {
		a, b := old.Get(s.containers[k]), new.Get(s.containers[k])
		if a == b {
			continue
		}
		seen := map[string]bool{}
		note := func(name string) {
			if seen[name] {
				return
			}
			seen[name] = true
			i := id{k, name}
			if at := s.entry(new, i); at != nil {
				define[i] = at
			} else {
				remove = append(remove, i)
			}
		}
		data.Diff(s.containerOf(old, k), s.containerOf(new, k), func(parent *data.Loc, was, is *data.Node) bool {
			n := is
			if n == nil {
				n = was
			}
			for l := parent.Down(n); l != nil; l = l.Parent {
				if l.Node.Schema() == s.lists[k] {
					note(l.Node.Leaf("name"))
				}
			}
			return true
		})
		tests = tests || k == UnitaryTest && len(seen) > 0
	}
	if tests {
		for i, at := range s.entries(new) {
			if i.kind == TestSequence && s.refersTo(at.Node, define) {
				define[i] = at
			}
		}
	}
	slices.SortFunc(remove, compareIDs)
	return define, remove
}

// refersTo reports whether a sequence refers to a test that has changed.
func (s *schema) refersTo(sequence *data.Node, changed map[id]*data.Loc) bool {
	for e := range sequence.Entries("test-ref") {
		if ref := e.Leaf("unitary-test"); ref != "" && changed[id{UnitaryTest, ref}] != nil {
			return true
		}
	}
	return false
}
