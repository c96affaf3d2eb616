package nacm_test

import (
	"context"
	"flag"
	"os"
	"sync"
	"testing"

	"incidentd/netconf"
	"incidentd/netconf/netconftest"
	"incidentd/yang"
)

var update = flag.Bool("update", false, "write what the server says into the dialogues")

// acme is the schema with the module of the RFC's examples.
var acme = sync.OnceValues(func() (*yang.Schema, error) { return netconftest.SchemaWith(os.DirFS("testdata")) })

func schema(t testing.TB) *yang.Schema {
	t.Helper()
	s, err := acme()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestDialogues(t *testing.T) {
	netconftest.Play(t, "testdata/*.txt", *update, netconftest.Config{Schema: schema(t), NACM: true, Setup: func(b *netconftest.Bench) {
		err := b.Server.Handle("acme", "restart", func(context.Context, *netconf.Request) (*netconf.Reply, error) { return nil, nil })
		if err != nil {
			t.Fatal(err)
		}
	}})
}
