package xpath_test

import (
	"testing"

	"incidentd/yang/xpath"
	"incidentd/yang/xpath/xpathtest"
)

// TestTree checks that the tree of this package's tests is what it should be.
func TestTree(t *testing.T) { xpathtest.TestNode(t, xpath.SampleTree(t)) }
