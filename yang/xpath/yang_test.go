package xpath

import (
	"errors"
	"math"
	"strings"
	"testing"
)

// network is a tree in the manner of RFC 8345.
const network = `<nws xmlns="urn:nw"><nw><id>ip</id><kind>urn:t#base/urn:t#ip</kind>` +
	`<node><id>P1</id><sup><nwref>opt</nwref><noderef>O1</noderef></sup></node><node><id>P2</id></node></nw>` +
	`<nw><id>opt</id><kind>urn:t#base</kind><node><id>O1</id></node></nw>` +
	`<mode>up=7</mode><flags>syn ack</flags><ref>P2</ref></nws>`

var (
	networkLists = map[string][]string{
		"/nws/nw":          {"id"},
		"/nws/nw/node":     {"id"},
		"/nws/nw/node/sup": {"nwref", "noderef"},
	}
	networkNames = Namespaces{Default: "urn:nw", Prefixes: map[string]string{"nw": "urn:nw", "t": "urn:t"}}
)

func mustCompile(t testing.TB, source string, ns Namespaces) *Expr {
	t.Helper()
	e, err := Compile(source, ns)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// at is the node that an expression finds first.
func at(t testing.TB, root *tree, source string) Node {
	t.Helper()
	set, err := mustCompile(t, source, networkNames).EvalNodes(Context{Node: root})
	if err != nil || len(set) == 0 {
		t.Fatalf("%s = %v, %v", source, set, err)
	}
	return set[0]
}

func TestYANGFunctions(t *testing.T) {
	root := parseTree(t, network, networkLists)
	sup := at(t, root, "/nws/nw/node/sup")
	tests := []struct{ expr, want string }{
		{"current()/nwref", "opt"},
		{"name(current())", "sup"},
		{"/nws/nw[id = current()/nwref]/node[id = current()/noderef]/id", "O1"},
		{"/nw:nws/nw:nw[nw:id=current()/nwref]/nw:kind", "urn:t#base"},
		{"/nws/nw[current()/nwref = id]/id", "opt"},
		{"count(/nws/nw[current()])", "2"},
		{"derived-from-or-self(../../kind, 't:ip')", "true"},
		{"derived-from-or-self(../../kind, 't:base')", "true"},
		{"derived-from(../../kind, 't:base')", "true"},
		{"derived-from(../../kind, 't:ip')", "false"},
		{"derived-from-or-self(/nws/nw/kind, 't:ip')", "true"},
		{"derived-from-or-self(../../none, 't:ip')", "false"},
		{"derived-from-or-self(../../kind, concat('t', ':ip'))", "true"},
		{"derived-from-or-self(../../kind, concat('u', ':ip'))", "false"},
		{"derived-from-or-self(../../kind, string(../../kind))", "false"},
		{"derived-from-or-self(/nws/nw[2]/kind | ../../kind, 't:ip')", "true"},
		{"enum-value(/nws/mode)", "7"},
		{"enum-value(/nws/flags)", "NaN"},
		{"enum-value(/nws/none)", "NaN"},
		{"bit-is-set(/nws/flags, 'ack')", "true"},
		{"bit-is-set(/nws/flags, 'fin')", "false"},
		{"bit-is-set(/nws/none, 'fin')", "false"},
		{"re-match('abc', 'ab')", "true"},
		{"re-match(/nws/ref, 'X')", "false"},
		{"deref(/nws/ref)/../../id", "ip"},
		{"deref(noderef)/..", "O1"},
		{"count(deref(/nws/none))", "0"},
		{"count(deref(/nws))", "0"},
		{"boolean(deref(noderef))", "true"},
		{"not(deref(noderef)/../sup)", "true"},
		{"name(/nws)", "nws"},
	}
	for _, tt := range tests {
		for _, root := range []*tree{root, parseTree(t, network, nil)} {
			v, err := mustCompile(t, tt.expr, networkNames).Eval(Context{
				Node: at(t, root, "/nws/nw/node/sup"), Env: schema{root}})
			if err != nil || v.Text() != tt.want {
				t.Errorf("%s = %q, %v, want %q", tt.expr, v.Text(), err, tt.want)
			}
		}
	}

	e := mustCompile(t, "name(/n:nws)", Namespaces{Prefixes: map[string]string{"n": "urn:nw", "m": "urn:nw"}})
	if s, err := e.EvalString(Context{Node: root}); err != nil || s != "m:nws" {
		t.Errorf("%s = %q, %v, want m:nws", e, s, err)
	}
	e = mustCompile(t, "name(current()) = 'sup' and name(.) = 'nws'", networkNames)
	if b, err := e.EvalBool(Context{Node: at(t, root, "/nws"), Current: sup}); err != nil || !b {
		t.Errorf("%s = %v, %v: Current is not what was given", e, b, err)
	}
}

func TestEvaluationErrors(t *testing.T) {
	root := parseTree(t, network, networkLists)
	for _, source := range []string{"re-match('a', 'b')", "deref(nws)", "derived-from(nws, 'a')", "enum-value(nws)",
		"bit-is-set(nws, 'a')", "nws[enum-value(.) = 1]", "not(re-match('a', 'b'))"} {
		e := mustCompile(t, source, networkNames)
		if _, err := e.EvalBool(Context{Node: root}); !errors.Is(err, ErrNoEnvironment) {
			t.Errorf("EvalBool(%s): %v, want ErrNoEnvironment", source, err)
		}
		if _, err := e.Eval(Context{Node: root}); !errors.Is(err, ErrNoEnvironment) {
			t.Errorf("Eval(%s): %v, want ErrNoEnvironment", source, err)
		}
	}
	e := mustCompile(t, "re-match('a', '')", networkNames)
	if b, err := e.EvalBool(Context{Node: root, Env: schema{root}}); b || !errors.Is(err, errPattern) {
		t.Errorf("a pattern that fails: %v, %v", b, err)
	}
	e = mustCompile(t, "1 + 1", networkNames)
	if _, err := e.EvalNodes(Context{Node: root}); !errors.Is(err, ErrNotNodeSet) {
		t.Errorf("EvalNodes of a number: %v", err)
	}
	e = mustCompile(t, "nws", networkNames)
	_, err1 := e.Eval(Context{})
	_, err2 := e.EvalBool(Context{})
	_, err3 := e.EvalString(Context{})
	_, err4 := e.EvalNodes(Context{})
	_, err5 := e.EvalNumber(Context{})
	for _, err := range []error{err1, err2, err3, err4, err5} {
		if !errors.Is(err, ErrNoNode) {
			t.Errorf("without a node: %v", err)
		}
	}
}

// TestLookups counts how the tree is asked: an expression that names all keys must
// not walk the list.
func TestLookups(t *testing.T) {
	tests := []struct {
		expr, want string
		entries    int
	}{
		{"/nws/nw[id='opt']/kind", "urn:t#base", 1},
		{"/nws/nw['opt'=id]/kind", "urn:t#base", 1},
		{"/nws/nw[nw:id='opt'][kind]/kind", "urn:t#base", 1},
		{"/nws/nw[kind][id='opt']/kind", "urn:t#base", 1},
		{"/nws/nw[kind and id='opt' and not(none)]/kind", "urn:t#base", 1},
		{"/nws/nw[id='opt'][1]/kind", "urn:t#base", 1},
		{"/nws/nw[id='opt'][2]/kind", "", 1},
		{"/nws/nw[id='opt'][last()]/kind", "urn:t#base", 1},
		{"/nws/nw[id='opt'][id='ip']/kind", "", 1},
		{"/nws/nw[id='none']/kind", "", 1},
		{"/nws/nw[id=/nws/none]/kind", "", 0},
		{"/nws/nw[id=concat('o', 'pt')]/kind", "urn:t#base", 1},
		{"/nws/nw[id='ip']/node[id='P1']/sup[noderef='O1'][nwref='opt']/nwref", "opt", 3},
		{"/nws/nw[id='ip']/node[id='P1']/sup[nwref='opt' and noderef='O1']/nwref", "opt", 3},
		{"/nws/nw[id=/nws/nw[id='ip']/node[id='P1']/sup[noderef='O1'][nwref='opt']/nwref]/id", "opt", 4},
		{"boolean(/nws/nw[id='opt'])", "true", 1},
		{"not(/nws/nw[id='none'])", "true", 1},
		{"count(/nws/nw[id='opt']/kind)", "1", 1},
		{"/nws/nw[id='opt']/node/id = 'O1'", "true", 2},
		{"/nws/nw[id='opt']/node/id = 'none'", "false", 2},
		{"/nws/nw/id = 'opt'", "true", 1},
		{"'none' = /nws/nw/id", "false", 1},
		{"derived-from-or-self(/nws/nw[id='opt']/kind, 't:base')", "true", 1},
	}
	for _, tt := range tests {
		root := parseTree(t, network, networkLists)
		v, err := mustCompile(t, tt.expr, networkNames).Eval(Context{Node: root, Env: schema{root}})
		if err != nil || v.Text() != tt.want {
			t.Errorf("%s = %q, %v, want %q", tt.expr, v.Text(), err, tt.want)
		}
		if c := *root.counts; c.entries != tt.entries || c.yields != 0 {
			t.Errorf("%s: %d look-ups and %d children visited, want %d and 0", tt.expr, c.entries, c.yields, tt.entries)
		}
	}

	// These look like look-ups and are none.
	for expr, want := range map[string]string{
		"/nws/nw[id=id]/id":                         "ip",
		"/nws/nw[id=../nw/node/sup/nwref]/id":       "opt",
		"/nws/nw[2][id='opt']/id":                   "opt",
		"/nws/nw[last()][id='ip']/id":               "",
		"/nws/nw[id='opt' or id='ip']/id":           "ip",
		"/nws/nw[id!='ip']/id":                      "opt",
		"/nws/nw[id=/nws/nw/id]/id":                 "ip",
		"/nws/nw/node/sup[nwref='opt']/noderef":     "O1",
		"/nws/nw[id='opt' and position()=2]/id":     "opt",
		"/nws/nw[id='opt' and position()=1]/id":     "",
		"/nws/nw[id='opt' and 1]/id":                "opt",
		"/nws/nw[id=true()]/id":                     "ip",
		"/nws/nw/node[id = current()/*/nw/id]/id":   "",
		"/nws/nw[node[id='O1']]/id":                 "opt",
		"//nw[id='opt']/id":                         "opt",
		"/nws/child::node()[self::nw][id='opt']/id": "opt",
	} {
		root := parseTree(t, network, networkLists)
		v, err := mustCompile(t, expr, networkNames).Eval(Context{Node: root})
		if err != nil || v.Text() != want {
			t.Errorf("%s = %q, %v, want %q", expr, v.Text(), err, want)
		}
	}
}

// TestShortCut checks that a search ends with the first hit.
func TestShortCut(t *testing.T) {
	var doc strings.Builder
	doc.WriteString("<r>")
	for range 1000 {
		doc.WriteString("<e><v>1</v></e>")
	}
	doc.WriteString("</r>")
	lists := map[string][]string{"/r/e": {}}
	for _, expr := range []string{"boolean(/r/e)", "not(/r/e)", "/r/e/v = '1'", "/r/e/v = 1", "/r/e/v < 2", "//v = '1'",
		"boolean(//v)", "string(/r/e)", "/r/e or false()", "/r[e]", "boolean(/r/e[1])", "/r/e = /r/e[1]"} {
		root := parseTree(t, doc.String(), lists)
		if _, err := mustCompile(t, expr, Namespaces{}).Eval(Context{Node: root}); err != nil {
			t.Errorf("%s: %v", expr, err)
		}
		if n := root.counts.yields; n > 8 {
			t.Errorf("%s visits %d nodes", expr, n)
		}
	}
}

func TestBudget(t *testing.T) {
	root := readTree(t, testLists)
	for _, expr := range []string{"//*//*//*//*//*", "count(//node()/..//node())", "string(/)", "//*[//*[//*]] = 'zz'",
		"//* | //*/..", "not(//*[. = 'zz'])", "count(//*/preceding::*)", "sum(//*) = 1 or //a = 'b'", "/r/*[last()]/preceding-sibling::*"} {
		e := mustCompile(t, expr, testNamespaces)
		free := int64(math.MaxInt64)
		want, err := e.EvalString(Context{Node: root, Budget: &free})
		if err != nil {
			t.Fatalf("%s: %v", expr, err)
		}
		spent := math.MaxInt64 - free
		for _, budget := range []int64{0, 1, spent / 2, spent - 1} {
			left := budget
			if s, err := e.EvalString(Context{Node: root, Budget: &left}); !errors.Is(err, ErrBudget) || s != "" || left != 0 {
				t.Errorf("%s with a budget of %d of %d: %q, %v, %d left", expr, budget, spent, s, err, left)
			}
			left = budget
			if set, err := e.Eval(Context{Node: root, Budget: &left}); !errors.Is(err, ErrBudget) && err != nil || set.Nodes() != nil && err != nil {
				t.Errorf("%s with a budget of %d: %v, %v", expr, budget, set, err)
			}
		}
		left := spent
		if s, err := e.EvalString(Context{Node: root, Budget: &left}); err != nil || s != want || left != 0 {
			t.Errorf("%s with its budget of %d: %q, %v, %d left, want %q", expr, spent, s, err, left, want)
		}
	}
	for _, hostile := range []string{
		strings.Repeat("//*[count(//node()/..//node()) > 0]", 40),
		"//*[1 = 1" + strings.Repeat(" and 1 = 1", 5000) + "]",
		"//*[true()" + strings.Repeat(" and true()", 5000) + "]",
		"//*[string-length('" + strings.Repeat("x", MaxLength-100) + "') > 1]/..//*[string-length() > 1]",
		"//*[translate('x', '" + strings.Repeat("x", MaxLength-100) + "', '')]",
		"//*[-1 + 1" + strings.Repeat(" or not(1 - 1 - 1)", 3000) + "]/..",
	} {
		left := int64(10000)
		if _, err := mustCompile(t, hostile, testNamespaces).Eval(Context{Node: root, Budget: &left}); !errors.Is(err, ErrBudget) {
			t.Errorf("hostile %.60s...: %v", hostile, err)
		}
	}
}
