package topology

import (
	"cmp"
	"slices"
	"strings"
)

// The lists of ietf-network have no order of their own, and a tree has them by their keys. What
// was read from a file in another order gives the same index: edges bear the name of the first of
// their two links, ids are in the order of names, and a tie between causes falls by ids.

// ordered returns networks with all of their lists by keys. What is given stays as it is.
func ordered(networks []Network) []Network {
	networks = byKey(networks, func(a, b *Network) int { return strings.Compare(a.ID, b.ID) })
	out := make([]Network, len(networks))
	for k, n := range networks {
		n.Supporting = byKey(n.Supporting, func(a, b *string) int { return strings.Compare(*a, *b) })
		n.Nodes = changed(byKey(n.Nodes, func(a, b *Node) int { return strings.Compare(a.ID, b.ID) }), func(d *Node) {
			d.Supporting = byKey(d.Supporting, func(a, b *NodeRef) int {
				return cmp.Or(strings.Compare(a.Network, b.Network), strings.Compare(a.Node, b.Node))
			})
			d.TPs = changed(byKey(d.TPs, func(a, b *TP) int { return strings.Compare(a.ID, b.ID) }), func(t *TP) {
				t.Supporting = byKey(t.Supporting, func(a, b *TPRef) int {
					return cmp.Or(strings.Compare(a.Network, b.Network), strings.Compare(a.Node, b.Node), strings.Compare(a.TP, b.TP))
				})
			})
		})
		n.Links = changed(byKey(n.Links, func(a, b *Link) int { return strings.Compare(a.ID, b.ID) }), func(l *Link) {
			l.Supporting = byKey(l.Supporting, func(a, b *LinkRef) int {
				return cmp.Or(strings.Compare(a.Network, b.Network), strings.Compare(a.Link, b.Link))
			})
		})
		out[k] = n
	}
	return out
}

// ordered returns an inventory with its nodes by their ids.
func (inv *Inventory) ordered() *Inventory {
	if inv == nil {
		return nil
	}
	return &Inventory{byKey(inv.Nodes, func(a, b *InventoryNode) int { return strings.Compare(a.ID, b.ID) })}
}

// byKey returns a list in order: itself, or a copy where it is not.
func byKey[T any](list []T, compare func(a, b *T) int) []T {
	by := func(a, b T) int { return compare(&a, &b) }
	if slices.IsSortedFunc(list, by) {
		return list
	}
	list = slices.Clone(list)
	slices.SortStableFunc(list, by)
	return list
}

// changed returns a copy of a list of which each entry was changed.
func changed[T any](list []T, change func(*T)) []T {
	list = slices.Clone(list)
	for k := range list {
		change(&list[k])
	}
	return list
}
