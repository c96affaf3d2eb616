package yang_test

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"incidentd/yang"
	"incidentd/yang/modules"
)

// FuzzCompile compiles any two texts: it neither panics nor takes long, names the
// file in its faults, and what it accepts it accepts again and draws.
func FuzzCompile(f *testing.F) {
	extensions, err := modules.FS.ReadFile("ietf-yang-metadata@2016-08-05.yang")
	if err != nil {
		f.Fatal(err)
	}
	for _, body := range []string{
		`container c { list l { key "a b"; unique c; leaf a { type string { pattern "[a-z-[q]]+"; } } leaf b { type t:u; } leaf c { type leafref { path "../../l[a=current()/../a]/b"; } } } }
		 typedef u { type union { type int8 { range "1..5|7"; } type enumeration { enum x; } type decimal64 { fraction-digits 2; } } }`,
		`grouping g { choice c { leaf a { type empty; } case b { container d { uses h; } } } } grouping h { leaf z { type bits { bit q { position 3; } } default q; } }
		 container x { uses g { refine c/b/d/z { mandatory false; } augment c { leaf n { type int8; } } } action act { input { leaf i { type string; } } } notification n; }`,
		`feature f; feature g { if-feature "f and not (g or f)"; } rpc r { if-feature f; output { anydata a; } } notification n { leaf p { type leafref { path "/t:x/t:y"; } } } container x { leaf y { type string; must "../z > 1"; when "count(.) = 1"; } leaf z { type uint64; } }`,
		`include m-part; import ietf-yang-metadata { prefix md; } md:annotation a { type string; } augment /t:c { leaf q { type string; } } container c;`,
		`identity a; identity b { base a; } leaf i { type identityref { base a; } default b; } leaf j { type instance-identifier { require-instance false; } }`,
	} {
		second := `module o { namespace "urn:o"; prefix o; typedef n { type string; } container top; }`
		if strings.Contains(body, "include") {
			second = `submodule m-part { yang-version 1.1; belongs-to m { prefix t; } leaf s { type int8; } }`
		}
		f.Add("module m { yang-version 1.1; namespace \"urn:t\"; prefix t; "+body+" }", second)
	}
	f.Add(`module m { yang-version 1.1; namespace "urn:t"; prefix t; import o { prefix o; } augment /o:top { leaf a { type o:n; } } deviation /o:top { deviate add { must "a"; } } }`,
		`module o { namespace "urn:o"; prefix o; typedef n { type string; } container top; }`)
	f.Fuzz(func(t *testing.T, first, second string) {
		if len(first)+len(second) > 10_000 {
			return
		}
		fsys := fstest.MapFS{"a.yang": {Data: []byte(first)}, "b.yang": {Data: []byte(second)}, "metadata.yang": {Data: extensions}}
		start := time.Now()
		s, err := yang.Compile(fsys, yang.Options{})
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("Compile took %v", took)
		}
		if err != nil {
			if text := err.Error(); !strings.Contains(text, ".yang") {
				t.Errorf("the fault names no file: %s", text)
			}
			return
		}
		for _, m := range s.Modules {
			var drawn bytes.Buffer
			if err := m.WriteTree(&drawn); err != nil {
				t.Error(err)
			}
			if !bytes.HasPrefix(drawn.Bytes(), []byte("module: "+m.Name+"\n")) {
				t.Errorf("the tree begins with %.40q", drawn.String())
			}
		}
		again, err := yang.Compile(fsys, yang.Options{})
		if err != nil {
			t.Fatalf("refused the second time: %v", err)
		}
		var one, two bytes.Buffer
		for w, s := range map[io.Writer]*yang.Schema{&one: s, &two: again} {
			for _, m := range s.Modules {
				if err := m.WriteTree(w); err != nil {
					t.Error(err)
				}
			}
		}
		if !bytes.Equal(one.Bytes(), two.Bytes()) {
			t.Errorf("two trees of one text:\n%s\n%s", &one, &two)
		}
	})
}
