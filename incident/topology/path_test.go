package topology

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// Random networks: what Paths returns is what a walk over all ways without loops finds, in
// the order of their lengths.
func TestPaths(t *testing.T) {
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		n := 2 + rnd.IntN(6)
		net := Network{ID: "ip"}
		for i := range n {
			net.Nodes = append(net.Nodes, Node{ID: fmt.Sprint(i)})
		}
		for l := range rnd.IntN(3 * n) {
			net.Links = append(net.Links, Link{ID: fmt.Sprint("l", l), SourceNode: fmt.Sprint(rnd.IntN(n)), DestNode: fmt.Sprint(rnd.IntN(n))})
		}
		x := Build([]Network{net}, nil)
		shut := EdgeID(-1)
		if x.Edges() > 0 {
			shut = EdgeID(rnd.IntN(x.Edges()))
		}
		avoid := func(h Hop) bool { return h.Edge == shut }
		a, b := NodeID(0), NodeID(n-1)
		all := map[string]int{} // the ways by their edges, to their length
		var walk func(at NodeID, nodes []NodeID, edges []EdgeID)
		walk = func(at NodeID, nodes []NodeID, edges []EdgeID) {
			if at == b {
				all[fmt.Sprint(edges)] = len(edges)
				return
			}
			for _, h := range x.Hops(at) {
				if !avoid(h) && !slices.Contains(nodes, h.Far) {
					walk(h.Far, append(slices.Clone(nodes), h.Far), append(slices.Clone(edges), h.Edge))
				}
			}
		}
		walk(a, []NodeID{a}, nil)
		var lengths []int
		for _, l := range all {
			lengths = append(lengths, l)
		}
		slices.Sort(lengths)
		const k = 6
		got := x.Paths(a, b, k, avoid)
		if want := min(k, len(all)); len(got) != want {
			t.Fatalf("seed %d: %d ways, want %d", seed, len(got), want)
		}
		for i, p := range got {
			key := fmt.Sprint(p.Edges)
			if l, ok := all[key]; !ok || l != lengths[i] || len(p.Nodes) != len(p.Edges)+1 || p.Nodes[0] != a || p.Nodes[len(p.Edges)] != b {
				t.Errorf("seed %d: way %d is %v over %v, want one of length %d that was not there before", seed, i, p.Nodes, p.Edges, lengths[i])
			}
			delete(all, key)
		}
	}
}
