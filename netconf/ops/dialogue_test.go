package ops_test

import (
	"flag"
	"testing"

	"incidentd/netconf/netconftest"
)

var update = flag.Bool("update", false, "write what the server says into the dialogues")

func TestDialogues(t *testing.T) {
	netconftest.Play(t, "testdata/*.txt", *update, netconftest.Config{})
}

// TestAccessDialogues plays those in which not everybody may do everything.
func TestAccessDialogues(t *testing.T) {
	netconftest.Play(t, "testdata/access/*.txt", *update, netconftest.Config{NACM: true})
}
