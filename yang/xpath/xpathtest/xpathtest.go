// Package xpathtest checks implementations of [xpath.Node].
package xpathtest

import (
	"testing"

	"incidentd/yang/xpath"
)

// TestNode checks that the tree below root keeps the contract of xpath.Node: one root,
// parents that are those of their children, document order as Compare tells it,
// children by name the same as among all children, One true only where a name occurs
// once, and every entry that has all its keys found by Entry. It compares every pair
// of nodes, so the tree should have some hundred nodes at most, among them lists.
func TestNode(t *testing.T, root xpath.Node) {
	t.Helper()
	if root.Kind() != xpath.Root || root.Parent() != nil || root.Name() != (xpath.Name{}) {
		t.Errorf("the root is of kind %d, has the parent %v and the name %v", root.Kind(), root.Parent(), root.Name())
	}
	all := []xpath.Node{root}
	collect(root, &all)
	for i, a := range all {
		for j, b := range all {
			if got, want := sign(a.Compare(b)), sign(i-j); got != want {
				t.Errorf("Compare of the nodes %d %v and %d %v = %d, want %d", i, a.Name(), j, b.Name(), got, want)
			}
		}
		checkChildren(t, a)
	}
	if len(all) < 2 {
		t.Error("the tree has nothing but its root: the check says nothing")
	}
}

func collect(n xpath.Node, all *[]xpath.Node) {
	n.Children(func(c xpath.Node) bool {
		*all = append(*all, c)
		collect(c, all)
		return true
	})
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}

func checkChildren(t *testing.T, n xpath.Node) {
	t.Helper()
	byName := map[xpath.Name][]xpath.Node{}
	var names []xpath.Name
	n.Children(func(c xpath.Node) bool {
		if k := c.Kind(); k != xpath.Element && k != xpath.Leaf {
			t.Errorf("%v: the child %v is of kind %d", n.Name(), c.Name(), k)
		}
		if up := c.Parent(); up == nil || up.Compare(n) != 0 {
			t.Errorf("%v: the parent of its child %v is another", n.Name(), c.Name())
		}
		if byName[c.Name()] == nil {
			names = append(names, c.Name())
		}
		byName[c.Name()] = append(byName[c.Name()], c)
		return true
	})
	if n.Kind() == xpath.Leaf && len(names) > 0 {
		t.Errorf("the leaf %v has children", n.Name())
	}
	for _, name := range names {
		checkNamed(t, n, name, byName[name])
	}
	absent := xpath.Name{Space: "urn:absent", Local: "absent"}
	n.ChildrenNamed(absent, func(xpath.Node) bool {
		t.Errorf("%v has a child %v", n.Name(), absent)
		return false
	})
	if c, one := n.One(absent); one && c != nil {
		t.Errorf("%v.One(%v) is a node", n.Name(), absent)
	}
	if keys := n.Keys(absent); len(keys) > 0 {
		t.Errorf("%v.Keys(%v) = %v", n.Name(), absent, keys)
	}
	checkStop(t, n)
}

// checkStop checks that yield is not called again after it said stop.
func checkStop(t *testing.T, n xpath.Node) {
	t.Helper()
	calls := 0
	n.Children(func(xpath.Node) bool { calls++; return false })
	if calls > 1 {
		t.Errorf("%v.Children goes on after yield said stop", n.Name())
	}
}

func checkNamed(t *testing.T, n xpath.Node, name xpath.Name, want []xpath.Node) {
	t.Helper()
	i := 0
	n.ChildrenNamed(name, func(c xpath.Node) bool {
		if i >= len(want) || c.Compare(want[i]) != 0 {
			t.Errorf("%v.ChildrenNamed(%v): child %d is another than among all children", n.Name(), name, i)
		}
		i++
		return true
	})
	if i != len(want) {
		t.Errorf("%v.ChildrenNamed(%v) yields %d, want %d", n.Name(), name, i, len(want))
	}
	calls := 0
	n.ChildrenNamed(name, func(xpath.Node) bool { calls++; return false })
	if calls != 1 {
		t.Errorf("%v.ChildrenNamed(%v) goes on after yield said stop", n.Name(), name)
	}
	if c, one := n.One(name); one && (len(want) != 1 || c == nil || c.Compare(want[0]) != 0) {
		t.Errorf("%v.One(%v) = %v, true, but there are %d", n.Name(), name, c, len(want))
	}
	keys := n.Keys(name)
	for _, entry := range want {
		values, ok := keyValues(entry, keys)
		if !ok {
			continue
		}
		if found := n.Entry(name, values); found == nil || found.Compare(entry) != 0 {
			t.Errorf("%v.Entry(%v, %q) is not the entry with these keys", n.Name(), name, values)
		}
		values[len(values)-1] += " absent"
		if found := n.Entry(name, values); found != nil {
			t.Errorf("%v.Entry(%v, %q) finds what is not there", n.Name(), name, values)
		}
	}
}

// keyValues are the keys of an entry; ok is false when it has none or lacks one.
func keyValues(entry xpath.Node, keys []string) (values []string, ok bool) {
	for _, key := range keys {
		leaf := entry
		if key != "." {
			leaf, _ = entry.One(xpath.Name{Space: entry.Name().Space, Local: key})
		}
		if leaf == nil {
			return nil, false
		}
		values = append(values, leaf.Value())
	}
	return values, len(keys) > 0
}
