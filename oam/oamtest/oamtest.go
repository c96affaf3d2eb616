// Package oamtest has what tests of engines share: parameters by the schema, and the
// environment of a run.
package oamtest

import (
	"context"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"incidentd/oam"
	"incidentd/oam/testnet"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/modules"
)

var schema = sync.OnceValues(func() (*yang.Schema, error) {
	return yang.Compile(modules.FS, yang.Options{Implemented: []string{"incidentd-oam-tests"}})
})

// Params are the parameters of a type of test, such as icmp-echo: names and values of
// leafs; a name "thresholds/max-loss-ratio" is of a container.
func Params(t testing.TB, kind string, leafs ...string) oam.Params {
	t.Helper()
	s, err := schema()
	if err != nil {
		t.Fatal(err)
	}
	list := s.Root.Child(s.Module("ietf-oam-unitary-test"), "oam-unitary-tests").ChildNamed("oam-unitary-test")
	b := data.Build(list.ChildNamed(kind))
	for i := 0; i < len(leafs); i += 2 {
		at, name := b, leafs[i]
		if container, leaf, inside := strings.Cut(name, "/"); inside {
			at, name = b.Container(container), leaf
		}
		at.Leaf(name, leafs[i+1])
	}
	return oam.Params{Node: b.Node()}
}

// Run makes a test of an engine and runs it once, from a network instance ("": the own).
func Run(t testing.TB, e oam.Engine, p oam.Params, instance string) *oam.Measurement {
	t.Helper()
	m, err := Try(t.Context(), e, p, instance)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Try is Run for tests of what goes wrong.
func Try(ctx context.Context, e oam.Engine, p oam.Params, instance string) (*oam.Measurement, error) {
	test, err := e(p)
	if err != nil {
		return nil, err
	}
	env := Env(test, instance)
	if err := test.Check(ctx, env); err != nil {
		return nil, err
	}
	return test.Run(ctx, env)
}

// Env is the environment of a run that may send anywhere what it demands.
func Env(test oam.Test, instance string) *oam.Env {
	return &oam.Env{
		RunID:   "test",
		Vantage: oam.Vantage{NetworkInstance: instance},
		Permit:  func(netip.Addr) error { return nil },
		Budget:  oam.NewBudget(test.Demand()),
		Log:     slog.New(slog.DiscardHandler),
	}
}

// Wired are two hosts, 10.9.0.1 and 10.9.0.2, with a wire between them, for as long as the
// test runs. It skips where there can be none.
func Wired(t testing.TB, there, back testnet.Impairment) (a, b *testnet.Host, wire *testnet.Wire) {
	t.Helper()
	if why := testnet.MissingWire(); why != "" {
		t.Skip(why)
	}
	n := testnet.New()
	t.Cleanup(func() { n.Close() })
	var hosts [2]*testnet.Host
	for i, name := range []string{"a", "b"} {
		h, err := n.Host(name)
		if err != nil {
			t.Fatal(err)
		}
		hosts[i] = h
	}
	a, b = hosts[0], hosts[1]
	wire, err := n.Wire(
		testnet.End{Host: a, Interface: "wire0", Address: netip.MustParsePrefix("10.9.0.1/30")},
		testnet.End{Host: b, Interface: "wire0", Address: netip.MustParsePrefix("10.9.0.2/30")}, there, back)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { wire.Close() })
	return a, b, wire
}
