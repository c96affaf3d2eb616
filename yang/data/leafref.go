package data

import (
	"incidentd/yang"
	"incidentd/yang/xpath"
)

// Targets yields the nodes that the leafref at a place may refer to: those its
// path leads to, whatever their value, defaults in use among them [RFC 7950 section
// 9.9]. root is the tree that an absolute path
// starts from. Keys in the path are look-ups.
func (l *Loc) Targets(path *yang.LeafrefPath, root *Node, yield func(*Loc) bool) bool {
	at := &Loc{nil, root}
	if path.Ups >= 0 {
		if at = l.up(path.Ups); at == nil {
			return true
		}
	}
	return l.follow(at, path.Steps, nil, yield)
}

// HasTarget reports whether a node of that value is where the leafref at the
// place leads to. A list whose only key is the target is looked up.
func (l *Loc) HasTarget(path *yang.LeafrefPath, root *Node, value string) bool {
	at := &Loc{nil, root}
	if path.Ups >= 0 {
		if at = l.up(path.Ups); at == nil {
			return false
		}
	}
	found := false
	l.follow(at, path.Steps, &value, func(t *Loc) bool {
		found = t.Node.text == value
		return !found
	})
	return found
}

func (l *Loc) up(n int) *Loc {
	for ; n > 0 && l != nil; n-- {
		l = l.Parent
	}
	return l
}

// follow goes down the steps. want, when not nil, is the only value of the last
// node that matters.
func (l *Loc) follow(at *Loc, steps []yang.LeafrefStep, want *string, yield func(*Loc) bool) bool {
	if len(steps) == 0 {
		return yield(at)
	}
	s := steps[0]
	if !s.Node.Multiple() {
		if c := at.Node.Get(s.Node); c != nil {
			return l.follow(at.Down(c), steps[1:], want, yield)
		}
		for _, c := range defaultsOf(at.Node, s.Node) {
			return l.follow(at.Down(c), steps[1:], want, yield)
		}
		return true
	}
	if len(steps) == 1 { // a leaf-list
		if want != nil {
			if e := at.Node.entryInUse(s.Node, *want); e != nil {
				return yield(at.Down(e))
			}
			return true
		}
		return (&xnode{loc: at}).childrenOf(s.Node, func(n xpath.Node) bool { return yield(LocOf(n)) })
	}
	wants := make([]string, len(s.Where))
	for i, w := range s.Where {
		v, ok := l.Operand(w)
		if !ok {
			return true
		}
		wants[i] = v
	}
	if key, ok := entryKey(s, wants, steps, want); ok {
		e := at.Node.Entry(s.Node, key)
		if e == nil {
			return true
		}
		return l.follow(at.Down(e), steps[1:], want, yield)
	}
	for e := range at.Node.EntriesOf(s.Node) {
		matches := true
		for i, w := range s.Where {
			if leaf := e.Get(w.Key); leaf == nil || leaf.text != wants[i] {
				matches = false
				break
			}
		}
		if matches && !l.follow(at.Down(e), steps[1:], want, yield) {
			return false
		}
	}
	return true
}

// entryKey is the key of the only entry that can match: all keys are given by
// predicates, or by the value that is wanted of a key at the path's end.
func entryKey(s yang.LeafrefStep, wants []string, steps []yang.LeafrefStep, want *string) (string, bool) {
	if len(s.Node.Keys) == 0 {
		return "", false
	}
	values := make([]string, len(s.Node.Keys))
	for i, k := range s.Node.Keys {
		given := false
		for j, w := range s.Where {
			if w.Key == k {
				values[i], given = wants[j], true
			}
		}
		if !given && want != nil && len(steps) == 2 && steps[1].Node == k {
			values[i], given = *want, true
		}
		if !given {
			return "", false
		}
	}
	return Key(values...), true
}

// Operand is the value that a predicate compares with for the leafref at the place: that
// of current()/../a/b; false when there is none.
func (l *Loc) Operand(w yang.LeafrefPredicate) (string, bool) {
	at := l.up(w.Ups)
	if at == nil {
		return "", false
	}
	n := at.Node
	for _, s := range w.Down {
		if n = n.Get(s); n == nil {
			return "", false
		}
	}
	return n.text, true
}
