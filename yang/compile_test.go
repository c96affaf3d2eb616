package yang_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"incidentd/yang"
	"incidentd/yang/modules"
)

func TestCompileEmbedded(t *testing.T) {
	s, err := yang.Compile(modules.FS, yang.Options{})
	if err != nil {
		t.Fatal(err)
	}
	paths := map[string]string{}
	var visit func(*yang.Node)
	visit = func(n *yang.Node) {
		paths[n.Path()] = n.Kind.String()
		for _, c := range n.Data {
			visit(c)
		}
	}
	visit(s.Root)
	for path, kind := range map[string]string{
		"/ietf-network:networks/network/ietf-network-topology:link/source/source-node": "leaf",
		"/ietf-network:networks/network/node/ietf-network-topology:termination-point":  "list",
		"/ietf-incident:incidents/incident/service-instance":                           "leaf-list",
		"/ietf-incident:incidents/incident/root-causes/root-cause/resource/cause-name": "leaf",
		"/ietf-incident:incidents/incident/incidentd-incident:explanation":             "leaf",
		"/ietf-alarms:alarms/alarm-list/alarm/alarm-type-qualifier":                    "leaf",
		"/ietf-system:system/authentication/user/authorized-key/key-data":              "leaf",
	} {
		if paths[path] != kind {
			t.Errorf("%s is %q, want %q", path, paths[path], kind)
		}
	}
	incident := s.Root.Child(s.Module("ietf-incident"), "incidents").ChildNamed("incident")
	if incident.Config || len(incident.Keys) != 1 || incident.Keys[0].Name != "incident-id" {
		t.Errorf("incident: config %v, keys %v", incident.Config, incident.Keys)
	}
	if got := incident.ChildNamed("status").Defaults; len(got) != 1 || got[0] != "raised" {
		t.Errorf("default of status = %v, want raised", got)
	}
	ip, base := s.Identity("ietf-incident-types:ip"), s.Identity("ietf-incident-types:incident-domain")
	if !ip.DerivedFrom(base) || base.DerivedFrom(ip) {
		t.Error("ip is not derived from incident-domain, or the other way round")
	}
	if s.RPC("ietf-incident", "incident-acknowledge") == nil || s.Notification("ietf-incident", "incident-notification") == nil {
		t.Error("an rpc or notification of ietf-incident is missing")
	}
}

// TestCompileReference compiles every official module that the reference folder
// holds.
func TestCompileReference(t *testing.T) {
	dir := filepath.Join("..", "..", "shared", "yang-reference")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the reference modules are not here")
	}
	files, _ := fs.Glob(os.DirFS(dir), "*.yang")
	// ietf-notification has the namespace of notifications.
	var with, without []string
	for _, f := range files {
		switch name, _, _ := strings.Cut(f, "@"); name {
		case "notifications", "nc-notifications":
			with = append(with, name)
		default:
			without = append(without, name)
		}
	}
	if len(without) < 80 || len(with) != 2 {
		t.Fatalf("%d and %d reference modules", len(without), len(with))
	}
	for _, set := range [][]string{with, without} {
		if _, err := yang.Compile(os.DirFS(dir), yang.Options{Implemented: set}); err != nil {
			t.Error(err)
		}
	}
}

const header = `yang-version 1.1; namespace "urn:t"; prefix t; `

func TestFeatures(t *testing.T) {
	fsys := fstest.MapFS{"m.yang": {Data: []byte("module m { " + header + `
		feature a; feature b; feature c { if-feature "a"; }
		leaf x { if-feature "a and not b"; type string; }
		leaf y { if-feature "b or (c and a)"; type string; }
		leaf z { if-feature c; type string; } }`)}}
	for _, c := range []struct {
		features []string
		want     string
	}{{[]string{}, ""}, {[]string{"a"}, "x "}, {[]string{"b"}, "y "}, {[]string{"a", "c"}, "x y z "}, {[]string{"c"}, ""}, {[]string{"a", "b", "c"}, "y z "}} {
		s, err := yang.Compile(fsys, yang.Options{Features: map[string][]string{"m": c.features}})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, n := range s.Root.Data {
			got += n.Name + " "
		}
		if got != c.want {
			t.Errorf("features %v: nodes %q, want %q", c.features, got, c.want)
		}
	}
}

// TestAugmentOfWhatIsOff augments nodes that features switch off, directly and
// below another: the augment goes with them.
func TestAugmentOfWhatIsOff(t *testing.T) {
	fsys := fstest.MapFS{"m.yang": {Data: []byte("module m { " + header + `
		feature f;
		container c { container in { if-feature f; } }
		rpc r { if-feature f; }
		augment "/t:c/t:in" { leaf a { type string; } }
		augment "/t:c/t:in/t:more" { leaf b { type string; } }
		augment "/t:r/t:input" { leaf a { type string; } }
		augment "/t:c" { leaf there { type string; } } }`)}}
	s, err := yang.Compile(fsys, yang.Options{Features: map[string][]string{"m": {}}})
	if err != nil {
		t.Fatal(err)
	}
	if c := s.Root.ChildNamed("c"); len(c.Data) != 1 || c.Data[0].Name != "there" {
		t.Errorf("children of c: %v", c.Data)
	}
}

func TestCanonical(t *testing.T) {
	s, err := yang.Compile(fstest.MapFS{"m.yang": {Data: []byte("module m { " + header + `
		identity base; identity sub { base base; } identity other;
		leaf int8 { type int8; }
		leaf ranged { type uint8 { range "1..5 | 10..max"; } }
		leaf u64 { type uint64; }
		leaf dec { type decimal64 { fraction-digits 2; range "-5..max"; } }
		leaf bool { type boolean; }
		leaf empty { type empty; }
		leaf enum { type enumeration { enum a; enum "b c"; } }
		leaf bits { type bits { bit x; bit y { position 5; } bit z { position 2; } } }
		leaf bin { type binary { length "3"; } }
		leaf id { type identityref { base base; } }
		leaf str { type string { length "2..3"; pattern "[a-z^$]+"; pattern "xx" { modifier invert-match; } } }
		leaf uni { type union { type int8; type enumeration { enum all; } } }
		leaf ref { type leafref { path "../int8"; } } }`)}}, yang.Options{})
	if err != nil {
		t.Fatal(err)
	}
	byName := func(p string) *yang.Module { return s.Module(map[string]string{"": "m", "t": "m"}[p]) }
	const bad = "refused"
	for _, c := range []struct{ leaf, in, want string }{
		{"int8", " +12 ", "12"}, {"int8", "-128", "-128"}, {"int8", "128", bad}, {"int8", "0x1F", bad}, {"int8", "010", "10"}, {"int8", "08", "8"}, {"int8", "1_0", bad}, {"int8", "", bad}, {"int8", "0b1", bad},
		{"ranged", "3", "3"}, {"ranged", "7", bad}, {"ranged", "255", "255"}, {"ranged", "0", bad},
		{"u64", "18446744073709551615", "18446744073709551615"}, {"u64", "18446744073709551616", bad}, {"u64", "-1", bad},
		{"dec", "1.50", "1.5"}, {"dec", "-0.05", "-0.05"}, {"dec", "3", "3.0"}, {"dec", "1.234", bad}, {"dec", "-5.01", bad}, {"dec", "1.", bad}, {"dec", "x", bad},
		{"bool", "true", "true"}, {"bool", "1", bad},
		{"empty", "", ""}, {"empty", "x", bad}, {"empty", " ", bad},
		{"enum", "b c", "b c"}, {"enum", "B", bad},
		{"bits", "y x", "x y"}, {"bits", "x x", bad}, {"bits", "q", bad}, {"bits", "", ""}, {"bits", "y z", "z y"},
		{"bin", "YWJj", "YWJj"}, {"bin", "YWI=", bad}, {"bin", "!", bad},
		{"id", "t:sub", "m:sub"}, {"id", "sub", "m:sub"}, {"id", "t:base", bad}, {"id", "t:other", bad}, {"id", "q:sub", bad},
		{"str", "ab", "ab"}, {"str", "a", bad}, {"str", "abcd", bad}, {"str", "AB", bad}, {"str", "^$", "^$"}, {"str", "xx", bad},
		{"uni", "5", "5"}, {"uni", "all", "all"}, {"uni", "none", bad},
		{"ref", "012", "12"}, {"ref", "x", bad},
	} {
		got, verr := s.Root.ChildNamed(c.leaf).Type.Canonical(c.in, s, byName)
		if verr != nil {
			got = bad
		}
		if got != c.want {
			t.Errorf("%s: Canonical(%q) = %q (%v), want %q", c.leaf, c.in, got, verr, c.want)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		if _, err := yang.Compile(modules.FS, yang.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCompileReference loads the whole reference set but for the two modules
// whose namespace another one claims.
func BenchmarkCompileReference(b *testing.B) {
	dir := filepath.Join("..", "..", "shared", "yang-reference")
	names, err := fs.Glob(os.DirFS(dir), "*.yang")
	if err != nil || len(names) == 0 {
		b.Skip("the reference modules are not here")
	}
	var files []yang.File
	for _, name := range names {
		if strings.HasPrefix(name, "notifications@") || strings.HasPrefix(name, "nc-notifications@") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			b.Fatal(err)
		}
		files = append(files, yang.File{Name: name, Text: text})
	}
	b.ResetTimer()
	for b.Loop() {
		if _, err := yang.CompileFiles(files, yang.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
