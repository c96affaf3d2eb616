package main

import (
	"slices"

	"incidentd/incident/topology"
	"incidentd/yang"
	"incidentd/yang/data"
)

// joinInventories adds to what a file says of nodes what a configuration says of
// others; the file is the later word on its own nodes. Either may be nil.
func joinInventories(file, config *topology.Inventory) *topology.Inventory {
	if file == nil || config == nil {
		if file == nil {
			return config
		}
		return file
	}
	own := map[string]bool{}
	for _, n := range file.Nodes {
		own[n.ID] = true
	}
	out := &topology.Inventory{Nodes: slices.Clone(file.Nodes)}
	for _, n := range config.Nodes {
		if !own[n.ID] {
			out.Nodes = append(out.Nodes, n)
		}
	}
	return out
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
