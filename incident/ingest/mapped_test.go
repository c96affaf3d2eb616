package ingest

import (
	"testing"

	"incidentd/netconf/netconftest"
	"incidentd/yang/data"
)

// A mapper knows nodes by their names, so only a node that comes or goes makes another.
func TestSameNodes(t *testing.T) {
	schema, err := netconftest.Schema()
	if err != nil {
		t.Fatal(err)
	}
	networks := func(content string) *data.Node {
		root, err := (&data.Parser{Schema: schema}).ParseDocument([]byte(`<networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network"><network><network-id>ip</network-id>` + content + `</network></networks>`))
		if err != nil {
			t.Fatal(err)
		}
		return root.Child("networks")
	}
	const (
		below = `<supporting-node><network-ref>a</network-ref><node-ref>b</node-ref></supporting-node>`
		p1    = `<node><node-id>P1</node-id></node>`
		p2    = `<node><node-id>P2</node-id></node>`
	)
	for _, c := range []struct {
		name     string
		old, new *data.Node
		want     bool
	}{
		{"none", nil, nil, true},
		{"the first", nil, networks(p1), false},
		{"all gone", networks(p1), nil, false},
		{"equal", networks(p1), networks(p1), true},
		{"one comes", networks(p1), networks(p1 + p2), false},
		{"one goes", networks(p1 + p2), networks(p2), false},
		{"another", networks(p1), networks(p2), false},
		{"what is in it comes", networks(p1), networks(`<node><node-id>P1</node-id>` + below + `</node>`), true},
		{"a network comes", networks(p1), networks(p1 + `</network><network><network-id>b</network-id>` + p2), false},
	} {
		if got := sameNodes(c.old, c.new); got != c.want {
			t.Errorf("%s: sameNodes = %v, want %v", c.name, got, c.want)
		}
	}
}
