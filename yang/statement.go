package yang

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/openconfig/goyang/pkg/yang"
)

// statement is a parsed statement with what goyang's lacks: its parent, for
// scopes, and the text it stands in.
type statement struct {
	keyword, arg string
	hasArg       bool
	subs         []*statement
	parent       *statement
	module       *Module // of a submodule's statements the module it belongs to
	src          *source
	where        string
}

// maxStatementDepth bounds nesting, so that hostile modules cannot exhaust the
// stack.
const maxStatementDepth = 200

// parse reads the text of one module or submodule.
func parse(file string, text []byte) (*statement, error) {
	switch {
	case bytes.HasPrefix(text, []byte("\xef\xbb\xbf")):
		return nil, fmt.Errorf("%s:1: starts with a byte order mark", file)
	case bytes.IndexByte(text, 0) >= 0:
		return nil, fmt.Errorf("%s:%d: holds a NUL", file, 1+bytes.Count(text[:bytes.IndexByte(text, 0)], []byte("\n")))
	case !utf8.Valid(text):
		return nil, fmt.Errorf("%s:%d: is not UTF-8", file, invalidLine(text))
	}
	if err := nesting(file, text); err != nil {
		return nil, err
	}
	top, err := yang.Parse(string(text), file)
	if err != nil {
		return nil, err
	}
	if len(top) != 1 {
		return nil, fmt.Errorf("%s:1: has %d top-level statements, not one module", file, len(top))
	}
	return convert(top[0], nil, 0)
}

func invalidLine(text []byte) int {
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n == 1 {
			return 1 + bytes.Count(text[:i], []byte("\n"))
		}
		i += n
	}
	return 1
}

// nesting refuses, before the recursive parser sees it, a text with far more
// braces open than any module has; braces in quotes count too, hence the margin.
func nesting(file string, text []byte) error {
	const most = 50 * maxStatementDepth
	depth, line := 0, 1
	for _, c := range text {
		switch c {
		case '\n':
			line++
		case '{':
			if depth++; depth > most {
				return fmt.Errorf("%s:%d: more than %d braces are open", file, line, most)
			}
		case '}':
			depth = max(0, depth-1)
		}
	}
	return nil
}

func convert(s *yang.Statement, parent *statement, depth int) (*statement, error) {
	if depth > maxStatementDepth {
		return nil, fmt.Errorf("%s: statements nest deeper than %d", s.Location(), maxStatementDepth)
	}
	out := &statement{keyword: s.Keyword, arg: s.Argument, hasArg: s.HasArgument, parent: parent, where: s.Location()}
	if subs := s.SubStatements(); len(subs) > 0 {
		out.subs = make([]*statement, 0, len(subs))
		for _, sub := range subs {
			c, err := convert(sub, out, depth+1)
			if err != nil {
				return nil, err
			}
			out.subs = append(out.subs, c)
		}
	}
	return out, nil
}

func (s *statement) own(src *source) {
	s.src, s.module = src, src.module
	for _, sub := range s.subs {
		sub.own(src)
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

// text is the argument of a description, error-message or the like with its line
// breaks and indentation undone.
func (s *statement) text(keyword string) string {
	return strings.Join(strings.Fields(s.value(keyword)), " ")
}

func abbreviate(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) > 60 {
		s = string([]rune(s)[:57]) + "..."
	}
	return `"` + s + `"`
}

// resolve splits prefix:name and returns the prefix's module as seen from the
// statement's text; a name without a prefix is of the statement's own module.
func (s *statement) resolve(qname string) (*Module, string, error) {
	prefix, name, ok := strings.Cut(qname, ":")
	if !ok {
		return s.module, qname, nil
	}
	m := s.src.prefixes[prefix]
	if m == nil {
		return nil, "", s.errorf("no import has the prefix %q", prefix)
	}
	return m, name, nil
}

// definition finds a typedef or grouping by its scope [RFC 7950 section 5.5]. The
// submodules of a module share its scope.
func (s *statement) definition(keyword, qname string) (*statement, error) {
	m, name, err := s.resolve(qname)
	if err != nil {
		return nil, err
	}
	if m == s.module {
		for scope := s; scope != nil && scope.parent != nil; scope = scope.parent {
			for d := range scope.all(keyword) {
				if d.arg == name {
					return d, nil
				}
			}
		}
	}
	if d := m.definitions[definitionKey{keyword, name}]; d != nil {
		return d, nil
	}
	return nil, s.errorf("no %s %q in scope", keyword, qname)
}

// extension returns the module and name of the extension that the statement is
// an instance of; nil for a statement of YANG itself or of an unknown prefix.
func (s *statement) extension() (*Module, string) {
	prefix, name, ok := strings.Cut(s.keyword, ":")
	if !ok {
		return nil, ""
	}
	return s.src.prefixes[prefix], name
}

// is reports whether the statement is an instance of a module's extension.
func (s *statement) is(module, name string) bool {
	if !strings.HasSuffix(s.keyword, name) {
		return false
	}
	m, n := s.extension()
	return m != nil && m.Name == module && n == name
}
