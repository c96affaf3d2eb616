package topology

import (
	"math/rand/v2"
	"reflect"
	"testing"
)

// TestOrder: networks and inventories in any order make the same index, and stay as they are.
func TestOrder(t *testing.T) {
	nets, inv := layered()
	want := Build(nets, inv)
	chance := rand.New(rand.NewPCG(7, 7))
	for range 50 {
		nets, inv := layered()
		shuffle(chance, nets)
		shuffle(chance, inv.Nodes)
		for k := range nets {
			shuffle(chance, nets[k].Nodes)
			shuffle(chance, nets[k].Links)
			shuffle(chance, nets[k].Supporting)
			for j := range nets[k].Nodes {
				shuffle(chance, nets[k].Nodes[j].TPs)
			}
			for j := range nets[k].Links {
				shuffle(chance, nets[k].Links[j].Supporting)
			}
		}
		first := nets[0].ID
		if got := Build(nets, inv); !reflect.DeepEqual(got, want) {
			t.Fatal("another order makes another index")
		}
		if nets[0].ID != first {
			t.Fatal("what was given was put in order")
		}
	}
}

func shuffle[T any](r *rand.Rand, list []T) {
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
}
