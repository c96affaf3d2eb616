package xpath

import (
	"fmt"
	"strconv"
	"strings"
)

// InstanceIdentifier names one node in a data tree [RFC 7950 section 9.13].
type InstanceIdentifier []InstanceStep

// InstanceStep is a node on the way: a name and, for an entry of a list, its keys;
// for one of a leaf-list, its value; for one of a list without keys, its position.
type InstanceStep struct {
	Name     Name
	Keys     []KeyValue
	HasValue bool
	Value    string
	Position uint64 // from 1; 0: none
}

// KeyValue is a key of a list entry.
type KeyValue struct {
	Name  Name
	Value string
}

// ParseInstanceIdentifier parses the form of the XML encoding, in which every name
// has a prefix. Where Namespaces.Default is set, names without one are in it. With
// inherit it is the form of the JSON encoding: a name without a prefix is in the
// namespace of the name above it, and Namespaces.Prefixes maps module names [RFC 7951
// section 6.11]. Every error is a *SyntaxError.
func ParseInstanceIdentifier(s string, ns Namespaces, inherit bool) (InstanceIdentifier, error) {
	p, err := newParser(s, ns)
	if err != nil {
		return nil, err
	}
	q := &instanceParser{parser: p, inherit: inherit, above: ns.Default}
	var id InstanceIdentifier
	for p.peek().kind != tokEnd {
		if t := p.peek(); !p.accept(tokOp, "/") {
			p.fail(t, "\"/\" is expected%s", before(t))
		}
		id = append(id, q.step())
	}
	if len(id) == 0 {
		p.fail(p.peek(), "an instance-identifier has a step at least")
	}
	if p.err != nil {
		return nil, p.err
	}
	return id, nil
}

type instanceParser struct {
	*parser
	inherit bool
	above   string // namespace of the step before
}

func (p *instanceParser) name(above string) Name {
	t := p.next()
	if t.kind != tokName || t.text == "*" {
		p.fail(t, "a name is expected%s", before(t))
		return Name{}
	}
	space, ok := p.ns.Resolve(t.prefix)
	if t.prefix == "" && p.inherit {
		space = above
	}
	switch {
	case !ok:
		p.fail(t, "no namespace is known for the prefix %q", t.prefix)
	case space == "":
		p.fail(t, "the name %q needs a prefix", t.text)
	}
	return Name{space, t.text}
}

func (p *instanceParser) step() InstanceStep {
	s := InstanceStep{Name: p.name(p.above)}
	p.above = s.Name.Space
	for p.accept(tokPunct, "[") {
		switch t := p.peek(); {
		case s.HasValue || s.Position > 0 || len(s.Keys) > 0 && t.kind != tokName:
			p.fail(t, "only keys may follow keys, and nothing a value or position")
		case t.kind == tokNumber:
			p.next()
			n, err := strconv.ParseUint(t.text, 10, 64)
			if err != nil || n == 0 {
				p.fail(t, "%q is not a position", t.text)
			}
			s.Position = n
		case p.accept(tokPunct, "."):
			s.HasValue, s.Value = true, p.equals()
		default:
			k := KeyValue{Name: p.name(s.Name.Space)}
			for _, other := range s.Keys {
				if other.Name == k.Name {
					p.fail(t, "the key %q is there twice", k.Name.Local)
				}
			}
			k.Value = p.equals()
			s.Keys = append(s.Keys, k)
		}
		p.expect("]")
	}
	return s
}

// equals is "=" and a literal.
func (p *instanceParser) equals() string {
	if t := p.peek(); !p.accept(tokOp, "=") {
		p.fail(t, "\"=\" is expected%s", before(t))
	}
	t := p.next()
	if t.kind != tokLiteral {
		p.fail(t, "a literal is expected%s", before(t))
	}
	return t.text
}

// Format writes the identifier with the prefix that is given for each namespace
// (empty: none). A value with both kinds of quotes is ErrQuotes.
func (id InstanceIdentifier) Format(prefix func(space string) string) (string, error) {
	var b strings.Builder
	name := func(n Name) {
		if p := prefix(n.Space); p != "" {
			b.WriteString(p + ":")
		}
		b.WriteString(n.Local)
	}
	for _, s := range id {
		b.WriteByte('/')
		name(s.Name)
		for _, k := range s.Keys {
			b.WriteByte('[')
			name(k.Name)
			if err := quote(&b, k.Value); err != nil {
				return "", err
			}
		}
		if s.HasValue {
			b.WriteString("[.")
			if err := quote(&b, s.Value); err != nil {
				return "", err
			}
		}
		if s.Position > 0 {
			fmt.Fprintf(&b, "[%d]", s.Position)
		}
	}
	return b.String(), nil
}

// quote writes the rest of a predicate: ='value'].
func quote(b *strings.Builder, value string) error {
	if strings.Contains(value, "'") && strings.Contains(value, `"`) {
		return fmt.Errorf("%w: %s", ErrQuotes, value)
	}
	b.WriteByte('=')
	b.Write(literal(value).appendTo(nil, levelOr))
	b.WriteByte(']')
	return nil
}

// Find returns the node in the tree of root, nil if it is not there or if a step does
// not tell one entry from the others. Entries are looked up by their keys.
func (id InstanceIdentifier) Find(root Node) Node {
	n := root
	for i := range id {
		if n = id[i].find(n); n == nil {
			return nil
		}
	}
	return n
}

func (s *InstanceStep) find(n Node) Node {
	if s.Position > 0 {
		return s.nth(n)
	}
	keys := n.Keys(s.Name)
	switch {
	case s.HasValue && len(keys) == 1 && keys[0] == ".":
		return n.Entry(s.Name, []string{s.Value})
	case s.HasValue:
		return s.valued(n)
	case len(s.Keys) == 0:
		c, _ := n.One(s.Name)
		return c
	case len(keys) != len(s.Keys):
		return nil
	}
	values := make([]string, len(keys))
	for i, key := range keys {
		found := false
		for _, k := range s.Keys {
			if k.Name == (Name{s.Name.Space, key}) {
				values[i], found = k.Value, true
			}
		}
		if !found {
			return nil
		}
	}
	return n.Entry(s.Name, values)
}

func (s *InstanceStep) nth(n Node) (hit Node) {
	left := s.Position
	n.ChildrenNamed(s.Name, func(c Node) bool {
		if left--; left == 0 {
			hit = c
		}
		return left > 0
	})
	return hit
}

func (s *InstanceStep) valued(n Node) (hit Node) {
	n.ChildrenNamed(s.Name, func(c Node) bool {
		if c.Kind() == Leaf && c.Value() == s.Value {
			hit = c
		}
		return hit == nil
	})
	return hit
}
