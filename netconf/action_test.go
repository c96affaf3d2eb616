package netconf_test

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"

	"incidentd/netconf"
	"incidentd/netconf/netconftest"
	"incidentd/yang"
)

var farm = sync.OnceValues(func() (*yang.Schema, error) {
	return netconftest.SchemaWith(os.DirFS("testdata/action"))
})

// actionOf is the action at the end of a way of names.
func actionOf(s *yang.Schema, module, top string, names ...string) *yang.Node {
	n := s.Root.Child(s.Module(module), top)
	for _, name := range names[:len(names)-1] {
		n = n.ChildNamed(name)
	}
	for _, o := range n.Operations {
		if o.Name == names[len(names)-1] {
			return o
		}
	}
	return nil
}

// TestActions plays dialogues with actions. reset tells where it was called, restore has no
// handler.
func TestActions(t *testing.T) {
	schema, err := farm()
	if err != nil {
		t.Fatal(err)
	}
	netconftest.Play(t, "testdata/action/*.txt", *update, netconftest.Config{Schema: schema, NACM: true, Setup: handleActions(t, schema)})
}

// handleActions registers handlers of the actions.
func handleActions(t testing.TB, schema *yang.Schema) func(*netconftest.Bench) {
	return func(b *netconftest.Bench) {
		reset := func(_ context.Context, r *netconf.Request) (*netconf.Reply, error) {
			return &netconf.Reply{Output: r.Output().Leaf("finished", r.At.String()+" "+r.Input.Leaf("at")+" "+r.Input.Leaf("mode")).Node()}, nil
		}
		count := func(_ context.Context, r *netconf.Request) (*netconf.Reply, error) {
			return &netconf.Reply{Output: r.Output().Uint("machines", uint64(r.At.Node.Len())).Node()}, nil
		}
		done := func(context.Context, *netconf.Request) (*netconf.Reply, error) { return nil, nil }
		err := errors.Join(
			b.Server.HandleAction(actionOf(schema, "ex-server-farm", "farm", "machine", "reset"), reset),
			b.Server.HandleAction(actionOf(schema, "ex-server-farm", "farm", "count"), count),
			b.Server.HandleAction(actionOf(schema, "ex-server-farm", "farm", "machine", "power", "cut"), done),
			b.Server.HandleAction(actionOf(schema, "ietf-network", "networks", "network", "draw"), done),
		)
		if err != nil {
			t.Fatal(err)
		}
	}
}

// What is no action has no handler of one, and an action has one.
func TestHandleAction(t *testing.T) {
	schema, err := farm()
	if err != nil {
		t.Fatal(err)
	}
	b := netconftest.New(t, netconftest.Config{Schema: schema})
	count := actionOf(schema, "ex-server-farm", "farm", "count")
	for _, err := range []error{b.Server.HandleAction(nil, nil), b.Server.HandleAction(schema.Root, nil)} {
		if err == nil {
			t.Error("a handler was taken for no action")
		}
	}
	first := func(context.Context, *netconf.Request) (*netconf.Reply, error) { return nil, nil }
	if err := b.Server.HandleAction(count, first); err != nil {
		t.Error(err)
	}
	if err := b.Server.HandleAction(count, first); err == nil {
		t.Error("a second handler was taken")
	}
}
