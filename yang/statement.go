package yang

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/openconfig/goyang/pkg/yang"
)

// statement is a parsed statement with what goyang's lacks: its parent, for
// scopes, and its module.
type statement struct {
	keyword, arg string
	hasArg       bool
	subs         []*statement
	parent       *statement
	module       *Module
	where        string
}

// maxStatementDepth bounds nesting, so that hostile modules cannot exhaust the
// stack.
const maxStatementDepth = 200

// parse reads the text of one module or submodule.
func parse(file string, text []byte) (*statement, error) {
	switch {
	case bytes.HasPrefix(text, []byte("\xef\xbb\xbf")):
		return nil, fmt.Errorf("%s: starts with a byte order mark", file)
	case bytes.IndexByte(text, 0) >= 0:
		return nil, fmt.Errorf("%s: holds a NUL", file)
	case !utf8.Valid(text):
		return nil, fmt.Errorf("%s: is not UTF-8", file)
	}
	top, err := yang.Parse(string(text), file)
	if err != nil {
		return nil, err
	}
	if len(top) != 1 {
		return nil, fmt.Errorf("%s: has %d top-level statements, not one module", file, len(top))
	}
	return convert(top[0], nil, 0)
}

func convert(s *yang.Statement, parent *statement, depth int) (*statement, error) {
	if depth > maxStatementDepth {
		return nil, fmt.Errorf("%s: statements nest deeper than %d", s.Location(), maxStatementDepth)
	}
	out := &statement{keyword: s.Keyword, arg: s.Argument, hasArg: s.HasArgument, parent: parent, where: s.Location()}
	for _, sub := range s.SubStatements() {
		c, err := convert(sub, out, depth+1)
		if err != nil {
			return nil, err
		}
		out.subs = append(out.subs, c)
	}
	return out, nil
}

func (s *statement) own(m *Module) {
	s.module = m
	for _, sub := range s.subs {
		sub.own(m)
	}
}

// sub returns the first substatement of a keyword, or nil.
func (s *statement) sub(keyword string) *statement {
	for _, c := range s.subs {
		if c.keyword == keyword {
			return c
		}
	}
	return nil
}

// value returns the argument of the first substatement of a keyword, or "".
func (s *statement) value(keyword string) string {
	if c := s.sub(keyword); c != nil {
		return c.arg
	}
	return ""
}

// all yields the substatements of a keyword.
func (s *statement) all(keyword string) func(func(*statement) bool) {
	return func(yield func(*statement) bool) {
		for _, c := range s.subs {
			if c.keyword == keyword && !yield(c) {
				return
			}
		}
	}
}

func (s *statement) errorf(format string, args ...any) error {
	return fmt.Errorf("%s: %s %s: %s", s.where, s.keyword, abbreviate(s.arg), fmt.Sprintf(format, args...))
}

func abbreviate(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 60 {
		s = s[:57] + "..."
	}
	return `"` + s + `"`
}

// resolve splits prefix:name and returns the prefix's module as seen from the
// statement's; a name without a prefix is of the statement's own module.
func (s *statement) resolve(qname string) (*Module, string, error) {
	prefix, name, ok := strings.Cut(qname, ":")
	if !ok {
		return s.module, qname, nil
	}
	m := s.module.prefixes[prefix]
	if m == nil {
		return nil, "", s.errorf("no import has the prefix %q", prefix)
	}
	return m, name, nil
}

// definition finds a typedef or grouping by its scope [RFC 7950 section 5.5].
func (s *statement) definition(keyword, qname string) (*statement, error) {
	m, name, err := s.resolve(qname)
	if err != nil {
		return nil, err
	}
	if m == s.module {
		for scope := s; scope != nil; scope = scope.parent {
			for d := range scope.all(keyword) {
				if d.arg == name {
					return d, nil
				}
			}
		}
	} else {
		for d := range m.stmt.all(keyword) {
			if d.arg == name {
				return d, nil
			}
		}
	}
	return nil, s.errorf("no %s %q in scope", keyword, qname)
}
