package audit_test

import (
	"flag"
	"testing"

	"incidentd/netconf/netconftest"
)

var update = flag.Bool("update", false, "rewrite what the server says in the dialogues")

func TestDialogues(t *testing.T) {
	netconftest.Play(t, "testdata/*.txt", *update, netconftest.Config{Audit: true})
}
