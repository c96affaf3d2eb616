package topology

import (
	"cmp"
	"slices"
)

// Path is a way from a node to another over edges of kind LinkEdge.
type Path struct {
	Nodes []NodeID // both ends too
	Edges []EdgeID // one less
}

// Paths returns up to k ways without loops from a to b, those with the fewest links first,
// over links and nodes that avoid does not exclude: a hop is a link and the node that it
// leads to. It is Yen's algorithm over a search by breadth, and takes k times the length of
// a way of them.
func (x *Index) Paths(a, b NodeID, k int, avoid func(Hop) bool) []Path {
	if a == b || k < 1 {
		return nil
	}
	first, ok := x.path(a, b, avoid)
	if !ok {
		return nil
	}
	found, spare := []Path{first}, []Path(nil)
	for len(found) < k {
		last := found[len(found)-1]
		for i := range last.Edges {
			// A way that leaves the last one at its i-th node: by no edge that a found one with
			// the same begin takes there, and never back through that begin.
			var taken []EdgeID
			for _, p := range found {
				if len(p.Edges) > i && slices.Equal(p.Nodes[:i+1], last.Nodes[:i+1]) && slices.Equal(p.Edges[:i], last.Edges[:i]) {
					taken = append(taken, p.Edges[i])
				}
			}
			spur := last.Nodes[i]
			rest, ok := x.path(spur, b, func(h Hop) bool {
				return avoid(h) || slices.Contains(last.Nodes[:i+1], h.Far) || slices.Contains(taken, h.Edge) && x.ends(h.Edge, spur)
			})
			if !ok {
				continue
			}
			p := Path{append(slices.Clone(last.Nodes[:i]), rest.Nodes...), append(slices.Clone(last.Edges[:i]), rest.Edges...)}
			if !slices.ContainsFunc(spare, p.equal) && !slices.ContainsFunc(found, p.equal) {
				spare = append(spare, p)
			}
		}
		if len(spare) == 0 {
			break
		}
		slices.SortFunc(spare, func(p, q Path) int {
			return cmp.Or(cmp.Compare(len(p.Edges), len(q.Edges)), slices.Compare(p.Nodes, q.Nodes), slices.Compare(p.Edges, q.Edges))
		})
		found, spare = append(found, spare[0]), spare[1:]
	}
	return found
}

func (p Path) equal(q Path) bool { return slices.Equal(p.Edges, q.Edges) }

// ends reports whether an edge ends at a node.
func (x *Index) ends(e EdgeID, n NodeID) bool { return x.edges[e].A == n || x.edges[e].B == n }

// path returns a way of the fewest links.
func (x *Index) path(a, b NodeID, avoid func(Hop) bool) (Path, bool) {
	from := map[NodeID]Hop{a: {None, None}} // by node: where the way came from, and over which edge
	queue := []NodeID{a}
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		if n == b {
			break
		}
		for _, h := range x.Hops(n) {
			if _, seen := from[h.Far]; !seen && !avoid(h) {
				from[h.Far] = Hop{n, h.Edge}
				queue = append(queue, h.Far)
			}
		}
	}
	if _, ok := from[b]; !ok {
		return Path{}, false
	}
	p := Path{Nodes: []NodeID{b}}
	for n := b; n != a; {
		h := from[n]
		p.Nodes, p.Edges = append(p.Nodes, h.Far), append(p.Edges, h.Edge)
		n = h.Far
	}
	slices.Reverse(p.Nodes)
	slices.Reverse(p.Edges)
	return p, true
}

// Bottoms returns the edges at the very bottom under an edge: itself, if it rides on
// nothing. Beyond a thousand none is added.
func (x *Index) Bottoms(e EdgeID) []EdgeID {
	const most = 1000
	var out []EdgeID
	seen := map[EdgeID]bool{e: true}
	for queue := []EdgeID{e}; len(queue) > 0 && len(seen) < most; queue = queue[1:] {
		under := x.Under(queue[0])
		if len(under) == 0 {
			out = append(out, queue[0])
		}
		for _, u := range under {
			if !seen[u] {
				seen[u] = true
				queue = append(queue, u)
			}
		}
	}
	return out
}
