package yang_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"incidentd/yang"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestWriteTree draws the modules of testdata/tree; the golden files are what
// yanglint 2.1.30 draws of them.
func TestWriteTree(t *testing.T) {
	dir := filepath.Join("testdata", "tree")
	s, err := yang.Compile(os.DirFS(dir), yang.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Modules) < 2 {
		t.Fatalf("%d modules in %s", len(s.Modules), dir)
	}
	for _, m := range s.Modules {
		var got bytes.Buffer
		if err := m.WriteTree(&got); err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join(dir, m.Name+".tree")
		if *update {
			if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got.String(), "\n")); diff != "" {
			t.Errorf("tree of %s (-want +got):\n%s", m.Name, diff)
		}
	}
}
