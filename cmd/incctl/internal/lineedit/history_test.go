package lineedit

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHistory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "deep", "history")
	secret := func(line string) bool { return strings.Contains(line, "secret") }
	h, err := openHistory(file, secret)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"one", "one", "", "  ", "a secret", "two\nlines", "one"} {
		if _, err := h.Write(line); err != nil {
			t.Errorf("Write(%q): %v", line, err)
		}
	}
	want := []string{"one", "two lines", "one"}
	if again, err := openHistory(file, secret); err != nil || !cmp.Equal(again.lines, want) || !cmp.Equal(h.lines, want) {
		t.Errorf("kept %q, read again %q (%v), want %q", h.lines, again.lines, err, want)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode is %v (%v)", info.Mode(), err)
	}
	if line, err := h.GetLine(1); err != nil || line != "two lines" {
		t.Errorf("GetLine(1) = %q, %v", line, err)
	}
	for _, i := range []int{-1, 3} {
		if line, err := h.GetLine(i); err == nil {
			t.Errorf("GetLine(%d) = %q", i, line)
		}
	}
}

// A long history is cut when it is opened.
func TestHistoryIsCut(t *testing.T) {
	file := filepath.Join(t.TempDir(), "history")
	var b strings.Builder
	for i := range 2*keepLines + 1 {
		fmt.Fprintln(&b, i)
	}
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	h, err := openHistory(file, nil)
	if err != nil || h.Len() != keepLines {
		t.Fatalf("%d lines, %v; want %d", h.Len(), err, keepLines)
	}
	if last, err := h.GetLine(keepLines - 1); err != nil || last != fmt.Sprint(2*keepLines) {
		t.Errorf("the last line is %q, %v", last, err)
	}
	if again, err := openHistory(file, nil); err != nil || again.Len() != keepLines {
		t.Errorf("%d lines are in the file, %v", again.Len(), err)
	}
}
