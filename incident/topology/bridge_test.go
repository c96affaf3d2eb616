package topology

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// Random networks, cut at each link in turn: what Redundant and PartSize say is what a
// walk finds.
func TestRedundant(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		n := 2 + rnd.IntN(12)
		net := Network{ID: "ip"}
		for i := range n {
			net.Nodes = append(net.Nodes, Node{ID: fmt.Sprint(i)})
		}
		for l := range rnd.IntN(2 * n) {
			net.Links = append(net.Links, Link{ID: fmt.Sprint("l", l), SourceNode: fmt.Sprint(rnd.IntN(n)), DestNode: fmt.Sprint(rnd.IntN(n))})
		}
		x := Build([]Network{net}, nil)
		reach := func(from NodeID, without EdgeID) map[NodeID]bool {
			seen, todo := map[NodeID]bool{from: true}, []NodeID{from}
			for len(todo) > 0 {
				v := todo[0]
				todo = todo[1:]
				for _, h := range x.Hops(v) {
					if h.Edge != without && !seen[h.Far] {
						seen[h.Far] = true
						todo = append(todo, h.Far)
					}
				}
			}
			return seen
		}
		for v := range NodeID(x.Nodes()) {
			if got, want := x.PartSize(v), len(reach(v, None)); got != want {
				t.Errorf("seed %d: PartSize(%d) = %d, want %d", seed, v, got, want)
			}
			for _, h := range x.Hops(v) {
				if got, want := x.Redundant(h.Edge), reach(v, h.Edge)[h.Far]; got != want {
					t.Errorf("seed %d: Redundant(%d) = %v, want %v", seed, h.Edge, got, want)
				}
			}
		}
	}
}
