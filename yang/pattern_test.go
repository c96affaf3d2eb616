package yang_test

import (
	"strings"
	"testing"

	"incidentd/yang"
)

func TestMatchPattern(t *testing.T) {
	for _, c := range []struct{ pattern, yes, no string }{
		// Samples stand between blanks; "_" is a blank, "0" nothing.
		{`abc`, `abc`, `abcd xabc 0`},
		{`a|bc`, `a bc`, `abc ac`},
		{`^a$`, `^a$`, `a`},
		{`a.c`, `abc a_c`, "a\nc a\rc"},
		{`\d+`, `12 ٣`, `a 0`},
		{`[\d\-]+`, `1-2`, `a`},
		{`\w+`, `aé1`, `a-b a_b`},
		{`\s`, `_`, `x`},
		{`\S+`, `ab`, `a_b`},
		{`\i\c*`, `a1-:. :x`, `1a`},
		{`\I`, `1 -`, `a`},
		{`[\I]`, `1`, `a`},
		{`[^\c]`, `(`, `a 1`},
		{`[\C\-]`, `- (`, `a`},
		{`[\D5]`, `5 x`, `4`},
		{`[^\D5]`, `4`, `5 x`},
		{`[a-z-[aeiou]]+`, `xyz`, `abc e`},
		{`[^a-z-[A]]`, `B 1`, `A a`},
		{`[a-z-[b-y-[m]]]`, `a z m`, `b n`},
		{`[\w-[\d]]+`, `ab`, `a1`},
		{`[a-c-[a-z]]|x`, `x`, `a`},
		{`\p{Lu}\P{Lu}`, `Ab`, `AB ab`},
		{`[\P{L}a]`, `a 1`, `b`},
		{`\p{IsBasicLatin}*`, `abc`, `é`},
		{`\P{IsGreek}`, `a`, `α`},
		{`[a\]\[\\^]+`, `a]^ \[`, `b`},
		{`[^^]`, `a`, `^`},
		{`[a-]`, `a -`, `b`},
		{`[-a]`, `a -`, `b`},
		{`[+--]`, `, + -`, `.`},
		{`[&~#|]+`, `&~# |`, `a`},
		{`a{2}b{1,}c{0,2}d{,1}`, `aab aabbccd`, `ab aabccc`},
		{`\.\*\?\+\(\)\{\}\|\-`, `.*?+(){}|-`, `a`},
		{`(a|b)*c?`, `abab c 0`, `cc`},
	} {
		for verdict, samples := range map[bool]string{true: c.yes, false: c.no} {
			for sample := range strings.SplitSeq(samples, " ") {
				sample = strings.ReplaceAll(sample, "_", " ")
				if sample == "0" {
					sample = ""
				}
				got, err := yang.MatchPattern(c.pattern, sample)
				if err != nil || got != verdict {
					t.Errorf("MatchPattern(%q, %q) = %v, %v; want %v", c.pattern, sample, got, err, verdict)
				}
			}
		}
	}
}

func TestPatternFaults(t *testing.T) {
	for _, c := range []struct{ pattern, want string }{
		{`[a`, "not closed"}, {`[]`, "empty"}, {`[^]`, "empty"}, {`[a[b]]`, "escaped"}, {`a]`, "escaped"}, {`a}`, "escaped"},
		{`(?:a)`, "question mark"}, {`(?i)a`, "question mark"}, {`a*?`, "quantifier"}, {`a++`, "quantifier"}, {`a{2}?`, "quantifier"},
		{`a)(b`, "not opened"}, {`(a`, "not closed"}, {`a{1001}`, "up to 1000"}, {`a{x}`, "up to 1000"}, {`a{1`, "not closed"},
		{`[z-a]`, "upside down"}, {`[a-\d]`, "ends in a class"}, {`[a-z-[b]c]`, "not at the end"}, {`\q`, "unknown escape"}, {`a\`, "backslash"},
		{`\p{Q}`, "no category"}, {`\p{IsKlingon}`, "block"}, {`\p`, "not followed"}, {`*a`, "missing argument"},
	} {
		if _, err := yang.MatchPattern(c.pattern, "a"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("MatchPattern(%q): error = %v, want one with %q", c.pattern, err, c.want)
		}
	}
}

// FuzzPattern holds a translation to what both languages mean by the same text:
// letters, digits and groups.
func FuzzPattern(f *testing.F) {
	for _, s := range []string{`[a-z-[aeiou]]`, `\i\c*`, `[^\D5]{2,3}`, `\p{L}|\P{IsGreek}`, `(a|b)*c?`} {
		f.Add(s, "ab")
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern) > 200 {
			return
		}
		direct, err := yang.MatchPattern(pattern, text)
		if err != nil {
			return
		}
		if grouped, err := yang.MatchPattern("("+pattern+")", text); err != nil || grouped != direct {
			t.Errorf("(%s) gives %v, %v for %q; without the group %v", pattern, grouped, err, text, direct)
		}
	})
}
