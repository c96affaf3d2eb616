package xpath

import (
	"errors"
	"strings"
	"testing"
)

func TestSyntaxErrors(t *testing.T) {
	tests := []struct {
		expr   string
		offset int
		reason string
	}{
		{"", 0, "an expression is expected, not the end"},
		{"  ", 2, "an expression is expected, not the end"},
		{"a b", 2, "an operator is expected"},
		{"a or", 4, "not the end"},
		{"a]", 1, "should end here"},
		{"(a", 2, `")" is expected`},
		{"a[1", 3, `"]" is expected`},
		{"a[]", 2, "an expression is expected"},
		{"a/", 2, "a step is expected"},
		{"a//", 3, "a step is expected"},
		{"//", 2, "a step is expected"},
		{"/a/'x'", 3, "not a literal"},
		{"'abc", 0, "closing quote"},
		{"a = !b", 4, "no operator"},
		{"$x", 0, "no variables"},
		{"a # b", 2, `'#'`},
		{"a = \xff", 4, "unexpected character"},
		{"x:a", 0, `the prefix "x"`},
		{"a/x:*", 2, `the prefix "x"`},
		{"p:", 1, `after the prefix "p"`},
		{"p:1", 1, `after the prefix "p"`},
		{"foo()", 0, "no function foo()"},
		{"p:foo()", 0, "no function p:foo()"},
		{"count()", 0, "takes 1 argument, not 0"},
		{"concat('a')", 0, "takes 2 or more arguments, not 1"},
		{"substring('a')", 0, "takes 2 to 3 arguments, not 1"},
		{"last(1)", 0, "takes 0 arguments, not 1"},
		{"count('a')", 6, "argument 1 of count() must be a node-set, not a string"},
		{"sum(1)", 4, "must be a node-set, not a number"},
		{"deref(true())", 6, "must be a node-set, not a boolean"},
		{"derived-from(a, 'x:b')", 16, `"x:b" is not the name of an identity`},
		{"derived-from(a, 'b c')", 16, "is not the name of an identity"},
		{"derived-from(a, '')", 16, "is not the name of an identity"},
		{"a | 'b'", 4, "node-sets only"},
		{"1 | a", 0, "node-sets only"},
		{"'a'[1]", 3, `"[" needs a node-set before it, not a string`},
		{"1/a", 1, `"/" needs a node-set`},
		{"true()//a", 6, `"//" needs a node-set`},
		{"namespace::a", 0, "no namespace axis"},
		{"foo::a", 0, `no axis "foo"`},
		{"child::", 7, "a name or node type is expected"},
		{"child::foo()", 7, "a name or node type is expected"},
		{"..[1]", 2, "should end here"},
		{".[a]", 1, "should end here"},
		{"text('a')", 5, `")" is expected`},
		{"processing-instruction(a)", 23, `")" is expected`},
		{"1.2.3", 3, "should end here"},
		{"@@a", 1, "a name or node type is expected"},
		{"a,b", 1, "should end here"},
	}
	for _, tt := range tests {
		e, err := Compile(tt.expr, testNamespaces)
		var se *SyntaxError
		if !errors.As(err, &se) {
			t.Errorf("Compile(%q) = %v, %v, want a SyntaxError", tt.expr, e, err)
			continue
		}
		if se.Offset != tt.offset || !strings.Contains(se.Reason, tt.reason) {
			t.Errorf("Compile(%q): %q at %d, want %q at %d", tt.expr, se.Reason, se.Offset, tt.reason, tt.offset)
		}
	}
}

func TestLimits(t *testing.T) {
	chain := func(op string, n int) string { return "1" + strings.Repeat(op+"1", n) }
	nested := func(n int) string { return strings.Repeat("(", n) + "a" + strings.Repeat(")", n) }
	preds := func(n int) string { return strings.Repeat("a[", n) + "a" + strings.Repeat("]", n) }
	tests := []struct {
		name, expr string
		ok         bool
	}{
		{"long or", chain(" or ", 5000), true},
		{"long and", chain(" and ", 5000), true},
		{"long union", "a" + strings.Repeat("|a", 5000), true},
		{"long path", "a" + strings.Repeat("/a", 5000), true},
		{"many minus", strings.Repeat("-", 5000) + "1", true},
		{"many predicates", "a" + strings.Repeat("[a]", 5000), true},
		{"sum", chain("+", 100), true},
		{"long sum", chain("+", 200), false},
		{"long product", chain("*", 200), false},
		{"long comparison", chain("=", 200), false},
		{"parentheses", nested(MaxDepth - 1), true},
		{"deep parentheses", nested(MaxDepth), false},
		{"predicates", preds(MaxDepth - 1), true},
		{"deep predicates", preds(MaxDepth), false},
		{"deep calls", strings.Repeat("not(", MaxDepth) + "1" + strings.Repeat(")", MaxDepth), false},
		{"longest", "'" + strings.Repeat("x", MaxLength-2) + "'", true},
		{"too long", "'" + strings.Repeat("x", MaxLength-1) + "'", false},
	}
	root := readTree(t, testLists)
	for _, tt := range tests {
		e, err := Compile(tt.expr, testNamespaces)
		if (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
		if err == nil {
			if _, err := e.Eval(Context{Node: root}); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			e.Paths()
		} else if len(err.Error()) > 300 {
			t.Errorf("%s: the error has %d bytes", tt.name, len(err.Error()))
		}
	}
}

func TestString(t *testing.T) {
	tests := []struct{ expr, want string }{
		{"child::a/parent::node()/self::node()", "a/../."},
		{"/descendant-or-self::node()/child::a", "//a"},
		{"descendant-or-self::node()/a", "descendant-or-self::node()/a"},
		{"/descendant-or-self::node()", "/descendant-or-self::node()"},
		{"a/descendant-or-self::node()/b", "a//b"},
		{"(/) * 2", "(/) * 2"},
		{"/", "/"},
		{"(a or b) and c", "(a or b) and c"},
		{"a or (b and c)", "a or b and c"},
		{"(1 + 2) + 3", "1 + 2 + 3"},
		{"1 + (2 + 3)", "1 + (2 + 3)"},
		{"1-(-2)", "1 - -2"},
		{"---a", "-a"},
		{"----a", "--a"},
		{"-(1 + 2)", "-(1 + 2)"},
		{"(a | b)/c", "(a | b)/c"},
		{"(a)[1]", "(a)[1]"},
		{"((a))", "a"},
		{"current ( ) / .. / a", "current()/../a"},
		{"current()[a]/b", "current()[a]/b"},
		{"a [ b = \"x\" and c ]", "a[b = 'x'][c]"},
		{"a[b and 1]", "a[b and 1]"},
		{"a[b and position() = 1]", "a[b and position() = 1]"},
		{`concat("it's", 'a "b"')`, `concat("it's", 'a "b"')`},
		{"attribute::a | @p:*", "@a | @p:*"},
		{"processing-instruction( 'x' )", "processing-instruction('x')"},
		{"comment()", "comment()"},
		{"1.50 = .5", "1.5 = 0.5"},
		{"1" + strings.Repeat("0", 400), "1" + strings.Repeat("0", 309)},
		{"or or or", "or or or"},
		{"* * *", "* * *"},
		{"div div mod mod and", "div div mod mod and"},
		{"text/text()", "text/text()"},
		{"ancestor :: p:a", "ancestor::p:a"},
		{"été", "été"},
		{"a.b-c_d", "a.b-c_d"},
	}
	for _, tt := range tests {
		e, err := Compile(tt.expr, testNamespaces)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		if got := e.String(); got != tt.want {
			t.Errorf("String of %q = %q, want %q", tt.expr, got, tt.want)
		}
		if e.Source() != tt.expr {
			t.Errorf("Source of %q = %q", tt.expr, e.Source())
		}
		if again, err := Compile(tt.want, testNamespaces); err != nil || again.String() != tt.want {
			t.Errorf("String of %q = %v, %v", tt.want, again, err)
		}
	}
}

func TestNumbers(t *testing.T) {
	tests := []struct{ expr, want string }{
		{"number('1e3')", "NaN"},
		{"number('+1')", "NaN"},
		{"number('0x10')", "NaN"},
		{"number('1_000')", "NaN"},
		{"number('Infinity')", "NaN"},
		{"number('inf')", "NaN"},
		{"number(' \t\n-.5 ')", "-0.5"},
		{"number('\u00a01')", "NaN"},
		{"1000000 * 1000000 * 1000000 * 1000000", "1000000000000000000000000"},
		{"1 div 1000000 div 1000000", "0.000000000001"},
		{"0.1", "0.1"},
		{"1 div 3", "0.3333333333333333"},
		{"-1 div 0", "-Infinity"},
		{"round(0.49999999999999994)", "0"},
		{"round(9007199254740993)", "9007199254740992"},
		{"round(-1.5)", "-1"},
		{"1 div round(-0.4)", "-Infinity"},
		{"1" + strings.Repeat("0", 400), "Infinity"},
		{"enum-value(/none)", "NaN"},
	}
	root := readTree(t, testLists)
	for _, tt := range tests {
		if s, err := mustCompile(t, tt.expr, testNamespaces).EvalString(Context{Node: root}); err != nil || s != tt.want {
			t.Errorf("%s = %q, %v, want %q", tt.expr, s, err, tt.want)
		}
	}
}

// TestTexts checks text nodes against elements, which the golden file cannot show in
// full, and the root, which it leaves out.
func TestTexts(t *testing.T) {
	root := readTree(t, testLists)
	tests := []struct{ expr, want string }{
		{"/", "/"},
		{"/ | /r/item[1]/id/text() | /r/item[1]/id | /r", "/ e1 e3 t3"},
		{"/r/item[1]/id/text()/..", "e3"},
		{"/r/item[1]/id/text()/../..", "e2"},
		{"/r/item[1]/id/text()/ancestor::node()", "/ e1 e2 e3"},
		{"/r/item[1]/id/text()/following::node()[1]", "e4"},
		{"/r/item[1]/v/text()/preceding::node()[1]", "t3"},
		{"/r/item[1]/v/text()/preceding-sibling::node()", ""},
		{"/r/item[1]/v/text()/self::text()", "t4"},
		{"/r/item[1]/v/text()/self::*", ""},
		{"/r/item[1]/v/text()/*", ""},
		{"/r/item[1]/v/text()/node()", ""},
		{"/r/item[1]/v/text()/v", ""},
		{"/r/item[1]/v/text()/v[id='a']", ""},
		{"//text()[. = 'one']", "t14 t22"},
		{"/r/..", "/"},
		{"/..", ""},
		{"//box/ancestor::node()[last()]", "/"},
		{"/descendant-or-self::node()[1]", "/"},
	}
	for _, tt := range tests {
		set, err := mustCompile(t, tt.expr, testNamespaces).EvalNodes(Context{Node: root.kids[0]})
		if got := labels(set); err != nil || got != tt.want {
			t.Errorf("%s = %s, %v, want %s", tt.expr, got, err, tt.want)
		}
	}
	if s := StringValue(root.kids[0].kids[0]); s != "a1bxy" {
		t.Errorf("StringValue = %q", s)
	}
}
