package yang_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"incidentd/yang"
)

// TestCompileFaults refuses one fault a module, with its place and the reason. The
// body begins in line 2 of m.yang; other files are of the case.
func TestCompileFaults(t *testing.T) {
	for _, c := range []struct {
		name, body string
		line       int
		want       string
	}{
		// Syntax and grammar.
		{"open brace", "leaf a {", 0, "m.yang"},
		{"no semicolon", "leaf a { type string }", 2, "syntax error"},
		{"string not closed", "description \"x;", 2, "missing closing"},
		{"unknown statement", "leef a;", 2, "no such statement"},
		{"unknown substatement", "leaf a {\n typ string; }", 3, "no such statement"},
		{"misplaced", "leaf a { type string;\n key b; }", 3, "has no place in leaf"},
		{"leaf in leaf", "leaf a { type string; leaf b { type string; } }", 2, "has no place in leaf"},
		{"duplicate", "leaf a { type string;\n type int8; }", 3, "stands a second time"},
		{"two descriptions", "container a { description x;\n description y; }", 3, "second time"},
		{"no type", "leaf a;", 2, "has no type"},
		{"deviation without deviate", "deviation /t:a;", 2, "has no deviate"},
		{"import without prefix", "import x;", 2, "has no prefix"},
		{"late import", "leaf a { type string; }\nimport x { prefix x; }", 3, "too late"},
		{"late description", "revision 2020-01-01;\ndescription x;", 3, "too late"},
		{"revision twice", "revision 2020-01-01;\nrevision 2020-01-01;", 3, "twice"},
		{"no argument", "leaf { type string; }", 2, "no argument"},
		{"argument of input", "rpc r { input x { leaf a { type string; } } }", 2, "takes no argument"},
		{"identifier", "leaf 1a { type string; }", 2, "is no identifier"},
		{"prefixed identifier", "leaf t:a { type string; }", 2, "is no identifier"},
		{"date", "revision 2020-02-30;", 2, "is no date"},
		{"boolean", "leaf a { type string; config yes; }", 2, "none of true, false"},
		{"status", "leaf a { type string; status gone; }", 2, "none of current"},
		{"ordered-by", "leaf-list a { type string; ordered-by me; }", 2, "none of user"},
		{"min-elements", "leaf-list a { type string; min-elements -1; }", 2, "is not 0 to"},
		{"max-elements", "leaf-list a { type string; max-elements 0; }", 2, "is not 1 to"},
		{"leading zero", "leaf-list a { type string; max-elements 01; }", 2, "is not 1 to"},
		{"relative augment", "augment a { leaf b { type string; } }", 2, "begin with a slash"},
		{"absolute refine", "grouping g { leaf a { type string; } } uses g {\n refine /a { config true; } }", 3, "begins with a slash"},
		{"modifier", "leaf a { type string { pattern a { modifier invert; } } }", 2, "none of invert-match"},
		{"deviate", "deviation /t:a { deviate change; }", 2, "none of not-supported"},
		{"deviate with the wrong substatement", "deviation /t:a { deviate delete { config true; } }", 2, "has no place in deviate"},
		{"nesting", strings.Repeat("container a { ", 250) + strings.Repeat("}", 250), 2, "deeper"},
		{"NUL", "leaf a { type string; }\n\x00", 3, "NUL"},
		{"UTF-8", "leaf a { type string; }\n// \xff", 3, "UTF-8"},

		// Names and scopes.
		{"unknown type", "leaf a { type nosuch; }", 2, `no typedef "nosuch" in scope`},
		{"unknown type of an unused grouping", "grouping g {\n leaf a { type nosuch; } }", 3, `no typedef "nosuch"`},
		{"unknown type of an unused typedef", "typedef a { type nosuch; }", 2, `no typedef "nosuch"`},
		{"unknown grouping", "uses nosuch;", 2, `no grouping "nosuch"`},
		{"unknown prefix", "leaf a { type x:y; }", 2, `prefix "x"`},
		{"unknown feature", "leaf a { if-feature nope; type string; }", 2, `no feature "nope"`},
		{"feature expression", `feature f; leaf a { if-feature "f and"; type string; }`, 2, "ends where"},
		{"feature parenthesis", `feature f; leaf a { if-feature "(f"; type string; }`, 2, "not closed"},
		{"feature of itself", "feature a { if-feature b; } feature b { if-feature a; }", 2, "depends on itself"},
		{"unknown extension", "t:ext x;", 2, `no extension "ext"`},
		{"extension of an unknown prefix", "leaf a { type string; x:ext; }", 2, `prefix "x"`},
		{"extension without argument", "extension e { argument a; }\nt:e;", 3, "no argument"},
		{"extension with argument", "extension e;\nt:e x;", 3, "takes no argument"},
		{"unknown base", "identity a { base b; }", 2, `no identity "b"`},
		{"identity of itself", "identity a { base b; } identity b { base a; }", 2, "derived from itself"},
		{"typedef of itself", "typedef a { type b; } typedef b { type a; }", 2, "refer to themselves"},
		{"union of itself", "typedef a { type union { type a; type string; } }", 2, "refer to themselves"},
		{"grouping uses itself", "grouping g { container c { uses h; } }\ngrouping h { uses g; }", 3, "uses itself"},
		{"two typedefs", "typedef a { type string; }\ntypedef a { type string; }", 3, "twice"},
		{"two groupings", "grouping a;\ngrouping a;", 3, "twice"},
		{"two features", "feature a;\nfeature a;", 3, "twice"},
		{"two identities", "identity a;\nidentity a;", 3, "twice"},
		{"two extensions", "extension a;\nextension a;", 3, "twice"},
		{"shadowing typedef", "typedef a { type string; }\ncontainer c { typedef a { type string; } }", 3, "is defined in"},
		{"nested typedef twice", "container c { typedef a { type string; }\n typedef a { type string; } }", 3, "is defined in"},
		{"typedef string", "typedef string { type int8; }", 2, "built-in"},
		{"two nodes", "leaf a { type string; }\ncontainer a;", 3, "already"},
		{"two children", "container c { leaf a { type string; }\n leaf a { type string; } }", 3, "already"},
		{"rpc and container", "container a;\nrpc a;", 3, "already"},
		{"action and leaf", "container c { leaf a { type string; }\n action a; }", 3, "already"},
		{"same name in two cases", "choice c { leaf a { type string; } case b {\n leaf a { type string; } } }", 3, "stands twice"},

		// Types.
		{"range of a string", "leaf a { type string { range 1..2; } }", 2, "takes no range"},
		{"length of a number", "leaf a { type int8 { length 1; } }", 2, "takes no length"},
		{"path of a string", "leaf a { type string { path ../b; } }", 2, "takes no path"},
		{"bad range", "leaf a { type int8 { range 5..1; } }", 2, "ascend"},
		{"overlapping range", `leaf a { type int8 { range "1..5 | 5..6"; } }`, 2, "ascend"},
		{"wide range", "leaf a { type int8 { range 1..300; } }", 2, "wider than int8"},
		{"range wider than the typedef", "typedef r { type int8 { range \"1..3 | 7\"; } }\nleaf a { type r { range 2..7; } }", 3, "wider than r"},
		{"no number", "leaf a { type int8 { range a..b; } }", 2, "is no number"},
		{"no fraction digits", "leaf a { type decimal64; }", 2, "needs a fraction-digits"},
		{"fraction digits of a derived type", "typedef d { type decimal64 { fraction-digits 2; } }\nleaf a { type d { fraction-digits 3; } }", 3, "takes no fraction-digits"},
		{"too many fraction digits", "leaf a { type decimal64 { fraction-digits 19; } }", 2, "is not 1 to 18"},
		{"no enum", "leaf a { type enumeration; }", 2, "needs a enum"},
		{"enum twice", "leaf a { type enumeration { enum a;\n enum a; } }", 3, "twice"},
		{"enum value twice", "leaf a { type enumeration { enum a { value 2; } enum b {\n value 1; } enum c { value 2; } } }", 3, "the value 2 stands there twice"},
		{"enum with blanks", `leaf a { type enumeration { enum " a"; } }`, 2, "blanks"},
		{"enum value", "leaf a { type enumeration { enum a { value 2147483648; } } }", 2, "is not -2147483648"},
		{"enum past the last value", "leaf a { type enumeration { enum a { value 2147483647; }\n enum b; } }", 3, "has to be given"},
		{"enum not in the typedef", "typedef e { type enumeration { enum a; } }\nleaf a { type e { enum b; } }", 3, "not in the type"},
		{"enum renumbered", "typedef e { type enumeration { enum a; enum b; } }\nleaf a { type e { enum b { value 0; } } }", 3, "has the value 1"},
		{"bit position twice", "leaf a { type bits { bit a { position 1; }\n bit b { position 1; } } }", 3, "the position 1 stands"},
		{"no path", "leaf a { type leafref; }", 2, "needs a path"},
		{"no base", "leaf a { type identityref; }", 2, "needs a base"},
		{"no member", "leaf a { type union; }", 2, "needs a type"},
		{"leafref to nothing", "leaf a { type leafref { path ../b; } }", 2, "no child"},
		{"leafref to a container", "leaf a { type leafref { path ../b; } } container b;", 2, "not to a leaf"},
		{"leafref to itself", "leaf a { type leafref { path ../b; } } leaf b { type leafref { path ../a; } }", 2, "refer to each other"},
		{"leafref too far up", "leaf a { type leafref { path ../../b; } }", 2, "too far"},
		{"leafref with a bad predicate", "leaf a { type leafref { path \"/l[x='1']/b\"; } }", 2, "is not of the form"},
		{"deref", "leaf a { type leafref { path \"deref(../b)/c\"; } }", 2, "RFC 7950 section 9.9.2"},
		{"leafref from config to state", "leaf a { type leafref { path ../b; } } leaf b { type string; config false; }", 2, "is config, its target"},
		{"bad default", "leaf a { type int8; default 300; }", 2, "outside"},
		{"bad default of a typedef", "typedef a { type int8;\n default 300; }", 3, "outside"},
		{"default outside the restriction", "typedef a { type int8; default 30; }\nleaf b { type a { range 1..5; } }", 2, "outside"},
		{"default identity", "identity a; identity b;\nleaf c { type identityref { base a; } default b; }", 3, "is not derived"},
		{"bad pattern", "leaf a { type string { pattern \"[a-\"; } }", 2, "not closed"},
		{"deprecated type", "typedef a { type string; status deprecated; }\nleaf b { type a; }", 3, "is deprecated"},
		{"obsolete grouping", "grouping a { status obsolete; } container c { status deprecated;\n uses a; }", 3, "is obsolete"},

		// Nodes.
		{"no key", "list l { leaf a { type string; } }", 2, "needs a key"},
		{"key is no leaf", "list l { key b; leaf a { type string; } }", 2, "no leaf of the list"},
		{"key twice", "list l { key \"a a\"; leaf a { type string; } }", 2, "twice"},
		{"key config", "list l { key a; leaf a { type string; config false; } }", 2, "config false"},
		{"key with when", "list l { key a; leaf a { type string; when true(); } }", 2, "has a when"},
		{"unique of nothing", "list l { key a; unique b; leaf a { type string; } }", 2, "leads to no leaf"},
		{"unique of a container", "list l { key a; unique b; leaf a { type string; } container b; }", 2, "leads to no leaf"},
		{"unique below a list", "list l { key a; unique b/c; leaf a { type string; } list b { key c; leaf c { type string; } } }", 2, "leads to no leaf"},
		{"config below state", "container c { config false;\n leaf a { config true; type string; } }", 3, "below config false"},
		{"mandatory with default", "leaf a { type string; mandatory true; default x; }", 2, "mandatory and has a default"},
		{"min more than max", "leaf-list a { type string; min-elements 3; max-elements 2; }", 2, "more than max-elements"},
		{"min-elements with default", "leaf-list a { type string; min-elements 1; default x; }", 2, "has a default and min-elements"},
		{"default twice", "leaf-list a { type string; default x; default x; }", 2, "stands there twice"},
		{"default case", "choice c { default x; leaf a { type string; } }", 2, "none of the choice's cases"},
		{"mandatory in the default case", "choice c { default a; case a { leaf b { type string; mandatory true; } } }", 2, "has the mandatory b"},
		{"mandatory choice with default", "choice c { default a; mandatory true; leaf a { type string; } }", 2, "mandatory and has a default"},
		{"bad must", "leaf a { type string;\n must \"1 +\"; }", 3, "xpath"},
		{"bad when", "leaf a { type string;\n when \"x:b\"; }", 3, "xpath"},
		{"action in an rpc", "rpc r { input { container c { action a; } } }", 2, "cannot stand within"},
		{"notification below a list without key", "container c { config false; list l { leaf a { type string; }\n notification n; } }", 3, "which has no key"},

		// Groupings, augments, deviations.
		{"refine of nothing", "grouping g { leaf a { type string; } }\nuses g { refine b { mandatory true; } }", 3, "no such node"},
		{"refine of the wrong kind", "grouping g { leaf a { type string; } }\nuses g { refine a { presence x; } }", 3, "can have no presence"},
		{"refine with a bad default", "grouping g { leaf a { type int8; } }\nuses g { refine a { default x; } }", 3, "is no integer"},
		{"refine with two defaults", "grouping g { leaf a { type int8; } }\nuses g { refine a { default 1; default 2; } }", 3, "second time"},
		{"augment of nothing", "augment /t:x { leaf a { type string; } }", 2, "no such node"},
		{"augment of a leaf", "leaf x { type string; }\naugment /t:x { leaf a { type string; } }", 3, "can have no children"},
		{"augment with a taken name", "container x { leaf a { type string; } }\naugment /t:x { leaf a { type string; } }", 3, "already"},
		{"case outside a choice", "container x;\naugment /t:x { case a; }", 3, "has no place in a container"},
		{"augments of each other", "augment /t:a/t:b { container c; }\naugment /t:a/t:b/t:c { container d; }", 3, "no such node"},
		{"uses-augment of nothing", "grouping g { leaf a { type string; } }\nuses g { augment b { leaf c { type string; } } }", 3, "no such node"},
		{"deviation of nothing", "deviation /t:a { deviate not-supported; }", 2, "no such node"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := "module m { yang-version 1.1; namespace \"urn:t\"; prefix t;\n" + c.body + " }"
			_, err := yang.Compile(fstest.MapFS{"m.yang": {Data: []byte(text)}}, yang.Options{})
			at := fmt.Sprintf("m.yang:%d:", c.line)
			if c.line == 0 {
				at = "m.yang"
			}
			if err == nil {
				t.Fatalf("no error; want one at %s with %q", at, c.want)
			}
			for line := range strings.SplitSeq(err.Error(), "\n") {
				if strings.HasPrefix(line, at) && strings.Contains(line, c.want) {
					return
				}
			}
			t.Errorf("error = %v; want one at %s with %q", err, at, c.want)
		})
	}
}

// TestFaultsOfVersion1 are faults in YANG 1 that YANG 1.1 allows.
func TestFaultsOfVersion1(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"action", `container c { action a; }`, "before YANG 1.1"},
		{"notification", `container c { notification n; }`, "before YANG 1.1"},
		{"anydata", `anydata a;`, "before YANG 1.1"},
		{"invert-match", `leaf a { type string { pattern a { modifier invert-match; } } }`, "before YANG 1.1"},
		{"default of a leaf-list", `leaf-list a { type string; default x; }`, "before YANG 1.1"},
		{"feature expression", `feature f; feature g; leaf a { if-feature "f or g"; type string; }`, "expressions need YANG 1.1"},
		{"if-feature of an enum", `feature f; leaf a { type enumeration { enum x { if-feature f; } } }`, "before YANG 1.1"},
		{"two bases", `identity a; identity b; identity c { base a; base b; }`, "second time"},
		{"empty in a union", `leaf a { type union { type empty; type string; } }`, "YANG 1.1 only"},
		{"leafref in a union", `leaf b { type string; } leaf a { type union { type leafref { path ../b; } } }`, "YANG 1.1 only"},
		{"restricted enumeration", `typedef e { type enumeration { enum x; } } leaf a { type e { enum x; } }`, "takes no enum"},
		{"require-instance of a leafref", `leaf b { type string; } leaf a { type leafref { path ../b; require-instance false; } }`, "takes no require-instance"},
		{"must of an input", `rpc r { input { must true(); leaf a { type string; } } }`, "before YANG 1.1"},
		{"empty key", `list l { key a; leaf a { type empty; } }`, "needs YANG 1.1"},
		{"choice in a choice", `choice a { choice b { leaf c { type string; } } }`, "before YANG 1.1"},
	} {
		for version, faulty := range map[string]bool{"1": true, "1.1": false} {
			text := "module m { yang-version " + version + "; namespace \"urn:t\"; prefix t; " + c.body + " }"
			_, err := yang.Compile(fstest.MapFS{"m.yang": {Data: []byte(text)}}, yang.Options{})
			if faulty && (err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "m.yang:1:")) {
				t.Errorf("%s in YANG 1: error = %v, want one with %q", c.name, err, c.want)
			}
			if !faulty && err != nil {
				t.Errorf("%s in YANG 1.1: %v", c.name, err)
			}
		}
	}
}

// TestFaultsOfSets are faults between files.
func TestFaultsOfSets(t *testing.T) {
	head := func(name, rest string) string {
		return "module " + name + " {\n yang-version 1.1; namespace \"urn:" + name + "\"; prefix " + name + ";\n" + rest + "\n}"
	}
	sub := func(name, owner, rest string) string {
		return "submodule " + name + " {\n yang-version 1.1; belongs-to " + owner + " { prefix x; }\n" + rest + "\n}"
	}
	for _, c := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"no files", nil, "no *.yang files"},
		{"missing import", map[string]string{"a": head("a", "import b { prefix b; }")}, "a.yang:3:1: import \"b\": the module is not there"},
		{"import of itself", map[string]string{"a": head("a", "import a { prefix b; }")}, "a.yang:3:1: import \"a\": a module cannot import itself"},
		{"imports in a circle", map[string]string{"a": head("a", "import b { prefix b; }"), "b": head("b", "import a { prefix a; }")}, "b.yang:3:1: import \"a\": the modules import each other"},
		{"revision", map[string]string{"a": head("a", "import b { prefix b; revision-date 2020-01-01; }"), "b": head("b", "revision 2021-01-01;")}, "a.yang:3:1: import \"b\": wants revision 2020-01-01, 2021-01-01 is there"},
		{"prefix twice", map[string]string{"a": head("a", "import b { prefix a; }"), "b": head("b", "")}, `a.yang:3:1: import "b": the prefix "a" is used twice`},
		{"module twice", map[string]string{"a": head("a", ""), "b": head("a", "")}, "stands in a.yang too"},
		{"namespace twice", map[string]string{"a": head("a", ""), "b": strings.Replace(head("b", ""), "urn:b", "urn:a", 1)}, "b.yang:1:1: module \"b\": has the namespace of a"},
		{"no module", map[string]string{"a": "container a;"}, "a.yang:1:1: container \"a\": a file holds a module"},
		{"two modules in a file", map[string]string{"a": head("a", "") + head("b", "")}, "a.yang:1: has 2 top-level statements"},
		{"missing submodule", map[string]string{"a": head("a", "include s;")}, "a.yang:3:1: include \"s\": the submodule is not there"},
		{"missing owner", map[string]string{"s": sub("s", "a", "")}, "s.yang:2:20: belongs-to \"a\": the module is not there"},
		{"submodule of another", map[string]string{"a": head("a", "include s;"), "b": head("b", "include s;"), "s": sub("s", "b", "")}, "a.yang:3:1: include \"s\": the submodule belongs to b"},
		{"submodule not included", map[string]string{"a": head("a", ""), "s": sub("s", "a", "")}, "s.yang:1:1: submodule \"s\": is not included by a"},
		{"submodule of another version", map[string]string{"a": head("a", "include s;"), "s": strings.Replace(sub("s", "a", ""), "1.1", "1", 1)}, "a.yang:3:1: include \"s\": is YANG 1, its module YANG 1.1"},
		{"submodules in a circle", map[string]string{"a": head("a", "include s; include t;"), "s": sub("s", "a", "include t;"), "t": sub("t", "a", "include s;")}, "the submodules include each other"},
		{"name in a module and its submodule", map[string]string{"a": head("a", "include s;\ntypedef n { type string; }"), "s": sub("s", "a", "typedef n { type string; }")}, "s.yang:3:1: typedef \"n\": is defined twice"},
		{"prefix of another text", map[string]string{"a": head("a", "import b { prefix b; } include s;"), "b": head("b", "typedef n { type string; }"), "s": sub("s", "a", "leaf l { type b:n; }")}, `s.yang:3:10: type "b:n": no import has the prefix "b"`},
		{"mandatory augment of another module", map[string]string{"a": head("a", "container c;"), "b": head("b", "import a { prefix a; }\naugment /a:c { leaf l { type string; mandatory true; } }")}, "b.yang:4:1: augment \"/a:c\": adds the mandatory l"},
		{"deviate add of what is there", map[string]string{"a": head("a", "leaf l { type string; default x; }"), "b": head("b", "import a { prefix a; }\ndeviation /a:l { deviate add { default y; } }")}, "b.yang:4:32: default \"y\": leaf /a:l has a default already"},
		{"deviate delete of nothing", map[string]string{"a": head("a", "leaf l { type string; units x; }"), "b": head("b", "import a { prefix a; }\ndeviation /a:l { deviate delete { units y; } }")}, "has no such units to delete"},
		{"deviate replace of nothing", map[string]string{"a": head("a", "leaf l { type string; }"), "b": head("b", "import a { prefix a; }\ndeviation /a:l { deviate replace { units y; } }")}, "has no units to replace"},
		{"deviate of the wrong kind", map[string]string{"a": head("a", "container l;"), "b": head("b", "import a { prefix a; }\ndeviation /a:l { deviate add { min-elements 1; } }")}, "can have no min-elements"},
		{"not-supported beside another", map[string]string{"a": head("a", "leaf l { type string; }"), "b": head("b", "import a { prefix a; }\ndeviation /a:l { deviate not-supported; deviate add { units x; } }")}, "stands beside another"},
		{"deviated type without the default", map[string]string{"a": head("a", "leaf l { type string; default x; }"), "b": head("b", "import a { prefix a; }\ndeviation /a:l { deviate replace { type int8; } }")}, "a.yang:3:23: default \"x\": /a:l: \"x\" is no integer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fsys := fstest.MapFS{}
			for name, text := range c.files {
				fsys[name+".yang"] = &fstest.MapFile{Data: []byte(text)}
			}
			if _, err := yang.Compile(fsys, yang.Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error = %v, want one with %q", err, c.want)
			}
		})
	}
}

// TestHostile refuses in bounded time what grows exponentially.
func TestHostile(t *testing.T) {
	doubled := func(format, last string) string {
		var b strings.Builder
		for i := range 60 {
			b.WriteString(strings.ReplaceAll(strings.ReplaceAll(format, "NEXT", fmt.Sprintf("n%d", i+1)), "NAME", fmt.Sprintf("n%d", i)))
		}
		return b.String() + strings.ReplaceAll(last, "NAME", "n60")
	}
	for _, c := range []struct{ name, body, want string }{
		{"groupings", doubled("grouping NAME { container a { uses NEXT; } container b { uses NEXT; } }\n", "grouping NAME { leaf a { type string; } } uses n0;"), "more than"},
		{"empty groupings", doubled("grouping NAME { uses NEXT; uses NEXT; }\n", "grouping NAME; uses n0;"), "more than"},
		{"unions", doubled("typedef NAME { type union { type NEXT; type NEXT; } }\n", "typedef NAME { type int8; } leaf a { type n0; default x; }"), "more than"},
		{"features", doubled("feature NAME { if-feature \"NEXT or NEXT\"; }\n", "feature NAME; leaf a { if-feature x; type string; }"), "no feature"},
		{"identities", doubled("identity NAME { base NEXT; base NEXT; }\n", "identity NAME { base n0; }"), "derived from itself"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := "module m { yang-version 1.1; namespace \"urn:t\"; prefix t;\n" + c.body + " }"
			if _, err := yang.Compile(fstest.MapFS{"m.yang": {Data: []byte(text)}}, yang.Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error = %.200v, want one with %q", err, c.want)
			}
		})
	}
}

// TestAllFaults tells every fault of a module, not only the first.
func TestAllFaults(t *testing.T) {
	text := "module m { yang-version 1.1; namespace urn:t; prefix t;\n leaf a { type x; }\n leaf b { type y; }\n grouping g { leaf c { type z; } }\n}"
	_, err := yang.Compile(fstest.MapFS{"m.yang": {Data: []byte(text)}}, yang.Options{})
	want := "m.yang:2:11: type \"x\": no typedef \"x\" in scope\nm.yang:3:11: type \"y\": no typedef \"y\" in scope\nm.yang:4:24: type \"z\": no typedef \"z\" in scope"
	if err == nil || err.Error() != want {
		t.Errorf("error = %v, want %s", err, want)
	}
}
