package topology

// findBridges finds the links whose failure alone cuts the network in two, and how many
// nodes hang together over links, by one walk in depth over all of them.
func (b *builder) findBridges() {
	n := len(b.nodes)
	b.redundant = make([]bool, len(b.edges))
	b.part, b.partSize = make([]int32, n), nil
	seen, low := make([]int32, n), make([]int32, n) // when a node was reached, and the earliest it leads back to
	type step struct {
		node NodeID
		over EdgeID // by which the walk came
		next int32  // the hop to look at
	}
	var path []step
	clock := int32(0)
	for start := range b.nodes {
		if seen[start] != 0 {
			continue
		}
		part := int32(len(b.partSize))
		b.partSize = append(b.partSize, 0)
		enter := func(v NodeID, over EdgeID) {
			clock++
			seen[v], low[v], b.part[v] = clock, clock, part
			b.partSize[part]++
			path = append(path, step{v, over, b.nodes[v].hops[0]})
		}
		enter(NodeID(start), None)
		for len(path) > 0 {
			s := &path[len(path)-1]
			if s.next < b.nodes[s.node].hops[1] {
				hop := b.hops[s.next]
				s.next++
				switch {
				case hop.Edge == s.over:
				case seen[hop.Far] == 0:
					enter(hop.Far, hop.Edge)
				default:
					b.redundant[hop.Edge] = true
					low[s.node] = min(low[s.node], seen[hop.Far])
				}
				continue
			}
			done := *s
			path = path[:len(path)-1]
			if len(path) == 0 {
				break
			}
			up := path[len(path)-1].node
			low[up] = min(low[up], low[done.node])
			b.redundant[done.over] = low[done.node] <= seen[up]
		}
	}
}

// Redundant reports whether the ends of a link reach each other over others too.
func (x *Index) Redundant(e EdgeID) bool { return x.redundant[e] }

// PartSize returns how many nodes n reaches over links, itself included.
func (x *Index) PartSize(n NodeID) int { return int(x.partSize[x.part[n]]) }
