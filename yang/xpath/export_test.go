package xpath

import "testing"

// SampleTree is the tree of testdata/tree.xml.
func SampleTree(t *testing.T) Node { return readTree(t, testLists) }
