package subscribe_test

import (
	"flag"
	"testing"

	"incidentd/netconf/netconftest"
)

var update = flag.Bool("update", false, "write what the server says into the dialogues")

func TestDialogues(t *testing.T) {
	netconftest.Play(t, "testdata/*.txt", *update, netconftest.Config{})
}

func TestLimits(t *testing.T) {
	netconftest.Play(t, "testdata/limited/*.txt", *update, netconftest.Config{MaxSubscriptions: 2})
}

func TestAccess(t *testing.T) {
	netconftest.Play(t, "testdata/nacm/*.txt", *update, netconftest.Config{NACM: true})
}
