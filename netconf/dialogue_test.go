package netconf_test

import (
	"context"
	"errors"
	"flag"
	"testing"

	"incidentd/netconf"
	"incidentd/netconf/netconftest"
)

var update = flag.Bool("update", false, "write what the server says into the dialogues")

// TestDialogues plays the dialogues of testdata. Two operations behave badly there:
// <report-events> panics, and what <incident-acknowledge> fails with is nobody's
// business.
func TestDialogues(t *testing.T) {
	netconftest.Play(t, "testdata/*.txt", *update, netconftest.Config{
		Limits: netconf.Limits{Message: 4096},
		Setup: func(b *netconftest.Bench) {
			for _, err := range []error{
				b.Server.Handle("incidentd-events", "report-events", func(context.Context, *netconf.Request) (*netconf.Reply, error) {
					panic("the handler fell over")
				}),
				b.Server.Handle("ietf-incident", "incident-acknowledge", func(context.Context, *netconf.Request) (*netconf.Reply, error) {
					return nil, errors.New("the secret of the house")
				}),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
		},
	})
}
