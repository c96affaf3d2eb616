package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"incidentd/incident/topology"
	"incidentd/yang"
	"incidentd/yang/data"
)

func TestJoinInventories(t *testing.T) {
	node := func(id, site string) topology.InventoryNode { return topology.InventoryNode{ID: id, Site: site} }
	file := &topology.Inventory{Nodes: []topology.InventoryNode{node("a", "file"), node("b", "file")}}
	config := &topology.Inventory{Nodes: []topology.InventoryNode{node("b", "config"), node("c", "config")}}
	for _, tt := range []struct {
		name               string
		file, config, want *topology.Inventory
	}{
		{"none", nil, nil, nil},
		{"file", file, nil, file},
		{"config", nil, config, config},
		{"both", file, config, &topology.Inventory{Nodes: []topology.InventoryNode{node("a", "file"), node("b", "file"), node("c", "config")}}},
	} {
		if diff := cmp.Diff(tt.want, joinInventories(tt.file, tt.config)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// inventoryConfig is an inventory as configuration of the nodes of a tree, each in
// the first network that has it. Nodes that no network has are left out.
func inventoryConfig(schema *yang.Schema, tree *data.Node, inv *topology.Inventory) *data.Node {
	missing := map[string]*topology.InventoryNode{}
	for i := range inv.Nodes {
		missing[inv.Nodes[i].ID] = &inv.Nodes[i]
	}
	b := data.Build(schema.Root)
	networks := b.Container("networks")
	for network := range tree.Child("networks").Entries("network") {
		var w *data.Builder
		for node := range network.Entries("node") {
			id := node.Leaf("node-id")
			n := missing[id]
			if n == nil {
				continue
			}
			delete(missing, id)
			if w == nil {
				w = networks.Entry("network", network.Leaf("network-id"))
			}
			i := w.Entry("node", id).Container("inventory")
			i.Text("site", n.Site).Text("domain", n.Domain).Text("role", n.Role).Text("vendor", n.Vendor)
			for _, c := range n.LineCards {
				card := i.Entry("line-card", c.Name)
				for _, p := range c.Ports {
					card.Leaf("port", p)
				}
			}
		}
	}
	return b.Node()
}
