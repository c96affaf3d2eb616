package topology

import "incidentd/yang/data"

// FromData reads the networks of a tree: the container /nw:networks of RFC 8345,
// nil for none.
func FromData(networks *data.Node) []Network {
	var out []Network
	for n := range networks.Entries("network") {
		w := Network{ID: n.Leaf("network-id")}
		for t := range n.Child("network-types").Children() {
			w.Types = append(w.Types, t.Name())
		}
		for s := range n.Entries("supporting-network") {
			w.Supporting = append(w.Supporting, s.Leaf("network-ref"))
		}
		for d := range n.Entries("node") {
			w.Nodes = append(w.Nodes, decodeNode(d))
		}
		for l := range n.Entries("link") {
			w.Links = append(w.Links, decodeLink(l))
		}
		out = append(out, w)
	}
	return out
}

func decodeNode(d *data.Node) Node {
	n := Node{ID: d.Leaf("node-id")}
	for s := range d.Entries("supporting-node") {
		n.Supporting = append(n.Supporting, NodeRef{s.Leaf("network-ref"), s.Leaf("node-ref")})
	}
	for t := range d.Entries("termination-point") {
		tp := TP{ID: t.Leaf("tp-id")}
		for s := range t.Entries("supporting-termination-point") {
			tp.Supporting = append(tp.Supporting, TPRef{s.Leaf("network-ref"), s.Leaf("node-ref"), s.Leaf("tp-ref")})
		}
		n.TPs = append(n.TPs, tp)
	}
	return n
}

func decodeLink(d *data.Node) Link {
	source, dest := d.Child("source"), d.Child("destination")
	l := Link{ID: d.Leaf("link-id"), SourceNode: source.Leaf("source-node"), SourceTP: source.Leaf("source-tp"),
		DestNode: dest.Leaf("dest-node"), DestTP: dest.Leaf("dest-tp")}
	for s := range d.Entries("supporting-link") {
		l.Supporting = append(l.Supporting, LinkRef{s.Leaf("network-ref"), s.Leaf("link-ref")})
	}
	return l
}

// InventoryFromData reads what incidentd-inventory adds to the nodes of a tree,
// nil when it adds nothing.
func InventoryFromData(networks *data.Node) *Inventory {
	var inv Inventory
	at := map[string]int{}
	for n := range networks.Entries("network") {
		for d := range n.Entries("node") {
			i := d.Child("inventory")
			if i == nil {
				continue
			}
			id := d.Leaf("node-id")
			k, known := at[id]
			if !known {
				k = len(inv.Nodes)
				at[id] = k
				inv.Nodes = append(inv.Nodes, InventoryNode{ID: id})
			}
			w := &inv.Nodes[k]
			for _, f := range []struct {
				to   *string
				leaf string
			}{{&w.Site, "site"}, {&w.Domain, "domain"}, {&w.Role, "role"}, {&w.Vendor, "vendor"}} {
				if v := i.Leaf(f.leaf); v != "" {
					*f.to = v
				}
			}
			for c := range i.Entries("line-card") {
				w.LineCards = append(w.LineCards, LineCard{Name: c.Leaf("name"), Ports: c.Values("port")})
			}
		}
	}
	if len(inv.Nodes) == 0 {
		return nil
	}
	return &inv
}
