package yang

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"unicode"
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
	"LatinExtended-B": `\x{180}-\x{24F}`, "IPAExtensions": `\x{250}-\x{2AF}`, "SpacingModifierLetters": `\x{2B0}-\x{2FF}`,
	"CombiningDiacriticalMarks": `\x{300}-\x{36F}`, "Greek": `\x{370}-\x{3FF}`, "Cyrillic": `\x{400}-\x{4FF}`,
	"Armenian": `\x{530}-\x{58F}`, "Hebrew": `\x{590}-\x{5FF}`, "Arabic": `\x{600}-\x{6FF}`, "Thai": `\x{E00}-\x{E7F}`,
	"Georgian": `\x{10A0}-\x{10FF}`, "LatinExtendedAdditional": `\x{1E00}-\x{1EFF}`, "GreekExtended": `\x{1F00}-\x{1FFF}`,
	"GeneralPunctuation": `\x{2000}-\x{206F}`, "SuperscriptsandSubscripts": `\x{2070}-\x{209F}`, "CurrencySymbols": `\x{20A0}-\x{20CF}`,
	"LetterlikeSymbols": `\x{2100}-\x{214F}`, "NumberForms": `\x{2150}-\x{218F}`, "Arrows": `\x{2190}-\x{21FF}`,
	"MathematicalOperators": `\x{2200}-\x{22FF}`, "BoxDrawing": `\x{2500}-\x{257F}`, "Hiragana": `\x{3040}-\x{309F}`,
	"Katakana": `\x{30A0}-\x{30FF}`, "CJKUnifiedIdeographs": `\x{4E00}-\x{9FFF}`, "HangulSyllables": `\x{AC00}-\x{D7A3}`,
	"PrivateUse": `\x{E000}-\x{F8FF}`,
}

// translatePattern turns a regular expression of XML Schema, which is what a
// pattern statement holds, into one of RE2 that matches the whole text. The two
// differ: ^ and $ are literals, \d and \w and \s are wider, \i and \c and \p{IsX}
// exist, "." leaves out the carriage return, classes can be subtracted from each
// other. Of a class that RE2 cannot say the set of characters is computed.
func translatePattern(xsd string) (*regexp.Regexp, error) {
	t := &patternTranslator{in: xsd}
	if err := t.run(); err != nil {
		return nil, fmt.Errorf("pattern %q: %w", abbreviateValue(xsd), err)
	}
	re, err := regexp.Compile(`^(?:` + t.out.String() + `)$`)
	if err != nil {
		return nil, fmt.Errorf("pattern %q: %w", abbreviateValue(xsd), err)
	}
	return re, nil
}

type patternTranslator struct {
	in  string
	pos int
	out strings.Builder
}

func (t *patternTranslator) run() error {
	open := 0 // groups
	for t.pos < len(t.in) {
		c, n := utf8.DecodeRuneInString(t.in[t.pos:])
		t.pos += n
		switch {
		case c == '\\':
			e, err := t.escape()
			if err != nil {
				return err
			}
			if e.single {
				t.out.WriteString(regexp.QuoteMeta(string(e.char)))
			} else {
				t.out.WriteString("[" + e.negation() + e.class + "]")
			}
		case c == '[':
			class, err := t.class(0)
			if err != nil {
				return err
			}
			t.out.WriteString(class.String())
		case c == ']' || c == '}':
			return fmt.Errorf("%q has to be escaped", c)
		case c == '^' || c == '$':
			t.out.WriteString(`\` + string(c))
		case c == '.':
			t.out.WriteString(`[^\n\r]`)
		case c == '{':
			if err := t.quantity(); err != nil {
				return err
			}
		case strings.ContainsRune("?*+", c) && strings.HasPrefix(t.in[t.pos:], "?"), strings.ContainsRune("?*+", c) && strings.HasPrefix(t.in[t.pos:], "+"):
			return fmt.Errorf("a quantifier follows a quantifier")
		case c == '(' && strings.HasPrefix(t.in[t.pos:], "?"):
			return fmt.Errorf("a group may not start with a question mark")
		default:
			switch c {
			case '(':
				open++
			case ')':
				open--
			}
			if open < 0 {
				return fmt.Errorf("a parenthesis is closed that was not opened")
			}
			t.out.WriteRune(c)
		}
	}
	if open > 0 {
		return fmt.Errorf("a parenthesis is not closed")
	}
	return nil
}

// quantity copies {n}, {n,} or {n,m}; RE2 repeats at most 1000 times.
func (t *patternTranslator) quantity() error {
	end := strings.IndexByte(t.in[t.pos:], '}')
	if end < 0 {
		return fmt.Errorf("a quantity is not closed")
	}
	text := t.in[t.pos : t.pos+end]
	t.pos += end + 1
	low, high, ranged := strings.Cut(text, ",")
	for _, s := range []string{low, high} {
		if s == "" {
			continue
		}
		if n, err := strconv.Atoi(s); err != nil || n < 0 || n > 1000 {
			return fmt.Errorf("the quantity {%s} is not a number up to 1000", text)
		}
	}
	if low == "" {
		low = "0"
	}
	if ranged {
		low += "," + high
	}
	t.out.WriteString("{" + low + "}")
	if rest := t.in[t.pos:]; strings.HasPrefix(rest, "?") || strings.HasPrefix(rest, "+") {
		return fmt.Errorf("a quantifier follows a quantifier")
	}
	return nil
}

// escaped is what a backslash escape stands for: one character, or a class in the
// syntax of RE2, without its brackets.
type escaped struct {
	single  bool
	char    rune
	class   string
	negated bool
}

func (e escaped) negation() string {
	if e.negated {
		return "^"
	}
	return ""
}

const wordClass = `\p{L}\p{M}\p{N}\p{S}` // all but punctuation, separators and others

func (t *patternTranslator) escape() (escaped, error) {
	if t.pos == len(t.in) {
		return escaped{}, fmt.Errorf("it ends in a backslash")
	}
	c, n := utf8.DecodeRuneInString(t.in[t.pos:])
	t.pos += n
	class := func(text string, upper rune) (escaped, error) {
		return escaped{class: text, negated: c == upper}, nil
	}
	switch c {
	case 'n':
		return escaped{single: true, char: '\n'}, nil
	case 'r':
		return escaped{single: true, char: '\r'}, nil
	case 't':
		return escaped{single: true, char: '\t'}, nil
	case 'd', 'D':
		return class(`\p{Nd}`, 'D')
	case 's', 'S':
		return class(`\t\n\r `, 'S')
	case 'w', 'W':
		return class(wordClass, 'W')
	case 'i', 'I':
		return class(nameStartClass, 'I')
	case 'c', 'C':
		return class(nameClass, 'C')
	case 'p', 'P':
		end := strings.IndexByte(t.in[t.pos:], '}')
		if end < 0 || t.in[t.pos] != '{' {
			return escaped{}, fmt.Errorf(`\%c is not followed by {...}`, c)
		}
		name := t.in[t.pos+1 : t.pos+end]
		t.pos += end + 1
		if block, ok := strings.CutPrefix(name, "Is"); ok {
			set, known := blocks[block]
			if !known {
				return escaped{}, fmt.Errorf("the block %q is not supported", block)
			}
			return class(set, 'P')
		}
		if len(name) == 0 || len(name) > 2 || unicode.Categories[name] == nil {
			return escaped{}, fmt.Errorf("there is no category %q", name)
		}
		return class(`\p{`+name+`}`, 'P')
	}
	if strings.ContainsRune(`\|.-^?*+{}()[]$`, c) {
		return escaped{single: true, char: c}, nil
	}
	return escaped{}, fmt.Errorf(`unknown escape \%c`, c)
}

// class is a bracketed class, from behind its opening bracket.
type class struct {
	negated bool
	parts   string // in the syntax of RE2, without brackets
	// computed is the set itself, when negated escapes within the class or a
	// subtraction make it more than RE2 can say; nil otherwise.
	computed runeSet
}

func (c class) String() string {
	switch {
	case c.computed != nil && len(c.computed) == 0:
		return `[^\x{0}-\x{10FFFF}]`
	case c.computed != nil:
		return "[" + c.computed.String() + "]"
	case c.negated:
		return "[^" + c.parts + "]"
	}
	return "[" + c.parts + "]"
}

// set is the class as a set of characters.
func (c class) set() (runeSet, error) {
	if c.computed != nil {
		return c.computed, nil
	}
	set, err := setOf(c.parts)
	if err == nil && c.negated {
		set = set.complement()
	}
	return set, err
}

func (t *patternTranslator) class(depth int) (class, error) {
	var c class
	var extra runeSet // of negated escapes
	var out strings.Builder
	if depth > 10 {
		return c, fmt.Errorf("subtractions nest too deep")
	}
	if strings.HasPrefix(t.in[t.pos:], "^") {
		t.pos++
		c.negated = true
	}
	last := rune(-1) // the character before, when a range may begin with it
	for first := true; ; first = false {
		if t.pos == len(t.in) {
			return c, fmt.Errorf("a character class is not closed")
		}
		r, n := utf8.DecodeRuneInString(t.in[t.pos:])
		t.pos += n
		rest := t.in[t.pos:]
		switch {
		case r == ']':
			if first {
				return c, fmt.Errorf("a character class is empty")
			}
			c.parts = out.String()
			return t.finishClass(c, extra, nil)
		case r == '-' && strings.HasPrefix(rest, "[") && !first:
			t.pos++
			minus, err := t.class(depth + 1)
			if err != nil {
				return c, err
			}
			if !strings.HasPrefix(t.in[t.pos:], "]") {
				return c, fmt.Errorf("a subtraction is not at the end of its class")
			}
			t.pos++
			c.parts = out.String()
			return t.finishClass(c, extra, &minus)
		case r == '[':
			return c, fmt.Errorf("a bracket in a class has to be escaped")
		case r == '-' && last >= 0 && rest != "" && rest[0] != ']':
			high, n := utf8.DecodeRuneInString(rest)
			t.pos += n
			if high == '\\' {
				e, err := t.escape()
				if err != nil {
					return c, err
				}
				if !e.single {
					return c, fmt.Errorf("a range ends in a class")
				}
				high = e.char
			}
			if high < last {
				return c, fmt.Errorf("the range %c-%c is upside down", last, high)
			}
			fmt.Fprintf(&out, `-\x{%X}`, high)
			last = -1
		case r == '\\':
			e, err := t.escape()
			if err != nil {
				return c, err
			}
			switch last = -1; {
			case e.single:
				fmt.Fprintf(&out, `\x{%X}`, e.char)
				last = e.char
			case e.negated:
				set, err := setOf(e.class)
				if err != nil {
					return c, err
				}
				if set = set.complement(); extra == nil {
					extra = runeSet{}
				}
				extra = extra.union(set)
			default:
				out.WriteString(e.class)
			}
		default:
			fmt.Fprintf(&out, `\x{%X}`, r)
			last = r
		}
	}
}

// finishClass computes the set where negated escapes or a subtraction need it.
func (t *patternTranslator) finishClass(c class, extra runeSet, minus *class) (class, error) {
	if extra == nil && minus == nil {
		return c, nil
	}
	set := runeSet{}
	if c.parts != "" {
		var err error
		if set, err = setOf(c.parts); err != nil {
			return c, err
		}
	}
	if set = set.union(extra); c.negated {
		set = set.complement()
	}
	if minus != nil {
		take, err := minus.set()
		if err != nil {
			return c, err
		}
		set = set.intersect(take.complement())
	}
	c.computed = set
	return c, nil
}

// runeSet is a set of characters as pairs of lowest and highest, ascending.
type runeSet []rune

// setOf is the set of a class in the syntax of RE2, whose parser knows all of
// Unicode's tables.
func setOf(parts string) (runeSet, error) {
	re, err := syntax.Parse("["+parts+"]", syntax.Perl)
	if err != nil {
		return nil, err
	}
	switch re.Op {
	case syntax.OpLiteral:
		return runeSet{re.Rune[0], re.Rune[0]}, nil
	case syntax.OpCharClass:
		return slices.Clone(re.Rune), nil
	case syntax.OpAnyChar:
		return runeSet{0, unicode.MaxRune}, nil
	}
	return nil, fmt.Errorf("the class [%s] is none", parts)
}

func (s runeSet) complement() runeSet {
	out := runeSet{}
	next := rune(0)
	for i := 0; i < len(s); i += 2 {
		if s[i] > next {
			out = append(out, next, s[i]-1)
		}
		next = s[i+1] + 1
	}
	if next <= unicode.MaxRune {
		out = append(out, next, unicode.MaxRune)
	}
	return out
}

func (s runeSet) intersect(o runeSet) runeSet {
	out := runeSet{}
	for i, j := 0, 0; i < len(s) && j < len(o); {
		if low, high := max(s[i], o[j]), min(s[i+1], o[j+1]); low <= high {
			out = append(out, low, high)
		}
		if s[i+1] < o[j+1] {
			i += 2
		} else {
			j += 2
		}
	}
	return out
}

func (s runeSet) union(o runeSet) runeSet {
	return s.complement().intersect(o.complement()).complement()
}

func (s runeSet) String() string {
	var b strings.Builder
	for i := 0; i < len(s); i += 2 {
		fmt.Fprintf(&b, `\x{%X}-\x{%X}`, s[i], s[i+1])
	}
	return b.String()
}

// CompilePattern translates an XSD pattern, which matches a whole value; the error says
// what the pattern has that is not supported, or where it is wrong.
func CompilePattern(pattern string) (*regexp.Regexp, error) { return translatePattern(pattern) }

// MatchPattern reports whether an XSD pattern matches the whole of s; the error
// says what the pattern has that is not supported.
func MatchPattern(pattern, s string) (bool, error) {
	re, err := translatePattern(pattern)
	if err != nil {
		return false, err
	}
	return re.MatchString(s), nil
}
