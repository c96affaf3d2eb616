package linkmetrics

import (
	"cmp"
	"time"

	"incidentd/yang/data"
)

func compare(a, b link) int {
	return cmp.Or(cmp.Compare(a.network, b.network), cmp.Compare(a.id, b.id))
}

// find is the entry of a link in a tree, nil without it.
func (k *Keeper) find(tree *data.Node, l link) *data.Node {
	return tree.Get(k.networks).EntryNamed("network", l.network).EntryNamed("link", l.id)
}

// stored are the links of the stored state that have metrics, with their entries.
func (k *Keeper) stored(state *data.Node) map[link]*data.Node {
	all := map[link]*data.Node{}
	for network := range state.Get(k.networks).Entries("network") {
		for n := range network.Entries("link") {
			if n.Get(k.metrics) != nil {
				all[link{network.Leaf("network-id"), n.Leaf("link-id")}] = n
			}
		}
	}
	return all
}

func (k *Keeper) count(state *data.Node) int { return len(k.stored(state)) }

// with is the state with the metrics of a link.
func (k *Keeper) with(state *data.Node, l link, r result, at time.Time) *data.Node {
	if n := k.find(state, l); n != nil {
		state = k.without(state, l, n)
	}
	b := data.Build(state.Schema())
	m := b.Container("networks").Entry("network", l.network).Entry("link", l.id).Container("link-metrics")
	r.encode(m)
	m.Leaf("unitary-test", r.test).Leaf("run-id", r.run).Time("updated", at)
	return data.Merge(state, b.Node())
}

// without is the state without the metrics of a link, nor what stood there for their sake
// alone.
func (k *Keeper) without(state *data.Node, l link, n *data.Node) *data.Node {
	networks := state.Get(k.networks)
	network := networks.EntryNamed("network", l.network)
	if n = n.Without(k.metrics, ""); keysOnly(n) {
		network = network.Without(n.Schema(), n.Key())
	} else {
		network = network.With(n)
	}
	if keysOnly(network) {
		networks = networks.Without(network.Schema(), network.Key())
	} else {
		networks = networks.With(network)
	}
	if networks.Empty() {
		return state.Without(k.networks, "")
	}
	return state.With(networks)
}

// keysOnly reports whether an entry has nothing but its keys.
func keysOnly(n *data.Node) bool { return n.Len() == len(n.Schema().Keys) }
