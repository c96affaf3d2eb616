// Package datapath is the paths that people write to name data of a server: nodes
// from the top, a list's entry with its keys after an equals sign, or in the
// predicates of XPath.
//
//	/system/authentication/user=admin/password
//	/ietf-network:networks/network[network-id='ip']/node
//	user=admin/../user=noc                 from where one is
//
// A name needs its module only where two modules have it. In keys behind an equals
// sign, commas and what a shell or a path would take apart are written as %XX, as
// RESTCONF does [RFC 8040 section 3.5.3].
//
// From a path the package makes a subtree filter, an edit, or the candidates with
// which it could go on.
package datapath

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/xmltext"
)

// Step goes to a child.
type Step struct {
	Node *yang.Node
	// Keys are the canonical key values of an entry, or the value of a leaf-list's;
	// nil stands for all entries, and for nodes that have none.
	Keys []string
}

// Path is the way from the top to a node. It is immutable; without steps it is the
// top itself.
type Path struct {
	Schema *yang.Schema
	Steps  []Step
}

// Top is the path of everything.
func Top(s *yang.Schema) Path { return Path{Schema: s} }

// Node is the schema node that the path leads to.
func (p Path) Node() *yang.Node {
	if len(p.Steps) == 0 {
		return p.Schema.Root
	}
	return p.Steps[len(p.Steps)-1].Node
}

// Up is the path of the parent, and the top's that of itself.
func (p Path) Up() Path {
	if len(p.Steps) == 0 {
		return p
	}
	return Path{p.Schema, p.Steps[:len(p.Steps)-1]}
}

// Down is the path of a child.
func (p Path) Down(n *yang.Node, keys ...string) Path {
	return Path{p.Schema, append(slices.Clip(p.Steps), Step{n, keys})}
}

// Instance reports whether the path names one node: each list on it has its keys.
func (p Path) Instance() bool {
	return !slices.ContainsFunc(p.Steps, func(s Step) bool { return s.Node.Multiple() && s.Keys == nil })
}

// String writes the path so that Parse reads it, with the modules that are needed.
func (p Path) String() string {
	if len(p.Steps) == 0 {
		return "/"
	}
	var b strings.Builder
	parent := p.Schema.Root
	for _, s := range p.Steps {
		b.WriteByte('/')
		b.WriteString(NameIn(parent, s.Node))
		for i, k := range s.Keys {
			if i == 0 {
				b.WriteByte('=')
			} else {
				b.WriteByte(',')
			}
			b.WriteString(escape(k))
		}
		parent = s.Node
	}
	return b.String()
}

// NameIn is the name of a child as short as it can be understood.
func NameIn(parent, n *yang.Node) string {
	if parent.ChildNamed(n.Name) == n {
		return n.Name
	}
	return n.QName()
}

// escape writes a key so that neither a path nor a shell takes it apart.
func escape(key string) string {
	var b strings.Builder
	for _, r := range key {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("-._:@+", r), r > 0xA0:
			b.WriteRune(r)
		default:
			for _, c := range []byte(string(r)) {
				fmt.Fprintf(&b, "%%%02X", c)
			}
		}
	}
	return b.String()
}

// Error is a path that names nothing.
type Error struct {
	// Path is what was understood, Text what was not.
	Path, Text string
	Reason     string
	// Near are names that the text may have meant.
	Near []string
}

// Error says what is wrong and what may have been meant.
func (e *Error) Error() string {
	text := fmt.Sprintf("%s: %s", e.Text, e.Reason)
	if len(e.Near) > 0 {
		text += "; did you mean " + strings.Join(e.Near, " or ") + "?"
	}
	return text
}

// Parse reads a path. One that does not begin with a slash goes on from another.
func Parse(from Path, text string) (Path, error) {
	p := from
	if strings.HasPrefix(text, "/") {
		p = Top(from.Schema)
	}
	for _, segment := range split(text) {
		var err error
		if p, err = p.step(segment); err != nil {
			return Path{}, err
		}
	}
	return p, nil
}

// split takes a path apart at the slashes that are not within brackets.
func split(text string) (segments []string) {
	for start := 0; start <= len(text); {
		end := start + slash(text[start:])
		if end > start {
			segments = append(segments, text[start:end])
		}
		start = end + 1
	}
	return segments
}

// slash finds the first slash outside brackets, or the end.
func slash(text string) int {
	depth, quote := 0, byte(0)
	for i := range len(text) {
		switch c := text[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case depth > 0 && (c == '\'' || c == '"'):
			quote = c
		case c == '[':
			depth++
		case c == ']' && depth > 0:
			depth--
		case c == '/' && depth == 0:
			return i
		}
	}
	return len(text)
}

func (p Path) step(segment string) (Path, error) {
	switch segment {
	case ".":
		return p, nil
	case "..":
		return p.Up(), nil
	}
	name, rest := segment, ""
	if i := strings.IndexAny(segment, "=["); i >= 0 {
		name, rest = segment[:i], segment[i:]
	}
	n, err := p.child(name)
	if err != nil {
		return Path{}, err
	}
	switch {
	case rest == "":
		return p.Down(n), nil
	case !n.Multiple():
		return Path{}, &Error{Path: p.String(), Text: segment, Reason: fmt.Sprintf("%s is a %s and has no entries", n.Name, n.Kind)}
	}
	var keys []string
	if rest[0] == '=' {
		keys, err = listed(rest[1:])
	} else {
		keys, err = predicates(n, rest)
	}
	if err == nil {
		keys, err = p.canonicalKeys(n, keys)
	}
	if err != nil {
		return Path{}, &Error{Path: p.String(), Text: segment, Reason: err.Error()}
	}
	return p.Down(n, keys...), nil
}

// child finds a child by the name that a person gives it, with or without its module
// or the module's prefix.
func (p Path) child(name string) (*yang.Node, error) {
	at := p.Node()
	module, local, qualified := strings.Cut(name, ":")
	if !qualified {
		local = name
	}
	var found []*yang.Node
	for _, c := range at.Data {
		if c.Name == local && (!qualified || c.Module.Name == module || c.Module.Prefix == module) {
			found = append(found, c)
		}
	}
	if len(found) > 1 && at.Module != nil {
		for _, c := range found {
			if c.Module == at.Module {
				found = []*yang.Node{c} // its own, as in JSON
				break
			}
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		e := &Error{Path: p.String(), Text: name, Reason: fmt.Sprintf("there is no such node in %s", p)}
		if len(at.Data) == 0 && at.HasValue() {
			e.Reason = fmt.Sprintf("%s is a %s and has nothing below it", p, at.Kind)
		}
		e.Near = nearest(name, at)
		return nil, e
	}
	e := &Error{Path: p.String(), Text: name, Reason: "several modules have this name"}
	for _, c := range found {
		e.Near = append(e.Near, c.QName())
	}
	return nil, e
}

// listed reads the keys behind an equals sign.
func listed(text string) ([]string, error) {
	keys := strings.Split(text, ",")
	for i, k := range keys {
		var err error
		if keys[i], err = url.PathUnescape(k); err != nil {
			return nil, fmt.Errorf("%q is no key: a percent sign is written %%25", k)
		}
	}
	return keys, nil
}

// predicates reads [key='value'] for each of a list's keys, in any order, or [.='value']
// for a leaf-list. The quotes may be left out.
func predicates(n *yang.Node, text string) ([]string, error) {
	given := map[string]string{}
	for text != "" {
		end := Closing(text)
		if end < 0 {
			return nil, fmt.Errorf("a bracket is not closed")
		}
		name, value, ok := strings.Cut(text[1:end], "=")
		if !ok {
			return nil, fmt.Errorf("%q is not of the form [key='value']", text[:end+1])
		}
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if l := len(value); l >= 2 && (value[0] == '\'' || value[0] == '"') && value[l-1] == value[0] {
			value = value[1 : l-1]
		}
		given[name[strings.IndexByte(name, ':')+1:]] = value
		if text = text[end+1:]; text != "" && text[0] != '[' {
			return nil, fmt.Errorf("%q follows the predicates", text)
		}
	}
	names := []string{"."}
	if n.Kind == yang.List {
		names = nil
		for _, k := range n.Keys {
			names = append(names, k.Name)
		}
	}
	var keys []string
	for _, name := range names {
		value, ok := given[name]
		if !ok {
			return nil, fmt.Errorf("the key %s is missing", name)
		}
		delete(given, name)
		keys = append(keys, value)
	}
	for name := range given {
		return nil, fmt.Errorf("%s is no key of %s; its keys are %s", name, n.Name, strings.Join(names, ", "))
	}
	return keys, nil
}

// Closing finds the bracket that ends the one at the start of a text, or -1.
func Closing(text string) int {
	quote := byte(0)
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == ']':
			return i
		}
	}
	return -1
}

func (p Path) canonicalKeys(n *yang.Node, keys []string) ([]string, error) {
	if n.Kind == yang.LeafList {
		v, err := Value(p.Schema, n, strings.Join(keys, ","))
		return []string{v}, err
	}
	if len(keys) != len(n.Keys) {
		names := make([]string, len(n.Keys))
		for i, k := range n.Keys {
			names[i] = k.Name
		}
		if len(names) == 0 {
			return nil, fmt.Errorf("the list has no keys")
		}
		return nil, fmt.Errorf("%d of the %d keys (%s) are given", len(keys), len(names), strings.Join(names, ", "))
	}
	out := make([]string, len(keys))
	for i, k := range n.Keys {
		v, err := Value(p.Schema, k, keys[i])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k.Name, err)
		}
		out[i] = v
	}
	return out, nil
}

// Value is the canonical form of a leaf's value as a person writes it: an identity may
// come without its module where there is only one of the name.
func Value(s *yang.Schema, leaf *yang.Node, text string) (string, error) {
	v, err := leaf.Type.Canonical(text, s, func(prefix string) *yang.Module {
		if prefix == "" {
			return leaf.Module
		}
		if m := s.Module(prefix); m != nil {
			return m
		}
		for _, m := range s.Modules {
			if m.Prefix == prefix {
				return m
			}
		}
		return nil
	})
	if err == nil {
		return v, nil
	}
	var named []string
	for id := range identities(s, leaf.Type) {
		if id.Name == text {
			named = append(named, id.QName())
		}
	}
	if len(named) == 1 {
		return named[0], nil
	}
	return "", err
}

// Wrap writes the elements that lead to the node, around its content, with attributes in
// its start tag. It is a subtree filter when content is that of one, and an edit when the
// attributes hold an operation.
func (p Path) Wrap(attributes string, content []byte) []byte {
	var b []byte
	var module *yang.Module
	var open []string
	for i, s := range p.Steps {
		last := i == len(p.Steps)-1
		b = append(b, '<')
		b = append(b, s.Node.Name...)
		if s.Node.Module != module {
			module = s.Node.Module
			b = append(append(b, ` xmlns="`...), module.Namespace...)
			b = append(b, '"')
		}
		if last {
			b = append(b, attributes...)
		}
		inner := content
		if s.Node.Kind == yang.LeafList && s.Keys != nil {
			declared, text := Encode(s.Node, s.Keys[0])
			b, inner = append(b, declared...), text
		}
		if last && len(inner) == 0 && (s.Keys == nil || len(s.Node.Keys) == 0) {
			b = append(b, "/>"...)
			break
		}
		b = append(b, '>')
		open = append(open, s.Node.Name)
		if s.Keys != nil {
			for i, k := range s.Node.Keys {
				b = AppendLeaf(b, k, s.Keys[i])
			}
		}
		if last {
			b = append(b, inner...)
		}
	}
	if len(p.Steps) == 0 {
		return content
	}
	for _, name := range slices.Backward(open) {
		b = append(append(append(b, "</"...), name...), '>')
	}
	return b
}

// Filter is the content of a subtree filter that selects the node and all below it.
func (p Path) Filter() string { return string(p.Wrap("", nil)) }

// Encode returns a canonical value as text, and the declarations of the prefixes in it.
func Encode(leaf *yang.Node, canonical string) (declarations string, text []byte) {
	if leaf.Type.Qualified() {
		declared := map[*yang.Module]bool{}
		canonical = leaf.Module.Requalify(leaf.Type, canonical, func(m *yang.Module) string {
			if !declared[m] {
				declared[m] = true
				declarations += ` xmlns:` + m.Name + `="` + m.Namespace + `"`
			}
			return m.Name
		})
	}
	return declarations, xmltext.AppendText(nil, canonical)
}

// AppendLeaf appends a leaf whose parent is of the same module.
func AppendLeaf(b []byte, leaf *yang.Node, canonical string) []byte {
	declarations, text := Encode(leaf, canonical)
	b = append(append(append(b, '<'), leaf.Name...), declarations...)
	b = append(append(b, '>'), text...)
	return append(append(append(b, "</"...), leaf.Name...), '>')
}

// Find returns what the path leads to in a tree: one node, or the entries of a list.
func (p Path) Find(tree *data.Node) (found []*data.Loc) {
	if tree == nil {
		return nil
	}
	at := []*data.Loc{{Node: tree}}
	for _, s := range p.Steps {
		var next []*data.Loc
		for _, l := range at {
			switch {
			case !s.Node.Multiple():
				if c := l.Node.Get(s.Node); c != nil {
					next = append(next, l.Down(c))
				}
			case s.Keys != nil:
				if c := l.Node.Entry(s.Node, data.Key(s.Keys...)); c != nil {
					next = append(next, l.Down(c))
				}
			default:
				for c := range l.Node.EntriesOf(s.Node) {
					next = append(next, l.Down(c))
				}
			}
		}
		at = next
	}
	return at
}

// Of is the path of a place in a tree. The entries of a list without keys stand for all.
func Of(s *yang.Schema, l *data.Loc) Path {
	if l == nil || l.Parent == nil {
		return Top(s)
	}
	p, n := Of(s, l.Parent), l.Node.Schema()
	switch {
	case n.Kind == yang.List && len(n.Keys) > 0:
		return p.Down(n, l.Node.Keys()...)
	case n.Kind == yang.LeafList:
		return p.Down(n, l.Node.Value())
	}
	return p.Down(n)
}
