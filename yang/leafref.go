package yang

import (
	"slices"
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

// path is the parsed text of a leafref's path.
type path struct {
	absolute bool
	ups      int
	steps    []pathStep
}

type pathStep struct {
	name  string
	where []pathPredicate
}

type pathPredicate struct {
	key  string
	ups  int
	down []string
}

// parsePath reads the path syntax of RFC 7950 section 9.9.2.
func parsePath(s *statement) (*path, error) {
	rest := strings.Join(strings.Fields(s.arg), "")
	p := &path{absolute: strings.HasPrefix(rest, "/")}
	if d, ok := strings.CutPrefix(rest, "deref("); ok {
		return nil, s.errorf("deref(%s: only the path syntax of RFC 7950 section 9.9.2 is supported", d)
	}
	if !p.absolute {
		for strings.HasPrefix(rest, "../") {
			rest = rest[3:]
			p.ups++
		}
		if p.ups == 0 {
			return nil, s.errorf("begins neither with a slash nor with ../")
		}
		rest = "/" + rest
	}
	for rest != "" {
		if rest[0] != '/' {
			return nil, s.errorf("%q is left over", rest)
		}
		rest = rest[1:]
		end := strings.IndexAny(rest, "/[")
		if end < 0 {
			end = len(rest)
		}
		step := pathStep{name: rest[:end]}
		if !isReference(step.name) {
			return nil, s.errorf("%q is no name", step.name)
		}
		rest = rest[end:]
		for strings.HasPrefix(rest, "[") {
			end := strings.IndexByte(rest, ']')
			if end < 0 {
				return nil, s.errorf("a predicate is not closed")
			}
			w, ok := parsePredicate(rest[1:end])
			if !ok {
				return nil, s.errorf("the predicate %s is not of the form [key=current()/../...]", rest[:end+1])
			}
			step.where = append(step.where, w)
			rest = rest[end+1:]
		}
		p.steps = append(p.steps, step)
	}
	return p, nil
}

// parsePredicate reads key=current()/../a/b.
func parsePredicate(text string) (w pathPredicate, ok bool) {
	key, rest, ok := strings.Cut(text, "=")
	rest, current := strings.CutPrefix(rest, "current()/")
	if !ok || !current || !isReference(key) {
		return w, false
	}
	w.key = key
	for part := range strings.SplitSeq(rest, "/") {
		switch {
		case part == ".." && len(w.down) == 0:
			w.ups++
		case isReference(part):
			w.down = append(w.down, part)
		default:
			return w, false
		}
	}
	return w, w.ups > 0 && len(w.down) > 0
}

// resolvePaths binds the leafref paths of a type, of union members too. A bound
// type is a copy, as the node's own: types come from typedefs that many leafs
// share.
func (c *compiler) resolvePaths(n *Node) {
	if !hasLeafref(n.Type) {
		return
	}
	n.Type = c.boundType(n, n.Type)
}

func (c *compiler) boundType(n *Node, t *Type) *Type {
	copied := *t
	switch t.Base {
	case Leafref:
		bound, err := c.bindPath(n, t.pathStmt)
		if err != nil {
			c.fail(err)
		}
		copied.Path = bound
	case Union:
		copied.Members = make([]*Type, len(t.Members))
		for i, m := range t.Members {
			copied.Members[i] = m
			if hasLeafref(m) {
				copied.Members[i] = c.boundType(n, m)
			}
		}
	}
	return &copied
}

func (c *compiler) bindPath(n *Node, s *statement) (*LeafrefPath, error) {
	parsed, err := parsePath(s)
	if err != nil {
		return nil, err
	}
	p := &LeafrefPath{Text: strings.Join(strings.Fields(s.arg), " "), Ups: -1}
	at := c.schema.Root
	if !parsed.absolute {
		outside := false
		if at, outside = c.climb(n, parsed.ups); at == nil {
			return nil, s.errorf("goes up too far from %s", n.Path())
		}
		if !outside {
			p.Ups = parsed.ups
		}
	} else if top := topOf(n); top.Kind == Structure {
		// Within a structure its own nodes are at the root [RFC 8791 section 4].
		if m, name, err := s.resolve(parsed.steps[0].name); err == nil {
			if !strings.Contains(parsed.steps[0].name, ":") {
				m = n.Module
			}
			if top.Child(m, name) != nil {
				at = top
			}
		}
	}
	for _, step := range parsed.steps {
		next, err := c.pathChild(at, step.name, s, n)
		if err != nil {
			return nil, err
		}
		out := LeafrefStep{Node: next}
		for _, w := range step.where {
			bound, err := c.bindPredicate(n, next, w, s)
			if err != nil {
				return nil, err
			}
			out.Where = append(out.Where, bound)
		}
		p.Steps = append(p.Steps, out)
		at = next
	}
	if !at.HasValue() {
		return nil, s.errorf("leads to %s, not to a leaf", at)
	}
	p.Target = at
	return p, nil
}

func topOf(n *Node) *Node {
	for n.Parent != nil {
		n = n.Parent
	}
	return n
}

// climb goes up data nodes; outside says that it left an rpc, whose input and
// output stand for the rpc's node below the root [RFC 7950 section 6.4.1].
func (c *compiler) climb(n *Node, ups int) (at *Node, outside bool) {
	at = n
	for range ups {
		if at.Kind == Input || at.Kind == Output {
			outside = outside || at.Parent.Kind == RPC
		}
		if at = c.dataParent(at); at == nil {
			return nil, false
		}
	}
	return at, outside
}

func (c *compiler) bindPredicate(n, list *Node, p pathPredicate, s *statement) (LeafrefPredicate, error) {
	w := LeafrefPredicate{Ups: p.ups}
	k, err := c.pathChild(list, p.key, s, n)
	if err != nil {
		return w, err
	}
	if w.Key = k; list.Kind != List || k.Kind != Leaf {
		return w, s.errorf("the predicate selects by %q, which is no leaf of a list", p.key)
	}
	at, outside := c.climb(n, p.ups)
	if at == nil || outside {
		return w, s.errorf("a predicate goes up too far from %s", n.Path())
	}
	for _, name := range p.down {
		if at, err = c.pathChild(at, name, s, n); err != nil {
			return w, err
		}
		w.Down = append(w.Down, at)
	}
	if at.Kind != Leaf {
		return w, s.errorf("a predicate compares with %s, which is no leaf", at)
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
	if at == c.schema.Root && !m.Implemented && !slices.Contains(c.wanted, m.Name) {
		c.wanted = append(c.wanted, m.Name)
	}
	return nil, s.errorf("%s has no child %q (of %s)", at.Path(), qname, m.Name)
}

// dataParent is the data node above; the root above a top-level node, and above an
// rpc. A structure is a root of its own.
func (c *compiler) dataParent(n *Node) *Node {
	switch {
	case n.Kind == Root || n.Kind == Structure:
		return nil
	case n.Kind == Input || n.Kind == Output:
		n = n.Parent
	}
	if p := n.DataParent(); p != nil {
		return p
	}
	return c.schema.Root
}
