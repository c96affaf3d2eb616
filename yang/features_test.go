package yang_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"incidentd/yang"
)

// set compiles texts by module name; without a header one is added.
func set(t *testing.T, o yang.Options, texts map[string]string) *yang.Schema {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range texts {
		if !strings.Contains(text, "belongs-to") && !strings.Contains(text, "namespace") {
			text = "module " + name + " { yang-version 1.1; namespace \"urn:" + name + "\"; prefix " + name + ";\n" + text + "\n}"
		}
		fsys[name+".yang"] = &fstest.MapFile{Data: []byte(text)}
	}
	s, err := yang.Compile(fsys, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func trees(t *testing.T, s *yang.Schema, names ...string) string {
	t.Helper()
	var b strings.Builder
	for _, name := range names {
		if err := s.Module(name).WriteTree(&b); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func at(t *testing.T, s *yang.Schema, path string) *yang.Node {
	t.Helper()
	n := s.Root
	for part := range strings.SplitSeq(path, "/") {
		if n = n.ChildNamed(part); n == nil {
			t.Fatalf("no node %s", path)
		}
	}
	return n
}

const metadata = `module ietf-yang-metadata { yang-version 1.1; namespace "urn:ietf:params:xml:ns:yang:ietf-yang-metadata"; prefix md; extension annotation { argument name; } }`
const structures = `module ietf-yang-structure-ext { yang-version 1.1; namespace "urn:ietf:params:xml:ns:yang:ietf-yang-structure-ext"; prefix sx;
	extension structure { argument name; } extension augment-structure { argument path; } }`

func TestSubmodules(t *testing.T) {
	s := set(t, yang.Options{}, map[string]string{
		"m": `include one { revision-date 2020-02-02; } include two; revision 2021-01-01;
			typedef mine { type string; } container top { uses shared; leaf a { type theirs; } }`,
		"one": `submodule one { yang-version 1.1; belongs-to m { prefix own; } import other { prefix o; } include two; revision 2020-02-02; revision 2019-01-01;
			grouping shared { leaf s { type own:mine; } leaf i { type o:id-ref; default o:there; } } typedef theirs { type int8; } feature f; rpc call; leaf from-one { type string; } }`,
		"two":   `submodule two { yang-version 1.1; belongs-to m { prefix m2; } augment /m2:top { leaf added { type mine; must "../m2:s"; } } identity i; notification note; }`,
		"other": `identity base; identity there { base base; } typedef id-ref { type identityref { base base; } }`,
	})
	m := s.Module("m")
	var subs []string
	for _, sub := range m.Submodules {
		subs = append(subs, sub.Name+"@"+sub.Revision)
		if !strings.HasPrefix(string(sub.Source), "submodule "+sub.Name) {
			t.Errorf("source of %s: %.30s", sub.Name, sub.Source)
		}
	}
	if diff := cmp.Diff([]string{"one@2020-02-02", "two@"}, subs); diff != "" {
		t.Error(diff)
	}
	if !slices.Equal(m.Features, []string{"f"}) || s.Identity("m:i") == nil || s.RPC("m", "call") == nil || s.Notification("m", "note") == nil {
		t.Error("features, identities, rpcs or notifications of the submodules are missing")
	}
	if n := at(t, s, "top/i"); n.Module != m || n.Defaults[0] != "other:there" {
		t.Errorf("%s of %s has the default %v", n, n.Module.Name, n.Defaults)
	}
	if k := at(t, s, "top/added").Musts; len(k) != 1 || k[0].Expr == nil {
		t.Errorf("musts of added: %v", k)
	}
	at(t, s, "from-one")
	if len(s.Modules) != 2 {
		t.Errorf("%d modules", len(s.Modules))
	}
}

func TestDeviations(t *testing.T) {
	base := `identity i; container top { presence x; leaf gone { type string; } leaf typed { type string; default "1"; units u; must "true()"; must "1"; }
			leaf-list many { type string; default a; default b; } list l { key k; unique v; leaf k { type string; } leaf v { type string; } }
			container inner { leaf deep { type string; } leaf own { type string; config true; } }
			choice c { leaf one { type string; } leaf two { type string; } } } rpc call; notification note;`
	more := `import m { prefix m; } typedef small { type int8; }
			augment /m:top/m:inner { leaf extra { type string; } }
			deviation /m:top/m:gone { deviate not-supported; } deviation /m:call { deviate not-supported; }
			deviation /m:top/m:typed { deviate replace { type small { range 0..5; } default 3; } deviate delete { must "true()"; units u; } deviate add { must "m:many"; mandatory false; } }
			deviation /m:top/m:many { deviate delete { default a; } deviate add { default c; max-elements 3; } }
			deviation /m:top/m:l { deviate add { min-elements 1; unique "m:k m:v"; } deviate delete { unique v; } }
			deviation /m:top/m:inner { deviate replace { config false; } } deviation /m:top/m:inner/m:own { deviate replace { config false; } }
			deviation /m:top/m:inner/d:extra { deviate replace { type int8; } }
			deviation /m:top/m:c/m:two/m:two { deviate not-supported; }`
	s := set(t, yang.Options{Implemented: []string{"d"}}, map[string]string{"m": base, "d": more})
	if d := s.Module("d"); len(d.DeviatedBy) > 0 {
		t.Errorf("d, which deviates from a node of its own, is deviated by %v", d.DeviatedBy)
	}
	if m := s.Module("m"); !m.Implemented || !slices.Equal(m.DeviatedBy, []string{"d"}) {
		t.Errorf("m: implemented %v, deviated by %v", m.Implemented, m.DeviatedBy)
	}
	want := `module: m
  +--rw top!
     +--rw typed?   small
     +--rw many*    string
     +--rw l* [k]
     |  +--rw k    string
     |  +--rw v?   string
     +--ro inner
     |  +--ro deep?     string
     |  +--ro own?      string
     |  +--ro d:extra?   int8
     +--rw (c)?
        +--:(one)
        |  +--rw one?   string
        +--:(two)

  notifications:
    +---n note
`
	if diff := cmp.Diff(want, trees(t, s, "m")); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}
	typed := at(t, s, "top/typed")
	if typed.Type.Base != yang.Int8 || typed.Defaults[0] != "3" || typed.Units != "" || len(typed.Musts) != 2 || typed.Musts[1].Text != "m:many" {
		t.Errorf("typed: %v, defaults %v, units %q, %d musts", typed.Type.Base, typed.Defaults, typed.Units, len(typed.Musts))
	}
	if n := at(t, s, "top/many"); !slices.Equal(n.Defaults, []string{"b", "c"}) || n.Max != 3 {
		t.Errorf("many: defaults %v, at most %d", n.Defaults, n.Max)
	}
	if n := at(t, s, "top/l"); n.Min != 1 || len(n.Unique) != 1 || len(n.Unique[0]) != 2 {
		t.Errorf("l: at least %d, unique %v", n.Min, n.Unique)
	}
}

func TestRefine(t *testing.T) {
	s := set(t, yang.Options{Features: map[string][]string{"m": {}}}, map[string]string{"m": `feature f;
		grouping g { container c { leaf a { type int8; default 1; } leaf-list b { type int8; default 1; } leaf state { config false; type string; } leaf off { type string; }
			list l { key k; leaf k { type string; } } choice ch { leaf x { type string; } leaf y { type string; } } anydata any; } }
		uses g { refine c { config true; presence p; must "a > 0" { error-message "no  a"; error-app-tag tag; } description d; reference r; }
			refine c/a { default 2; must ". < 5"; } refine c/b { default 7; default 8; min-elements 0; max-elements 4; }
			refine c/off { if-feature f; } refine c/l { min-elements 2; } refine c/ch { default y; } refine c/any { mandatory true; }
			augment c/ch { leaf z { type string; } case w { leaf w1 { type string; } } } augment c/ch/z { leaf z2 { type string; } } augment c/off { leaf n { type string; } } }
		container ro { config false; uses g { refine c/a { mandatory false; } } }`})
	c := at(t, s, "c")
	if !c.Presence || c.Description != "d" || c.Reference != "r" || len(c.Musts) != 1 || c.Musts[0].Message != "no a" || c.Musts[0].AppTag != "tag" {
		t.Errorf("c: %+v", c)
	}
	if n := at(t, s, "c/a"); n.Defaults[0] != "2" || len(n.Musts) != 1 {
		t.Errorf("a: defaults %v, %d musts", n.Defaults, len(n.Musts))
	}
	if n := at(t, s, "c/b"); !slices.Equal(n.Defaults, []string{"7", "8"}) || n.Max != 4 {
		t.Errorf("b: defaults %v, at most %d", n.Defaults, n.Max)
	}
	if n := at(t, s, "c/state"); n.Config {
		t.Error("config true of the container went over the leaf's own config false")
	}
	if c.ChildNamed("off") != nil {
		t.Error("the leaf that a feature refines away is there")
	}
	if at(t, s, "c/l").Min != 2 || !at(t, s, "c/any").Mandatory || at(t, s, "c/y").Parent.Parent.DefaultCase.Name != "y" {
		t.Error("list, anydata or choice are not refined")
	}
	if at(t, s, "c/z2").Parent.Name != "z" || at(t, s, "c/w1").Parent.Name != "w" || at(t, s, "ro/c/a").Config {
		t.Error("augments within uses, or the inherited config")
	}
}

func TestOperationsInData(t *testing.T) {
	s := set(t, yang.Options{}, map[string]string{"m": `container top { list l { key k; leaf k { type string; } grouping g { action reset { input { leaf at { type leafref { path "../../k"; } must "../../k"; } } output { leaf done { type leafref { path "/m:top/m:l/m:k"; } } } } }
			uses g { refine reset/input/at { mandatory true; } augment reset/input { leaf why { type string; } } }
			notification gone { leaf which { type leafref { path "../../k"; } } } } }
		rpc r { input { leaf x { type leafref { path "../../top/l/k"; } } leaf y { type leafref { path "../x"; } } } }
		augment /m:top/m:l/m:reset/m:output { leaf more { type string; } } augment /m:top/m:l/m:gone { leaf more { type string; } }`})
	l := at(t, s, "top/l")
	if len(l.Operations) != 2 || l.Operations[0].Kind != yang.Action || l.Operations[1].Kind != yang.Notification {
		t.Fatalf("operations of l: %v", l.Operations)
	}
	input := l.Operations[0].Children[0]
	if n := input.ChildNamed("at"); n.Type.Path.Target != l.ChildNamed("k") || n.Type.Path.Ups != 2 || !n.Mandatory || n.Config {
		t.Errorf("at: %+v", n.Type.Path)
	}
	if input.ChildNamed("why") == nil || l.Operations[0].Children[1].ChildNamed("more") == nil || l.Operations[1].ChildNamed("more") == nil {
		t.Error("augments of an action or a notification are missing")
	}
	if n := l.Operations[1].ChildNamed("which"); n.Type.Path.Ups != 2 || n.Type.Path.Target != l.ChildNamed("k") {
		t.Errorf("which: %+v", n.Type.Path)
	}
	x := s.RPC("m", "r").Children[0].ChildNamed("x")
	if x.Type.Path.Ups != -1 || x.Type.Path.Target != l.ChildNamed("k") {
		t.Errorf("x, whose path leaves the rpc: %+v", x.Type.Path)
	}
	if y := s.RPC("m", "r").Children[0].ChildNamed("y"); y.Type.Path.Ups != 1 || y.Type.Path.Target != x {
		t.Errorf("y: %+v", y.Type.Path)
	}
}

func TestStructures(t *testing.T) {
	s := set(t, yang.Options{}, map[string]string{"ietf-yang-structure-ext": structures, "ietf-yang-metadata": metadata,
		"a": `import ietf-yang-structure-ext { prefix sx; } import ietf-yang-metadata { prefix md; }
			grouping g { leaf g1 { type string; config false; } list l { leaf v { type int8; } } }
			sx:structure message { uses g; leaf ref { type leafref { path "/a:message-id"; } } leaf message-id { type string; mandatory true; must "../ref"; } choice c { leaf one { type string; } } }
			md:annotation last-modified { type t; units s; description "when  it was"; } md:annotation bare { type string; }
			typedef t { type uint32 { range 1..max; } }`,
		"b": `import a { prefix a; } import ietf-yang-structure-ext { prefix sx; } sx:augment-structure /a:message { leaf added { type string; } } sx:augment-structure /a:message/a:c { case d { leaf e { type string; } } }`})
	n := s.Structure("a", "message")
	if n == nil || n.Kind != yang.Structure || s.Structure("b", "message") != nil || len(slices.Collect(s.Structures())) != 1 {
		t.Fatalf("structure %v", n)
	}
	var names []string
	for _, d := range n.Data {
		names = append(names, d.QName())
	}
	if diff := cmp.Diff([]string{"a:g1", "a:l", "a:ref", "a:message-id", "a:one", "b:e", "b:added"}, names); diff != "" {
		t.Error(diff)
	}
	if ref := n.ChildNamed("ref"); ref.Type.Path.Target != n.ChildNamed("message-id") {
		t.Errorf("ref leads to %v", ref.Type.Path.Target)
	}
	if len(s.Root.Data) != 0 || n.ChildNamed("added").Path() != "/a:message/b:added" {
		t.Errorf("%d nodes of datastores; added is %s", len(s.Root.Data), n.ChildNamed("added").Path())
	}
	a := s.Annotation("a", "last-modified")
	if a == nil || a.QName() != "a:last-modified" || a.Units != "s" || a.Description != "when it was" || a.Type.Base != yang.Uint32 {
		t.Fatalf("annotation %+v", a)
	}
	if _, verr := a.Type.Canonical("0", s, nil); verr == nil {
		t.Error("the annotation takes a value outside its range")
	}
	if got := len(slices.Collect(s.Annotations())); got != 2 {
		t.Errorf("%d annotations", got)
	}
}

func TestTypes(t *testing.T) {
	s := set(t, yang.Options{Features: map[string][]string{"m": {"on"}}}, map[string]string{"m": `feature on; feature off;
		typedef e { type enumeration { enum a; enum b { value 7; } enum c; enum d { value -3; } enum e; } }
		typedef ref { type leafref { path "/m:target"; } } typedef un { type union { type ref; type decimal64 { fraction-digits 2; range "1.25..2.5 | 4"; } } }
		leaf target { type int8; }
		leaf restricted { type e { enum c; enum d; } }
		leaf featured { type enumeration { enum x; enum y { if-feature off; } enum z { if-feature on; } } }
		leaf nothing { type bits { bit x { if-feature off; } } }
		leaf touching { type int8 { range "1..4 | 5..9"; } }
		typedef narrow { type int8 { range "1..4 | 5..9"; } } leaf narrower { type narrow { range "3..6 | max"; } }
		leaf un { type un; } leaf-list uns { type un; default 1.5; default 5; }
		leaf loose { type ref { require-instance false; } }
		typedef place { type instance-identifier; default "/m:target"; } leaf here { type place; } leaf inst { type instance-identifier { require-instance false; } }
		leaf long { type string { length "min..2 | 5..max"; } default aa; }
		leaf both { type string { pattern '[a-z]*'; pattern '.*x.*' { modifier invert-match; error-message "no x"; error-app-tag xs; } } }`})
	names := func(list []yang.Enum) (out []string) {
		for _, e := range list {
			out = append(out, e.Name)
		}
		return out
	}
	if e := at(t, s, "restricted").Type.Enums; len(e) != 2 || e[0] != (yang.Enum{Name: "c", Value: 8}) || e[1] != (yang.Enum{Name: "d", Value: -3}) {
		t.Errorf("restricted: %v", e)
	}
	if got := names(at(t, s, "featured").Type.Enums); !slices.Equal(got, []string{"x", "z"}) {
		t.Errorf("featured: %v", got)
	}
	if got := at(t, s, "featured").Type.Enums[1].Value; got != 2 {
		t.Errorf("z has the value %d: features change no value", got)
	}
	if !at(t, s, "inst").Type.Qualified() || at(t, s, "inst").Type.RequireInstance || at(t, s, "loose").Type.RequireInstance || !at(t, s, "un").Type.Members[0].RequireInstance {
		t.Error("require-instance")
	}
	if got := at(t, s, "uns").Defaults; !slices.Equal(got, []string{"1.5", "5"}) {
		t.Errorf("uns: defaults %v", got)
	}
	const bad = "refused"
	for _, c := range []struct{ leaf, in, want string }{
		{"narrower", "4", "4"}, {"narrower", "5", "5"}, {"narrower", "9", "9"}, {"narrower", "7", bad}, {"narrower", "2", bad},
		{"un", "100", "100"}, {"un", "1.25", "1.25"}, {"un", "4.00", "4.0"}, {"un", "3.5", bad}, {"un", "1.255", bad},
		{"loose", "010", "10"}, {"loose", "300", bad}, {"nothing", "x", bad}, {"nothing", "", ""},
		{"long", "a", "a"}, {"long", "abc", bad}, {"long", "abcde", "abcde"}, {"both", "abc", "abc"}, {"both", "axc", bad}, {"both", "A", bad},
	} {
		got, verr := at(t, s, c.leaf).Type.Canonical(c.in, s, nil)
		if verr != nil {
			got = bad
		}
		if got != c.want {
			t.Errorf("%s: Canonical(%q) = %q (%v), want %q", c.leaf, c.in, got, verr, c.want)
		}
	}
	if _, verr := at(t, s, "both").Type.Canonical("x", s, nil); verr == nil || verr.Message != "no x" || verr.AppTag != "xs" {
		t.Errorf("both: %v", verr)
	}
}

// TestExtensions keeps unknown extensions harmless, and knows those of NACM by
// their module, not by their prefix.
func TestExtensions(t *testing.T) {
	s := set(t, yang.Options{}, map[string]string{
		"ietf-netconf-acm": `extension default-deny-write; extension default-deny-all;`,
		"other":            `extension default-deny-all; extension note { argument text; }`,
		"m": `import ietf-netconf-acm { prefix n; } import other { prefix nacm; } nacm:note "top" { nacm:note deeper { container anything; } }
			container a { n:default-deny-write; leaf b { n:default-deny-all; type string { nacm:note x; } nacm:note y; } leaf c { nacm:default-deny-all; type string; } }`})
	if a, b, c := at(t, s, "a").Deny, at(t, s, "a/b").Deny, at(t, s, "a/c").Deny; a != "write" || b != "all" || c != "" {
		t.Errorf("deny: %q, %q, %q", a, b, c)
	}
}

// TestSameNames keeps what two modules add under one name apart.
func TestSameNames(t *testing.T) {
	s := set(t, yang.Options{}, map[string]string{"m": `container top { choice c; } rpc r; notification n; container n2;`,
		"x": `import m { prefix m; } augment /m:top { leaf a { type int8; } } augment /m:top/m:c { case k { leaf k1 { type string; } } } rpc r; container n2;`,
		"y": `import m { prefix m; } augment /m:top { leaf a { type string; } } augment /m:top/m:c { case k { leaf k1 { type string; } } } notification n;`})
	top := at(t, s, "top")
	if top.ChildNamed("a") != nil || top.Child(s.Module("x"), "a").Type.Base != yang.Int8 || top.Child(s.Module("y"), "a").Type.Base != yang.String {
		t.Error("the leafs a are mixed up")
	}
	if top.Child(s.Module("x"), "k1").Parent == top.Child(s.Module("y"), "k1").Parent || s.RPC("x", "r") == nil || s.RPC("m", "r") == nil {
		t.Error("the cases or the rpcs are mixed up")
	}
}

// TestImplemented implements what is augmented, deviated from or led to by a
// leafref, and leaves the rest import-only.
func TestImplemented(t *testing.T) {
	texts := map[string]string{
		"m":         `import augmented { prefix a; } import referred { prefix r; } import only { prefix o; } import grouping { prefix g; } augment /a:c { leaf x { type r:ref; } } uses g:g; leaf y { type o:t; }`,
		"augmented": `container c;`, "target-of": `leaf far { type string; }`,
		"referred": `import target-of { prefix target-of; } leaf target { type string; } typedef ref { type leafref { path /target-of:far; } }`,
		"only":     `import far { prefix far; } feature f; typedef t { type string; } typedef unused { type leafref { path /far:away; } }`,
		"far":      `leaf away { type string; }`, "grouping": `feature f; grouping g { leaf g1 { if-feature f; type string; } }`, "stranger": `leaf s { type string; }`,
	}
	for _, none := range []bool{false, true} {
		s := set(t, yang.Options{Implemented: []string{"m"}, NoImportedFeatures: none}, texts)
		var got []string
		for _, m := range s.Modules {
			if m.Implemented {
				got = append(got, m.Name)
			}
		}
		if diff := cmp.Diff([]string{"augmented", "m", "target-of"}, got); diff != "" {
			t.Error(diff)
		}
		if s.Module("stranger") != nil || s.Module("far") == nil {
			t.Error("a module that nobody imports is there, or an imported one is not")
		}
		if there := s.Root.ChildNamed("g1") != nil; there == none {
			t.Errorf("features of import-only modules off: %v, the node there: %v", none, there)
		}
	}
}

// TestReferenceAlone compiles each official module with only what it imports, with
// all of its features and with none.
func TestReferenceAlone(t *testing.T) {
	dir := filepath.Join("..", "..", "shared", "yang-reference")
	paths, err := filepath.Glob(filepath.Join(dir, "*.yang"))
	if err != nil || len(paths) == 0 {
		t.Skip("the reference modules are not here")
	}
	files, headers := map[string]yang.File{}, map[string]yang.Header{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f := yang.File{Name: filepath.Base(path), Text: text}
		h, err := yang.ReadHeader(f)
		if err != nil {
			t.Fatal(err)
		}
		if h.Revision == "" || !strings.HasSuffix(f.Name, "@"+h.Revision+".yang") {
			t.Errorf("%s has the revision %q", f.Name, h.Revision)
		}
		files[h.Name], headers[h.Name] = f, h
	}
	for name := range files {
		needed := map[string]bool{}
		var texts []yang.File
		var need func(string)
		need = func(name string) {
			if f, ok := files[name]; ok && !needed[name] {
				needed[name] = true
				texts = append(texts, f)
				for _, d := range headers[name].Needs {
					need(d.Name)
				}
			}
		}
		need(name)
		for _, features := range []map[string][]string{nil, {name: {}}} {
			if _, err := yang.CompileFiles(texts, yang.Options{Implemented: []string{name}, Features: features}); err != nil {
				t.Errorf("%s with the features %v: %v", name, features, err)
			}
		}
	}
}
