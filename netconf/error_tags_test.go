package netconf_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestErrorTags looks for each tag of RFC 6241 appendix A in the dialogues of all
// packages. partial-operation is not among them: the RFC has it no longer used.
func TestErrorTags(t *testing.T) {
	missing := map[string]bool{}
	for _, tag := range []string{
		"in-use", "invalid-value", "too-big", "missing-attribute", "bad-attribute", "unknown-attribute", "missing-element", "bad-element",
		"unknown-element", "unknown-namespace", "access-denied", "lock-denied", "resource-denied", "rollback-failed", "data-exists",
		"data-missing", "operation-not-supported", "operation-failed", "malformed-message",
	} {
		missing[tag] = true
	}
	tag := regexp.MustCompile(`<error-tag>([a-z-]+)</error-tag>`)
	files := 0
	err := filepath.WalkDir(".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Ext(path) != ".txt" {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		for _, m := range tag.FindAllSubmatch(text, -1) {
			delete(missing, string(m[1]))
		}
		return err
	})
	if err != nil || files == 0 {
		t.Fatalf("%d dialogues, %v", files, err)
	}
	for tag := range missing {
		t.Errorf("no dialogue has the error %s", tag)
	}
}
