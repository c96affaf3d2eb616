package xpath

import (
	"bufio"
	"bytes"
	"encoding/json"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
)

// testLists are the lists of testdata/tree.xml.
var testLists = map[string][]string{
	"/r/item":             {"id"},
	"/r/item/tag":         {"."},
	"/r/item/in":          {"k1", "k2"},
	"/r/item/ref":         {"."},
	"/r/item/item":        {"id"},
	"/r/box/v":            {},
	"/r/item/item/item":   {"id"},
	"/r/item/item/id/any": {},
}

var testNamespaces = Namespaces{Prefixes: map[string]string{"p": "urn:p", "q": "urn:q"}}

func readTree(t testing.TB, lists map[string][]string) *tree {
	t.Helper()
	doc, err := os.ReadFile("testdata/tree.xml")
	if err != nil {
		t.Fatal(err)
	}
	return parseTree(t, string(doc), lists)
}

// TestGolden compares with what libxml2 made of the same expressions (golden.py), on a
// tree that knows its lists and on one where everything is scanned.
func TestGolden(t *testing.T) {
	file := "testdata/golden.jsonl"
	if f := os.Getenv("XPATH_GOLDEN"); f != "" {
		file = f
	}
	golden, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	trees := map[string][]*tree{
		"lists": readTree(t, testLists).all(),
		"scans": readTree(t, nil).all(),
	}
	lines := 0
	for s := bufio.NewScanner(bytes.NewReader(golden)); s.Scan(); {
		var row [3]any
		if err := json.Unmarshal(s.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		lines++
		source, want := row[0].(string), row[2].(string)
		e, err := Compile(source, testNamespaces)
		if err != nil {
			t.Errorf("Compile(%q): %v", source, err)
			continue
		}
		again, err := Compile(e.String(), testNamespaces)
		if err != nil {
			t.Errorf("Compile(String(%q)): %v", source, err)
			continue
		}
		for kind, all := range trees {
			ctx := Context{Node: all[int(row[1].(float64))]}
			checkGolden(t, kind, e, ctx, want)
			checkGolden(t, kind+", canonical", again, ctx, want)
		}
	}
	if lines < 2000 {
		t.Errorf("only %d golden lines", lines)
	}
}

func checkGolden(t *testing.T, kind string, e *Expr, ctx Context, want string) {
	t.Helper()
	v, err := e.Eval(ctx)
	if err != nil {
		t.Errorf("%s: %q: %v", kind, e.Source(), err)
		return
	}
	if got := show(v); !same(got, want) {
		t.Errorf("%s: %q (%s) at %s = %s, want %s", kind, e.Source(), e, label(ctx.Node), got, want)
	}
	// The short cuts must agree with the whole value.
	if b, err := e.EvalBool(ctx); err != nil || b != v.Bool() {
		t.Errorf("%s: EvalBool(%q) at %s = %v, %v, want %v", kind, e.Source(), label(ctx.Node), b, err, v.Bool())
	}
	if s, err := e.EvalString(ctx); err != nil || s != v.Text() {
		t.Errorf("%s: EvalString(%q) at %s = %q, %v, want %q", kind, e.Source(), label(ctx.Node), s, err, v.Text())
	}
	n, err := e.EvalNumber(ctx)
	if w := v.Number(); err != nil || n != w && !(math.IsNaN(n) && math.IsNaN(w)) {
		t.Errorf("%s: EvalNumber(%q) at %s = %v, %v, want %v", kind, e.Source(), label(ctx.Node), n, err, w)
	}
	if e.Kind() == NodeSet {
		set, err := e.EvalNodes(ctx)
		if err != nil || labels(set) != labels(v.Nodes()) {
			t.Errorf("%s: EvalNodes(%q) = %s, %v, want %s", kind, e.Source(), labels(set), err, labels(v.Nodes()))
		}
		counted := &Expr{x: &call{fn: functions["count"], args: []expr{e.x}}}
		if n, err := counted.EvalNumber(ctx); err != nil || int(n) != len(set) {
			t.Errorf("%s: count(%q) at %s = %v, %v, want %d", kind, e.Source(), label(ctx.Node), n, err, len(set))
		}
	}
}

// show writes a value as golden.py does; the root is left out of sets there.
func show(v Value) string {
	switch v.Kind() {
	case Boolean:
		return strconv.FormatBool(v.Bool())
	case Number:
		return "n:" + v.Text()
	case String:
		return "s:" + v.Text()
	}
	return "set:" + strings.TrimPrefix(strings.TrimPrefix(labels(v.Nodes()), "/"), " ")
}

func same(got, want string) bool {
	g, ok1 := strings.CutPrefix(got, "n:")
	w, ok2 := strings.CutPrefix(want, "n:")
	if !ok1 || !ok2 {
		return got == want
	}
	a, err := strconv.ParseFloat(g, 64)
	b, err2 := strconv.ParseFloat(w, 64)
	if err != nil || err2 != nil {
		return false
	}
	return a == b || math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= 1e-12*math.Abs(a)
}
