package validate_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// examples are the sections of RFC 7950 with examples of instance data, or with rules
// about edits of them, in chapters 7, 9 and 15. Sections 7.1 to 7.4 and 7.19 have
// examples of modules alone.
const examples = `7.5.4.3 7.5.8 7.5.9 7.6.1 7.6.7 7.6.8 7.7.2 7.7.9 7.7.10 7.8.3.1 7.8.6 7.8.7 7.9.2 7.9.3 7.9.6
	7.10.3 7.10.4 7.11.3 7.11.4 7.12.2 7.13.4 7.14.2 7.14.5 7.15.3 7.16.3 7.17 7.17.3 7.18.3
	7.20.1 7.20.2.1 7.20.3.3 7.21.1 7.21.5
	9.2.5 9.3.5 9.4.7 9.5 9.6.5 9.7.5 9.8 9.9.6 9.10.3 9.10.5 9.11.4 9.12.4 9.13.4
	15.1 15.2 15.3 15.4 15.5 15.6 15.7`

// TestExamples holds that the first line of some golden file names each section.
func TestExamples(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files (%v)", err)
	}
	covered := map[string]bool{}
	for _, file := range files {
		in, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(in), "\n")
		sections, _, found := strings.Cut(strings.TrimPrefix(first, "RFC 7950 section"), ": ")
		if !found {
			continue
		}
		for _, s := range regexp.MustCompile(`\d+(\.\d+)+`).FindAllString(sections, -1) {
			covered[s] = true
		}
	}
	for s := range strings.FieldsSeq(examples) {
		if !covered[s] {
			t.Errorf("no golden file is about section %s", s)
		}
	}
}
