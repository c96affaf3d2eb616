package yang

import (
	"strings"
)

// LeafrefPath is the path of a leafref, bound to the schema [RFC 7950 section
// 9.9.2].
type LeafrefPath struct {
	Text string
	// Ups is the number of data nodes to go up from the leafref's own node;
	// negative for an absolute path.
	Ups    int
	Steps  []LeafrefStep
	Target *Node
}

// LeafrefStep goes down to a child; its predicates select the entries of a list.
type LeafrefStep struct {
	Node  *Node
	Where []LeafrefPredicate
}

// LeafrefPredicate wants a leaf of the entry to equal the node that a path leads
// to, from the leafref's own node up by Ups and then down.
type LeafrefPredicate struct {
	Key  *Node
	Ups  int
	Down []*Node
}

// resolvePaths binds the leafref paths of a type, of union members too. Types
// come from typedefs that many leafs share, so a bound type is a copy.
func (c *compiler) resolvePaths(n *Node, t *Type, s *statement) {
	switch t.Base {
	case Leafref:
		path, err := c.bindPath(n, t.pathStmt)
		if err != nil {
			c.fail(err)
			return
		}
		t.Path = path
	case Union:
		members := make([]*Type, len(t.Members))
		for i, m := range t.Members {
			copied := *m
			members[i] = &copied
			c.resolvePaths(n, &copied, s)
		}
		t.Members = members
	}
}

func (c *compiler) bindPath(n *Node, s *statement) (*LeafrefPath, error) {
	p := &LeafrefPath{Text: strings.Join(strings.Fields(s.arg), " "), Ups: -1}
	rest := strings.Join(strings.Fields(s.arg), "")
	if d, ok := strings.CutPrefix(rest, "deref("); ok {
		return nil, s.errorf("deref(%s: only the path syntax of RFC 7950 section 9.9.2 is supported", d)
	}
	at := c.schema.Root
	if !strings.HasPrefix(rest, "/") {
		p.Ups = 0
		at = n
		for strings.HasPrefix(rest, "../") {
			rest = rest[3:]
			p.Ups++
			if at = c.dataParent(at); at == nil {
				return nil, s.errorf("goes up too far from %s", n.Path())
			}
		}
		rest = "/" + rest
	}
	for rest != "" {
		rest = rest[1:]
		end := strings.IndexAny(rest, "/[")
		if end < 0 {
			end = len(rest)
		}
		next, err := c.pathChild(at, rest[:end], s, n)
		if err != nil {
			return nil, err
		}
		step := LeafrefStep{Node: next}
		rest = rest[end:]
		for strings.HasPrefix(rest, "[") {
			end := strings.IndexByte(rest, ']')
			if end < 0 {
				return nil, s.errorf("a predicate is not closed")
			}
			w, err := c.bindPredicate(n, next, rest[1:end], s)
			if err != nil {
				return nil, err
			}
			step.Where = append(step.Where, w)
			rest = rest[end+1:]
		}
		p.Steps = append(p.Steps, step)
		at = next
		if rest != "" && rest[0] != '/' {
			return nil, s.errorf("%q is left over", rest)
		}
	}
	if !at.HasValue() {
		return nil, s.errorf("leads to %s, not to a leaf", at)
	}
	p.Target = at
	return p, nil
}

// bindPredicate binds key = current()/../a/b.
func (c *compiler) bindPredicate(n, list *Node, text string, s *statement) (LeafrefPredicate, error) {
	var w LeafrefPredicate
	key, path, ok := strings.Cut(text, "=")
	path, current := strings.CutPrefix(path, "current()/")
	if !ok || !current {
		return w, s.errorf("the predicate [%s] is not of the form [key=current()/../...]", text)
	}
	k, err := c.pathChild(list, key, s, n)
	if err != nil {
		return w, err
	}
	w.Key = k
	at := n
	for _, part := range strings.Split(path, "/") {
		if part == ".." {
			w.Ups++
			if at = c.dataParent(at); at == nil {
				return w, s.errorf("the predicate [%s] goes up too far", text)
			}
			continue
		}
		if at, err = c.pathChild(at, part, s, n); err != nil {
			return w, err
		}
		w.Down = append(w.Down, at)
	}
	return w, nil
}

// pathChild finds a child by name; without a prefix it is of the module of the
// leafref's own node.
func (c *compiler) pathChild(at *Node, qname string, s *statement, n *Node) (*Node, error) {
	m, name, err := s.resolve(qname)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(qname, ":") {
		m = n.Module
	}
	if ch := at.Child(m, name); ch != nil {
		return ch, nil
	}
	return nil, s.errorf("%s has no child %q (of %s)", at.Path(), qname, m.Name)
}

// dataParent is the data node above; the root above a top-level node. Within an
// rpc, action or notification it ends at the input, output or notification.
func (c *compiler) dataParent(n *Node) *Node {
	if n.Kind == Root || n.Kind == Input || n.Kind == Output || n.Kind == Notification && n.Parent == nil {
		return nil
	}
	if p := n.DataParent(); p != nil {
		return p
	}
	return c.schema.Root
}
