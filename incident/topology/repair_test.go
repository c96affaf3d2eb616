package topology

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// square is four sites with fibres around, channels over two fibres each way about, and
// IP links over the channels, whose termination points say so.
func square() []Network {
	fibre, wave, ip := Network{ID: "f"}, Network{ID: "w", Supporting: []string{"f"}}, Network{ID: "i", Supporting: []string{"w"}}
	name := func(k int) string { return fmt.Sprint("O", k%8) }
	id := func(k int) LinkRef { return LinkRef{"f", fmt.Sprintf("%s:e-%s:w", name(k), name(k+1))} }
	for k := range 8 {
		fibre.Nodes = append(fibre.Nodes, Node{ID: name(k), TPs: tps("e", "w")})
		wave.Nodes = append(wave.Nodes, Node{ID: name(k), TPs: tps("a", "b")})
		ip.Nodes = append(ip.Nodes, Node{ID: "R" + name(k), TPs: tps("x>w/"+name(k)+"/a", "y>w/"+name(k)+"/b")})
		fibre.Links = append(fibre.Links, both(id(k).Link)...)
		wave.Links = append(wave.Links, both(fmt.Sprintf("%s:a-%s:b", name(k), name(k+2)), id(k), id(k+1))...)
		ip.Links = append(ip.Links, both(fmt.Sprintf("R%s:x-R%s:y", name(k), name(k+2)), LinkRef{"w", fmt.Sprintf("%s:a-%s:b", name(k), name(k+2))})...)
	}
	return []Network{fibre, wave, ip}
}

// supports writes what every link rests on.
func supports(x *Index) (out []string) {
	for e := range EdgeID(x.Edges()) {
		var under []string
		for _, u := range x.Under(e) {
			under = append(under, x.Edge(u).Link)
		}
		slices.Sort(under)
		out = append(out, fmt.Sprint(x.Edge(e).Kind, " ", x.Edge(e).Link, " on ", under))
	}
	return out
}

// TestRepair: what a model leaves out or has wrong is found again; what has nothing
// under it stays so.
func TestRepair(t *testing.T) {
	want := supports(Build(square(), nil))
	for _, c := range []struct {
		name     string
		spoil    func(n []Network)
		inferred int
	}{
		{"nothing", func([]Network) {}, 0},
		{"a channel without fibres", func(n []Network) { n[1].Links[0].Supporting, n[1].Links[1].Supporting = nil, nil }, 1},
		{"a channel on other fibres", func(n []Network) {
			n[1].Links[0].Supporting = n[1].Links[8].Supporting
			n[1].Links[1].Supporting = n[1].Links[8].Supporting
		}, 1},
		{"a channel on other fibres in one direction", func(n []Network) { n[1].Links[0].Supporting = n[1].Links[8].Supporting }, 1},
		{"a link without its channel", func(n []Network) { n[2].Links[4].Supporting, n[2].Links[5].Supporting = nil, nil }, 1},
		{"a link on another channel", func(n []Network) { n[2].Links[4].Supporting, n[2].Links[5].Supporting = n[2].Links[0].Supporting, nil }, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := square()
			c.spoil(n)
			x := Build(n, nil)
			if d := cmp.Diff(want, supports(x)); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
			if got := x.Stats().Inferred; got != c.inferred {
				t.Errorf("%d inferred, want %d", got, c.inferred)
			}
		})
	}
}

// TestAdopt: a link without support and a channel without client between the same sites
// belong together.
func TestAdopt(t *testing.T) {
	n := square()
	for k := range n[2].Nodes {
		for j := range n[2].Nodes[k].TPs {
			n[2].Nodes[k].TPs[j].Supporting = nil
		}
	}
	inv := &Inventory{}
	for k := range 8 {
		inv.Nodes = append(inv.Nodes, InventoryNode{ID: fmt.Sprint("O", k), Site: fmt.Sprint(k)}, InventoryNode{ID: fmt.Sprint("RO", k), Site: fmt.Sprint(k)})
	}
	want := supports(Build(n, inv))
	n[2].Links[6].Supporting, n[2].Links[7].Supporting = nil, nil
	if d := cmp.Diff(want, supports(Build(n, inv))); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// TestServiceWithoutSupport: a VPN whose links name no tunnels rests on those between
// the same nodes, as the others do.
func TestServiceWithoutSupport(t *testing.T) {
	build := func(bare bool) *Index {
		ip := Network{ID: "ip"}
		te := Network{ID: "te", Supporting: []string{"ip"}}
		acc := Network{ID: "acc", Supporting: []string{"ip"}}
		nets := []Network{}
		for k := range 8 {
			ip.Nodes = append(ip.Nodes, Node{ID: fmt.Sprint("P", k), TPs: tps("e", "w")})
			ip.Links = append(ip.Links, both(fmt.Sprintf("P%d:e-P%d:w", k, (k+1)%8))...)
			te.Nodes = append(te.Nodes, Node{ID: fmt.Sprint("P", k), TPs: tps("t", "u")})
			te.Links = append(te.Links, Link{ID: fmt.Sprint("t", k), SourceNode: fmt.Sprint("P", k), SourceTP: "t", DestNode: fmt.Sprint("P", (k+2)%8), DestTP: "u",
				Supporting: []LinkRef{{"ip", fmt.Sprintf("P%d:e-P%d:w", k, (k+1)%8)}, {"ip", fmt.Sprintf("P%d:e-P%d:w", (k+1)%8, (k+2)%8)}}})
			acc.Nodes = append(acc.Nodes, Node{ID: fmt.Sprint("P", k), TPs: tps("x")}, Node{ID: fmt.Sprint("C", k), TPs: tps("w")})
			acc.Links = append(acc.Links, both(fmt.Sprintf("P%d:x-C%d:w", k, k))...)
			v := Network{ID: fmt.Sprint("vpn", k), Supporting: []string{"te", "acc"},
				Nodes: []Node{{ID: fmt.Sprint("P", k), TPs: tps(fmt.Sprintf("x>acc/P%d/x", k))}, {ID: fmt.Sprint("P", (k+2)%8), TPs: tps(fmt.Sprintf("x>acc/P%d/x", (k+2)%8))}},
				Links: []Link{{ID: "l", SourceNode: fmt.Sprint("P", k), DestNode: fmt.Sprint("P", (k+2)%8), Supporting: []LinkRef{{"te", fmt.Sprint("t", k)}}}}}
			if bare && k == 3 {
				v.Links[0].Supporting = nil
			}
			nets = append(nets, v)
		}
		return Build(append(nets, te, acc, ip), nil)
	}
	if d := cmp.Diff(supports(build(false)), supports(build(true))); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// TestEqualPaths: of two shortest paths a tunnel without support takes the one that others
// to its end go along, whatever the names are.
func TestEqualPaths(t *testing.T) {
	for _, via := range []string{"M", "N"} {
		ip := Network{ID: "ip"}
		te := Network{ID: "te", Supporting: []string{"ip"}}
		link := func(a, b string) LinkRef { return LinkRef{"ip", a + ":" + b + "-" + b + ":" + a} }
		ends := map[string][]string{"A": {"M", "N"}, "D": {"M", "N"}, "M": {"A", "D"}, "N": {"A", "D"}}
		join := func(a, b string) { ip.Links = append(ip.Links, both(link(a, b).Link)...) }
		join("A", "M")
		join("A", "N")
		join("M", "D")
		join("N", "D")
		for k := range 7 {
			e := fmt.Sprint("E", k)
			join(e, "A")
			ends[e], ends["A"] = []string{"A"}, append(ends["A"], e)
			x := Link{ID: "t" + e, SourceNode: e, SourceTP: "t", DestNode: "D", DestTP: "u", Supporting: []LinkRef{link(e, "A"), link("A", via), link(via, "D")}}
			if k == 6 {
				x.Supporting = nil
			}
			te.Links = append(te.Links, x)
		}
		for name, far := range ends {
			ip.Nodes = append(ip.Nodes, Node{ID: name, TPs: tps(far...)})
			te.Nodes = append(te.Nodes, Node{ID: name, TPs: tps("t", "u")})
		}
		x := Build([]Network{te, ip}, nil)
		want := fmt.Sprintf("tunnel tE6 on [A:E6-E6:A A:%s-%[1]s:A D:%[1]s-%[1]s:D]", via)
		if got := supports(x); !slices.Contains(got, want) {
			t.Errorf("no %q in %q", want, got)
		}
	}
}
