package xpath

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// tokenKind is the class of a token. Operators, including those spelt as words, are
// distinct from names, so the parser need not disambiguate.
type tokenKind uint8

const (
	tokEnd     tokenKind = iota
	tokNumber            // text is the digits
	tokLiteral           // text is what is between the quotes
	tokName              // a name test or part of one: prefix and text; text "*" is the wildcard
	tokCall              // a name before "(": function or node type
	tokAxis              // a name before "::", which is swallowed
	tokOp                // an operator, text tells: or and = != < <= > >= + - * div mod | / //
	tokPunct             // text tells: ( ) [ ] . .. @ ,
)

type token struct {
	kind   tokenKind
	pos    int
	prefix string
	text   string
}

func (t token) is(kind tokenKind, text string) bool { return t.kind == kind && t.text == text }

// operand reports whether a token ends an operand, so that a name or "*" after it
// is an operator [XPath 1.0 section 3.7].
func (t token) operand() bool {
	switch t.kind {
	case tokNumber, tokLiteral, tokName:
		return true
	case tokPunct:
		return t.text == ")" || t.text == "]" || t.text == "." || t.text == ".."
	}
	return false
}

// lex cuts an expression into tokens, the last of which is tokEnd.
func lex(s string) ([]token, *SyntaxError) {
	fail := func(pos int, reason string) ([]token, *SyntaxError) {
		return nil, &SyntaxError{Expr: s, Offset: pos, Reason: reason}
	}
	toks := make([]token, 0, len(s)/3+2)
	last := token{}
	for i := 0; ; {
		i += spaces(s[i:])
		if i == len(s) {
			return append(toks, token{kind: tokEnd, pos: i}), nil
		}
		t := token{pos: i}
		c := s[i]
		switch {
		case c == '\'' || c == '"':
			end := strings.IndexByte(s[i+1:], c)
			if end < 0 {
				return fail(i, "a literal without its closing quote")
			}
			t.kind, t.text = tokLiteral, s[i+1:i+1+end]
			i += end + 2
		case digit(c) || c == '.' && i+1 < len(s) && digit(s[i+1]):
			n := numeral(s[i:])
			t.kind, t.text = tokNumber, s[i:i+n]
			i += n
		case strings.IndexByte("()[]@,", c) >= 0:
			t.kind, t.text = tokPunct, s[i:i+1]
			i++
		case c == '.':
			n := 1
			if strings.HasPrefix(s[i:], "..") {
				n = 2
			}
			t.kind, t.text = tokPunct, s[i:i+n]
			i += n
		case c == '*' && !last.operand():
			t.kind, t.text = tokName, "*"
			i++
		case strings.IndexByte("/!<>=|+-*", c) >= 0:
			n := 1
			if two := s[i:min(i+2, len(s))]; two == "//" || two == "!=" || two == "<=" || two == ">=" {
				n = 2
			}
			if c == '!' && n == 1 {
				return fail(i, `"!" is no operator (not() and "!=" are)`)
			}
			t.kind, t.text = tokOp, s[i:i+n]
			i += n
		case c == '$':
			return fail(i, "there are no variables in YANG")
		default:
			n := ncname(s[i:])
			if n == 0 {
				r, _ := utf8.DecodeRuneInString(s[i:])
				return fail(i, "unexpected character "+strconv.QuoteRune(r))
			}
			t.kind, t.text = tokName, s[i:i+n]
			i += n
			if last.operand() {
				switch t.text {
				case "or", "and", "div", "mod":
					t.kind = tokOp
				default:
					return fail(t.pos, "an operator is expected, not \""+t.text+"\"")
				}
				break
			}
			if strings.HasPrefix(s[i:], ":") && !strings.HasPrefix(s[i:], "::") {
				rest := s[i+1:]
				n := ncname(rest)
				if n == 0 && strings.HasPrefix(rest, "*") {
					n = 1
				}
				if n == 0 {
					return fail(i, "a name is expected after the prefix \""+t.text+"\"")
				}
				t.prefix, t.text = t.text, rest[:n]
				i += 1 + n
			}
			next := i + spaces(s[i:])
			switch {
			case strings.HasPrefix(s[next:], "::") && t.prefix == "":
				t.kind = tokAxis
				i = next + 2
			case strings.HasPrefix(s[next:], "(") && t.text != "*":
				t.kind = tokCall
			}
		}
		toks = append(toks, t)
		last = t
	}
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

func spaces(s string) int {
	i := 0
	for i < len(s) && (s[i] == ' ' || s[i] == '\t' || s[i] == '\n' || s[i] == '\r') {
		i++
	}
	return i
}

// numeral is the length of the number that s starts with: digits, at most one point.
func numeral(s string) int {
	i := 0
	for i < len(s) && digit(s[i]) {
		i++
	}
	if i < len(s) && s[i] == '.' {
		for i++; i < len(s) && digit(s[i]); i++ {
		}
	}
	return i
}

// ncname is the length of the NCName that s starts with, 0 if none.
func ncname(s string) int {
	i := 0
	for i < len(s) {
		r, n := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				break
			}
		}
		if !nameStart(r) && (i == 0 || !nameMore(r)) {
			break
		}
		i += n
	}
	return i
}

// nameStart and nameMore are the NameStartChar and what NameChar adds to it, without
// the colon [XML 1.0 section 2.3].
func nameStart(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || r == '_' ||
		r >= 0xC0 && r <= 0x2FF && r != 0xD7 && r != 0xF7 ||
		r >= 0x370 && r <= 0x1FFF && r != 0x37E ||
		r == 0x200C || r == 0x200D || r >= 0x2070 && r <= 0x218F ||
		r >= 0x2C00 && r <= 0x2FEF || r >= 0x3001 && r <= 0xD7FF ||
		r >= 0xF900 && r <= 0xFDCF || r >= 0xFDF0 && r <= 0xFFFD || r >= 0x10000 && r <= 0xEFFFF
}

func nameMore(r rune) bool {
	return '0' <= r && r <= '9' || r == '-' || r == '.' || r == 0xB7 ||
		r >= 0x300 && r <= 0x36F || r == 0x203F || r == 0x2040
}
