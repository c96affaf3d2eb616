package data

import (
	"slices"
	"strconv"
	"strings"

	"incidentd/yang"
	"incidentd/yang/rpcerr"
)

// Path is the instance path of a place as an error-path: XPath with the modules'
// own prefixes, which it declares.
func (l *Loc) Path() rpcerr.Path {
	var p pathBuilder
	p.walk(l)
	return p.done()
}

// ChildPath is the path of a child that is not there.
func (l *Loc) ChildPath(schema *yang.Node) rpcerr.Path {
	var p pathBuilder
	p.walk(l)
	p.name(schema)
	return p.done()
}

// InstanceID is the path as the canonical value of an instance-identifier: every name
// has that of its module [RFC 7951 section 6.11].
func (l *Loc) InstanceID() string {
	p := pathBuilder{full: true}
	p.walk(l)
	return p.done().Expr
}

// String is the path with module prefixes, for messages and logs.
func (l *Loc) String() string { return l.Path().Expr }

type pathBuilder struct {
	full     bool // names of modules instead of prefixes
	b        strings.Builder
	names    prefixes
	prefixes []rpcerr.Prefix
}

// prefixes gives each module a prefix: its own, with a number where two modules
// have the same.
type prefixes struct{ used []*yang.Module }

func (p *prefixes) of(m *yang.Module) (prefix string, isNew bool) {
	same := 0
	for _, u := range p.used {
		if u.Prefix != m.Prefix {
			continue
		}
		if u == m {
			return numbered(m.Prefix, same), false
		}
		same++
	}
	p.used = append(p.used, m)
	return numbered(m.Prefix, same), true
}

func numbered(prefix string, n int) string {
	if n == 0 {
		return prefix
	}
	return prefix + "." + strconv.Itoa(n)
}

func (p *pathBuilder) done() rpcerr.Path {
	expr := p.b.String()
	if expr == "" {
		expr = "/"
	}
	return rpcerr.Path{Expr: expr, Prefixes: p.prefixes}
}

func (p *pathBuilder) prefix(m *yang.Module) string {
	if p.full {
		return m.Name + ":"
	}
	prefix, isNew := p.names.of(m)
	if isNew {
		p.prefixes = append(p.prefixes, rpcerr.Prefix{Prefix: prefix, Namespace: m.Namespace})
	}
	return prefix + ":"
}

func (p *pathBuilder) name(s *yang.Node) {
	p.b.WriteByte('/')
	if s.Kind == yang.Input || s.Kind == yang.Output {
		s = s.Parent
	}
	p.b.WriteString(p.prefix(s.Module) + s.Name)
}

func (p *pathBuilder) walk(l *Loc) {
	if l == nil {
		return
	}
	p.walk(l.Parent)
	s := l.Node.schema
	if s.Kind == yang.Root {
		return
	}
	p.name(s)
	switch s.Kind {
	case yang.List:
		if len(s.Keys) == 0 {
			p.position(l)
		}
		// While an entry is being read its keys are leafs already.
		for _, k := range s.Keys {
			if leaf := l.Node.Get(k); leaf != nil {
				p.b.WriteString("[" + p.prefix(k.Module) + k.Name + "=" + Quote(p.value(leaf)) + "]")
			}
		}
	case yang.LeafList:
		p.b.WriteString("[.=" + Quote(p.value(l.Node)) + "]")
	}
}

// value is the value of a leaf, written with the prefixes of the path.
func (p *pathBuilder) value(leaf *Node) string {
	s := leaf.schema
	if !s.Type.Qualified() {
		return leaf.text
	}
	return s.Module.Requalify(s.Type, leaf.text, func(m *yang.Module) string { return strings.TrimSuffix(p.prefix(m), ":") })
}

// position tells entries without keys apart [RFC 7950 section 9.13].
func (p *pathBuilder) position(l *Loc) {
	if l.Parent == nil {
		return
	}
	if k := l.Parent.Node.kid(l.Node.schema); k != nil {
		if i := slices.Index(k.set.seq, l.Node); i >= 0 {
			p.b.WriteString("[" + strconv.Itoa(i+1) + "]")
		}
	}
}

// Quote writes a string as an XPath literal. One that holds both kinds of quotes
// has no literal; its double quotes become single ones.
func Quote(s string) string {
	if !strings.Contains(s, "'") {
		return "'" + s + "'"
	}
	return `"` + strings.ReplaceAll(s, `"`, "'") + `"`
}
