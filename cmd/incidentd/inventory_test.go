package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"incidentd/cmd/internal/demo"
	"incidentd/cmd/internal/server"
	"incidentd/incident/topology"
	"incidentd/yang/data"
)

// What goes into the configuration comes out of it.
func TestInventoryConfig(t *testing.T) {
	schema, err := server.Schema()
	if err != nil {
		t.Fatal(err)
	}
	p := data.Parser{Schema: schema}
	networks, err := p.ParseDocument(demo.Networks())
	if err != nil {
		t.Fatal(err)
	}
	want, err := topology.ReadInventory(bytes.NewReader(demo.Inventory()))
	if err != nil {
		t.Fatal(err)
	}
	config := inventoryConfig(schema, networks, want)
	got := topology.InventoryFromData(data.Merge(networks, config).Child("networks"))
	sorted := func(inv *topology.Inventory) []topology.InventoryNode {
		list := slices.Clone(inv.Nodes)
		for _, n := range list {
			for _, c := range n.LineCards {
				slices.Sort(c.Ports)
			}
			slices.SortFunc(n.LineCards, func(a, b topology.LineCard) int { return strings.Compare(a.Name, b.Name) })
		}
		slices.SortFunc(list, func(a, b topology.InventoryNode) int { return strings.Compare(a.ID, b.ID) })
		return list
	}
	if diff := cmp.Diff(sorted(want), sorted(got)); diff != "" {
		t.Errorf("the inventory (-want +got):\n%s", diff)
	}
	// The file has the last word on its nodes, the configuration on all others.
	first := want.Nodes[0]
	first.Site = "elsewhere"
	joined := joinInventories(&topology.Inventory{Nodes: []topology.InventoryNode{first}}, got)
	if len(joined.Nodes) != len(want.Nodes) || joined.Nodes[0].Site != "elsewhere" {
		t.Errorf("joined: %d nodes of %d, %+v", len(joined.Nodes), len(want.Nodes), joined.Nodes[0])
	}
	if joinInventories(nil, got) != got || joinInventories(want, nil) != want {
		t.Error("an inventory is lost when the other is not there")
	}
}
