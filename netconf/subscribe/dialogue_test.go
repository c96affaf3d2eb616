package subscribe_test

import (
	"flag"
	"testing"
	"testing/fstest"

	"incidentd/netconf/netconftest"
)

var update = flag.Bool("update", false, "write what the server says into the dialogues")

func TestDialogues(t *testing.T) {
	netconftest.Play(t, "testdata/*.txt", *update, netconftest.Config{})
}

func TestLimits(t *testing.T) {
	netconftest.Play(t, "testdata/limited/*.txt", *update, netconftest.Config{MaxSubscriptions: 2})
}

// TestOtherEncodings has an encoding in the schema that nobody here writes.
func TestOtherEncodings(t *testing.T) {
	schema, err := netconftest.SchemaWith(&fstest.MapFS{"other-encodings.yang": {Data: []byte(`module other-encodings {
  yang-version 1.1; namespace "urn:other-encodings"; prefix oe;
  import ietf-subscribed-notifications { prefix sn; }
  identity encode-cbor { base sn:encoding; }
}`)}})
	if err != nil {
		t.Fatal(err)
	}
	netconftest.Play(t, "testdata/encodings/*.txt", *update, netconftest.Config{Schema: schema})
}

func TestAccess(t *testing.T) {
	netconftest.Play(t, "testdata/nacm/*.txt", *update, netconftest.Config{NACM: true})
}
