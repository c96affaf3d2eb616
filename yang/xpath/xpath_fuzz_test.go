package xpath

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzCompile: a text is refused with a SyntaxError that points into it, or its
// canonical form compiles to the same canonical form, both find the same, with look-ups
// and without, and no short cut differs from the whole value.
func FuzzCompile(f *testing.F) {
	lines, err := os.ReadFile("testdata/expressions.txt")
	if err != nil {
		f.Fatal(err)
	}
	for s := bufio.NewScanner(bytes.NewReader(lines)); s.Scan(); {
		f.Add(s.Text())
	}
	for _, s := range []string{"derived-from-or-self(../id, 'p:x')", "deref(.)/../v", "/r/item[id=current()/../ref]/v",
		"re-match(., 'a')", "enum-value(.) = 1 or bit-is-set(., 'x')", "((((", "a[b[c[d", "1e5", "p:", "'"} {
		f.Add(s)
	}
	looked, scanned := readTree(f, testLists), readTree(f, nil)
	f.Fuzz(func(t *testing.T, source string) {
		e, err := Compile(source, testNamespaces)
		if err != nil {
			var se *SyntaxError
			if !errors.As(err, &se) || se.Offset < 0 || se.Offset > len(source) || se.Reason == "" {
				t.Fatalf("Compile(%q): %#v", source, err)
			}
			return
		}
		again, err := Compile(e.String(), testNamespaces)
		if err != nil {
			if len(e.String()) > MaxLength {
				return
			}
			t.Fatalf("String of %q does not compile: %v", source, err)
		}
		if again.String() != e.String() {
			t.Fatalf("String of %q: %q, then %q", source, e, again)
		}
		if diff := cmp.Diff(e.Paths(), again.Paths()); diff != "" {
			t.Fatalf("Paths of %q:\n%s", source, diff)
		}
		at := looked.kids[0].kids[0].kids[0]
		want, ok := evaluate(t, e, at, looked)
		for _, other := range []struct {
			e    *Expr
			tree *tree
		}{{again, looked}, {e, scanned}} {
			got, ok2 := evaluate(t, other.e, other.tree.kids[0].kids[0].kids[0], other.tree)
			if ok && ok2 && got != want {
				t.Fatalf("%q = %s, as %q %s", source, want, other.e, got)
			}
		}
	})
}

// evaluate shows the value of an expression and compares it with the short cuts; ok is
// false if it cannot be evaluated.
func evaluate(t *testing.T, e *Expr, at Node, root *tree) (value string, ok bool) {
	ctx := func() Context {
		budget := int64(100000)
		return Context{Node: at, Env: schema{root}, Budget: &budget}
	}
	v, err := e.Eval(ctx())
	if err != nil {
		if !errors.Is(err, ErrBudget) && !errors.Is(err, errPattern) {
			t.Fatalf("Eval(%q): %v", e, err)
		}
		return "", false
	}
	if b, err := e.EvalBool(ctx()); err == nil && b != v.Bool() {
		t.Fatalf("EvalBool(%q) = %v, but the value is %s", e, b, show(v))
	}
	if s, err := e.EvalString(ctx()); err == nil && s != v.Text() {
		t.Fatalf("EvalString(%q) = %q, but the value is %s", e, s, show(v))
	}
	return show(v), true
}

// FuzzInstanceIdentifier: what is accepted survives being formatted and parsed.
func FuzzInstanceIdentifier(f *testing.F) {
	for _, s := range []string{"/p:a", "/p:a[p:k='1']/q:b", "/p:a[.=\"x\"]", "/p:a[1]/b", "/p:a[k='1'][q:l='2']", "//"} {
		f.Add(s, false)
		f.Add(s, true)
	}
	root := readTree(f, testLists)
	f.Fuzz(func(t *testing.T, s string, inherit bool) {
		id, err := ParseInstanceIdentifier(s, testNamespaces, inherit)
		if err != nil {
			var se *SyntaxError
			if !errors.As(err, &se) {
				t.Fatalf("%q: %#v", s, err)
			}
			return
		}
		text, err := id.Format(func(space string) string { return space[len("urn:"):] })
		if err != nil {
			t.Fatalf("Format of %q, which was parsed: %v", s, err)
		}
		again, err := ParseInstanceIdentifier(text, testNamespaces, false)
		if diff := cmp.Diff(id, again); err != nil || diff != "" {
			t.Fatalf("%q became %q: %v\n%s", s, text, err, diff)
		}
		id.Find(root)
	})
}
