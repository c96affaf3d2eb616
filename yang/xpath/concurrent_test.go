package xpath

import (
	"sync"
	"testing"
)

// TestConcurrent evaluates one expression in several goroutines; the race detector
// sees what they share.
func TestConcurrent(t *testing.T) {
	e := mustCompile(t, "//item[id = current()/../ref]/v | /r/box/v", testNamespaces)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			root := readTree(t, testLists)
			from := root.kids[0].kids[0].kids[0]
			for range 50 {
				if s, err := e.EvalString(Context{Node: from}); err != nil || s != "-2.50" {
					t.Errorf("%q, %v", s, err)
				}
				if len(e.Paths()) == 0 {
					t.Error("no paths")
				}
			}
		})
	}
	wg.Wait()
}
