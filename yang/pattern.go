package yang

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Name characters of XML 1.0, which \i and \c stand for.
const (
	nameStartClass = `_:A-Za-z\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{2FF}\x{370}-\x{37D}\x{37F}-\x{1FFF}\x{200C}-\x{200D}\x{2070}-\x{218F}\x{2C00}-\x{2FEF}\x{3001}-\x{D7FF}\x{F900}-\x{FDCF}\x{FDF0}-\x{FFFD}\x{10000}-\x{EFFFF}`
	nameClass      = nameStartClass + `\-.0-9\x{B7}\x{300}-\x{36F}\x{203F}-\x{2040}`
)

// blocks are the Unicode blocks that patterns of the trade name; any other is
// refused when the schema is loaded.
var blocks = map[string]string{
	"BasicLatin": `\x{0}-\x{7F}`, "Latin-1Supplement": `\x{80}-\x{FF}`, "LatinExtended-A": `\x{100}-\x{17F}`,
	"LatinExtended-B": `\x{180}-\x{24F}`, "Greek": `\x{370}-\x{3FF}`, "Cyrillic": `\x{400}-\x{4FF}`,
}

// translatePattern turns a regular expression of XML Schema, which is what a
// pattern statement holds, into one of RE2 that matches the whole text. The two
// differ: ^ and $ are literals, \d and \w and \s are wider, \i and \c and \p{IsX}
// exist, "." leaves out the carriage return. What RE2 cannot say (class
// subtraction) is an error.
func translatePattern(xsd string) (*regexp.Regexp, error) {
	t := &patternTranslator{in: xsd}
	if err := t.run(); err != nil {
		return nil, err
	}
	re, err := regexp.Compile(`^(?:` + t.out.String() + `)$`)
	if err != nil {
		return nil, fmt.Errorf("pattern %q: %w", xsd, err)
	}
	return re, nil
}

type patternTranslator struct {
	in    string
	pos   int
	class bool
	out   strings.Builder
}

func (t *patternTranslator) run() error {
	for t.pos < len(t.in) {
		c, n := utf8.DecodeRuneInString(t.in[t.pos:])
		t.pos += n
		switch {
		case c == '\\':
			if err := t.escape(); err != nil {
				return err
			}
		case t.class && c == ']':
			t.class = false
			t.out.WriteByte(']')
		case t.class && c == '[':
			return fmt.Errorf("pattern %q: class subtraction is not supported", t.in)
		case t.class && c == '-' && t.pos < len(t.in) && t.in[t.pos] == '[':
			return fmt.Errorf("pattern %q: class subtraction is not supported", t.in)
		case t.class:
			if strings.ContainsRune(`&~#`, c) {
				t.out.WriteByte('\\')
			}
			t.out.WriteRune(c)
		case c == '[':
			t.class = true
			t.out.WriteByte('[')
			if strings.HasPrefix(t.in[t.pos:], "^") {
				t.pos++
				t.out.WriteByte('^')
			}
		case c == '^' || c == '$':
			t.out.WriteString(`\` + string(c))
		case c == '.':
			t.out.WriteString(`[^\n\r]`)
		case c == '{':
			if err := t.quantity(); err != nil {
				return err
			}
		case c == '(' && strings.HasPrefix(t.in[t.pos:], "?"):
			return fmt.Errorf("pattern %q: a group may not start with a question mark", t.in)
		default:
			t.out.WriteRune(c)
		}
	}
	if t.class {
		return fmt.Errorf("pattern %q: a character class is not closed", t.in)
	}
	return nil
}

// quantity copies {n}, {n,} or {n,m}; RE2 repeats at most 1000 times, so a larger
// upper bound is left open and a larger lower one refused.
func (t *patternTranslator) quantity() error {
	end := strings.IndexByte(t.in[t.pos:], '}')
	if end < 0 {
		return fmt.Errorf("pattern %q: a quantity is not closed", t.in)
	}
	text := t.in[t.pos : t.pos+end]
	t.pos += end + 1
	low, high, ranged := strings.Cut(text, ",")
	for _, s := range []string{low, high} {
		if s == "" {
			continue
		}
		if n, err := strconv.Atoi(s); err != nil || n > 1000 {
			return fmt.Errorf("pattern %q: the quantity {%s} is not a number up to 1000", t.in, text)
		}
	}
	if low == "" {
		low = "0"
	}
	if ranged {
		low += "," + high
	}
	t.out.WriteString("{" + low + "}")
	return nil
}

func (t *patternTranslator) escape() error {
	if t.pos == len(t.in) {
		return fmt.Errorf("pattern %q: ends in a backslash", t.in)
	}
	c, n := utf8.DecodeRuneInString(t.in[t.pos:])
	t.pos += n
	set := func(class string, negated bool) error {
		switch {
		case !t.class && negated:
			t.out.WriteString("[^" + class + "]")
		case !t.class:
			t.out.WriteString("[" + class + "]")
		case negated:
			return fmt.Errorf("pattern %q: \\%c inside a class is not supported", t.in, c)
		default:
			t.out.WriteString(class)
		}
		return nil
	}
	switch c {
	case 'n', 'r', 't':
		t.out.WriteString(`\` + string(c))
	case 'd':
		t.out.WriteString(`\p{Nd}`)
	case 'D':
		t.out.WriteString(`\P{Nd}`)
	case 's':
		return set(`\t\n\r `, false)
	case 'S':
		return set(`\t\n\r `, true)
	case 'w':
		return set(`\p{L}\p{M}\p{N}\p{S}`, false)
	case 'W':
		return set(`\p{L}\p{M}\p{N}\p{S}`, true)
	case 'i':
		return set(nameStartClass, false)
	case 'I':
		return set(nameStartClass, true)
	case 'c':
		return set(nameClass, false)
	case 'C':
		return set(nameClass, true)
	case 'p', 'P':
		end := strings.IndexByte(t.in[t.pos:], '}')
		if end < 0 || t.in[t.pos] != '{' {
			return fmt.Errorf("pattern %q: \\%c without {...}", t.in, c)
		}
		name := t.in[t.pos+1 : t.pos+end]
		t.pos += end + 1
		if block, ok := strings.CutPrefix(name, "Is"); ok {
			class, known := blocks[block]
			if !known {
				return fmt.Errorf("pattern %q: the block %q is not supported", t.in, block)
			}
			return set(class, c == 'P')
		}
		t.out.WriteString(`\` + string(c) + `{` + name + `}`)
	default:
		if strings.ContainsRune(`\|.-^?*+{}()[]$`, c) {
			t.out.WriteString(`\` + string(c))
			return nil
		}
		return fmt.Errorf("pattern %q: unknown escape \\%c", t.in, c)
	}
	return nil
}

// MatchPattern reports whether an XSD pattern matches the whole of s; the error
// says what the pattern has that is not supported.
func MatchPattern(pattern, s string) (bool, error) {
	re, err := translatePattern(pattern)
	if err != nil {
		return false, err
	}
	return re.MatchString(s), nil
}
