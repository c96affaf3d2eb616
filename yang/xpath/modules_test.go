package xpath

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/openconfig/goyang/pkg/yang"
)

// TestModules compiles every must, when and path of the reference modules.
func TestModules(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(repositoryRoot(t), "../shared/yang-reference/*.yang"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("the reference modules are not here: not checked")
	}
	musts, paths := 0, 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		modules, err := yang.Parse(string(text), file)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		ns := Namespaces{Default: "self", Prefixes: map[string]string{}}
		for _, s := range modules[0].SubStatements() {
			for _, sub := range s.SubStatements() {
				if sub.Keyword == "prefix" {
					ns.Prefixes[sub.Argument] = s.Argument
				}
			}
			if s.Keyword == "prefix" {
				ns.Prefixes[s.Argument] = "self"
			}
		}
		var walk func(s *yang.Statement)
		walk = func(s *yang.Statement) {
			switch s.Keyword {
			case "must", "when":
				musts++
				if e, err := Compile(s.Argument, ns); err != nil {
					t.Errorf("%s: %v", s.Location(), err)
				} else if again, err := Compile(e.String(), ns); err != nil || again.String() != e.String() {
					t.Errorf("%s: %s became %v, %v", s.Location(), e, again, err)
				}
			case "path":
				paths++
				if _, err := Compile(s.Argument, ns); err != nil {
					t.Errorf("%s: %v", s.Location(), err)
				}
			}
			for _, sub := range s.SubStatements() {
				walk(sub)
			}
		}
		walk(modules[0])
	}
	if musts < 50 || paths < 50 {
		t.Errorf("only %d musts and whens and %d paths", musts, paths)
	}
	t.Logf("%d musts and whens, %d paths", musts, paths)
}

// repositoryRoot is the folder of go.mod.
func repositoryRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
	}
	t.Fatal("no go.mod above")
	return ""
}
