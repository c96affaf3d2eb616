package topology

import "slices"

// repair finds what links rest on where the model does not say, or says what cannot be:
//
//   - A link whose termination points stand on both ends of one link below rests on
//     that one.
//   - What should be a path between its ends and is none, is taken for the path of the
//     link in the other direction, or the shortest, if that is what most other links of
//     the network rest on.
//   - A link without support between two sites, and a link below without a client
//     between the same two sites, belong together if there is one of each.
//
// What was inferred is counted, see [Stats].
func (b *builder) repair() {
	services := router{builder: b, lower: map[string]bool{}}
	var links []EdgeID
	for _, l := range b.layers {
		if l.shadow || l.session || len(l.Links) == 0 {
			continue
		}
		edges := b.edgesOf(l)
		for _, e := range edges {
			if below := b.portsStandOn(e); len(below) > 0 && !b.restsOn(e, below) {
				b.setUnder(e, below)
			}
		}
		if l.svc { // each is small, but all are made alike
			links = append(links, edges...)
			services.restOn(edges)
			for _, s := range l.Supporting {
				if u := b.byID[s]; u != nil && u.tunnel {
					services.lower[s] = true
				}
			}
			continue
		}
		r := router{builder: b, lower: map[string]bool{}}
		r.restOn(edges)
		r.repair(edges)
		b.adopt(edges, r.lower)
	}
	services.repair(links)
}

// edgesOf returns the edges that are a network's own.
func (b *builder) edgesOf(l *layer) (out []EdgeID) {
	for i := range l.Links {
		if e, ok := b.linkByName[LinkRef{l.ID, l.Links[i].ID}]; ok && b.edges[e].Network == l.ID && (len(out) == 0 || out[len(out)-1] < e) {
			out = append(out, e)
		}
	}
	return out
}

// portsStandOn returns the edges whose ends support the ends of e.
func (b *builder) portsStandOn(e EdgeID) (out []EdgeID) {
	d := &b.edges[e]
	if d.PortA == None || d.PortB == None {
		return nil
	}
	for _, p := range b.ports[d.PortA].below {
		for _, u := range b.ports[p].edges {
			k := &b.edges[u]
			far := k.PortA
			if far == p {
				far = k.PortB
			}
			if u != e && far != None && slices.Contains(b.ports[d.PortB].below, far) {
				out = append(out, u)
			}
		}
	}
	return out
}

// restsOn reports whether e is said to rest on the edges, perhaps on others too.
func (b *builder) restsOn(e EdgeID, on []EdgeID) bool {
	for _, u := range on {
		if !slices.Contains(b.under[e], u) {
			return false
		}
	}
	return true
}

// setUnder replaces what e rests on.
func (b *builder) setUnder(e EdgeID, on []EdgeID) {
	for _, u := range b.under[e] {
		b.over[u] = slices.DeleteFunc(b.over[u], func(o EdgeID) bool { return o == e })
	}
	b.under[e] = slices.Clone(on)
	for _, u := range on {
		b.over[u] = append(b.over[u], e)
	}
	b.stats.Inferred++
}

// adopt gives links without support the only link without a client between their sites.
func (b *builder) adopt(edges []EdgeID, lower map[string]bool) {
	type pair [2]SiteID
	between := func(e EdgeID) (p pair, ok bool) {
		d := &b.edges[e]
		s, t := b.nodes[d.A].site, b.nodes[d.B].site
		return pair{min(s, t), max(s, t)}, s != None && t != None && s != t
	}
	bare := map[pair][]EdgeID{}
	for _, e := range edges {
		if p, ok := between(e); ok && len(b.under[e]) == 0 {
			bare[p] = append(bare[p], e)
		}
	}
	if len(bare) == 0 || len(lower) == 0 {
		return
	}
	idle := map[pair][]EdgeID{}
	for u := range b.edges {
		if p, ok := between(EdgeID(u)); ok && lower[b.edges[u].Network] && len(b.over[u]) == 0 && len(bare[p]) > 0 {
			idle[p] = append(idle[p], EdgeID(u))
		}
	}
	for p, e := range bare {
		if len(e) == 1 && len(idle[p]) == 1 {
			b.setUnder(e[0], idle[p])
		}
	}
}

// router finds paths in the networks that a network rests on.
type router struct {
	*builder
	lower map[string]bool
	back  map[[2]NodeID]EdgeID // by the ends of the edge in the other direction
	next  map[[2]NodeID]EdgeID // by a node and where to, the edge by which a sound path leaves
	far   []int32              // by node, how many edges it is from the end of the search
	seen  []uint32             // by node, the search that saw it
	turn  uint32
}

// How sure the other links must make it that links rest on shortest paths.
const (
	usualShare  = 0.6 // of those that are looked at
	usualSample = 200
	usualFewest = 5
	// longestSearch bounds the nodes that one search visits.
	longestSearch = 20_000
	// mostNext bounds what is remembered of sound paths.
	mostNext = 4_000_000
)

// restOn adds the networks that edges rest on.
func (r *router) restOn(edges []EdgeID) {
	for _, e := range edges {
		for _, u := range r.under[e] {
			r.lower[r.edges[u].Network] = true
		}
	}
}

// repair gives the edges whose support is no path another one: that of the way back, or
// the shortest, whichever is usual. What lies beside a path goes.
func (r *router) repair(edges []EdgeID) {
	var sound, bad []EdgeID
	for _, e := range edges {
		if r.connects(e) {
			r.prune(e)
			sound = append(sound, e)
		} else {
			bad = append(bad, e)
		}
	}
	for _, e := range bad {
		r.edges[e].Guessed = true
	}
	if len(bad) == 0 || len(sound) < usualFewest || len(sound) < len(bad) {
		return
	}
	r.far, r.seen = make([]int32, len(r.nodes)), make([]uint32, len(r.nodes))
	r.learn(sound)
	r.back = make(map[[2]NodeID]EdgeID, len(sound))
	for _, e := range sound {
		r.back[[2]NodeID{r.edges[e].B, r.edges[e].A}] = e
	}
	for _, guess := range []struct {
		path  func(EdgeID) []EdgeID
		right func(EdgeID, []EdgeID) bool
	}{{r.wayBack, r.restsOn}, {r.shortest, r.asLong}} {
		if !r.usual(sound, guess.path, guess.right) {
			continue
		}
		bad = slices.DeleteFunc(bad, func(e EdgeID) bool {
			p := guess.path(e)
			if p != nil {
				r.setUnder(e, p)
			}
			return p != nil
		})
	}
}

// usual reports whether a guess is right for most edges for which there is one.
func (r *router) usual(sound []EdgeID, guess func(EdgeID) []EdgeID, isRight func(EdgeID, []EdgeID) bool) bool {
	right, looked := 0, 0
	for k := 0; k < len(sound); k += max(1, len(sound)/usualSample) {
		if p := guess(sound[k]); p != nil {
			looked++
			if r.asLong(sound[k], p) && isRight(sound[k], p) {
				right++
			}
		}
	}
	return looked >= usualFewest && float64(right) >= usualShare*float64(looked)
}

// asLong reports whether e rests on as many edges as a path has. Of several shortest paths a
// network takes one or another, so it is not asked for more.
func (r *router) asLong(e EdgeID, path []EdgeID) bool { return len(path) == len(r.under[e]) }

// learn remembers how sound paths go on from each of their nodes to each later one: where
// several paths are as short, others go where these do. The way back is the same, where
// nothing says another.
func (r *router) learn(sound []EdgeID) {
	r.next = map[[2]NodeID]EdgeID{}
	for _, back := range []bool{false, true} {
		for _, e := range sound {
			path, nodes := r.inOrder(e), []NodeID{r.edges[e].A}
			for _, u := range path {
				far, _ := r.Far(u, nodes[len(nodes)-1])
				nodes = append(nodes, far)
			}
			for i, u := range path {
				from, later := nodes[i], nodes[i+1:]
				if back {
					from, later = nodes[i+1], nodes[:i+1]
				}
				for _, to := range later {
					if back && (r.edges[u].Kind == TunnelEdge || r.leaves(from, to) != None) { // tunnels lead one way
						continue
					}
					if len(r.next) < mostNext {
						r.next[[2]NodeID{from, to}] = u
					}
				}
			}
		}
	}
}

// inOrder returns what an edge rests on from one of its ends to the other; nil if it is no
// plain path.
func (r *router) inOrder(e EdgeID) []EdgeID {
	d, under := &r.edges[e], r.under[e]
	path := make([]EdgeID, 0, len(under))
	for n := d.A; len(path) < len(under); {
		k := slices.IndexFunc(under, func(u EdgeID) bool {
			return (r.edges[u].A == n || r.edges[u].B == n) && !slices.Contains(path, u)
		})
		if k < 0 {
			return nil
		}
		path = append(path, under[k])
		n, _ = r.Far(under[k], n)
		if n == d.B && len(path) < len(under) {
			return nil
		}
	}
	return path
}

// wayBack returns what the edge in the other direction rests on; nil if there is none.
func (r *router) wayBack(e EdgeID) []EdgeID {
	d := &r.edges[e]
	if back, ok := r.back[[2]NodeID{d.A, d.B}]; ok {
		for _, u := range r.under[back] {
			if r.edges[u].Kind == TunnelEdge {
				return nil // which lead one way
			}
		}
		return r.under[back]
	}
	return nil
}

// prune takes away what e is said to rest on and what lies on no way between its ends.
func (r *router) prune(e EdgeID) {
	d, under := &r.edges[e], slices.Clone(r.under[e])
	for {
		var kept []EdgeID
		for _, u := range under {
			k := &r.edges[u]
			loose := func(n NodeID) bool {
				return n != d.A && n != d.B && !slices.ContainsFunc(under, func(o EdgeID) bool {
					return o != u && (r.edges[o].A == n || r.edges[o].B == n)
				})
			}
			if !loose(k.A) && !loose(k.B) {
				kept = append(kept, u)
			}
		}
		if len(kept) == len(under) {
			break
		}
		under = kept
	}
	if len(under) != len(r.under[e]) {
		r.setUnder(e, under)
	}
}

// connects reports whether what e rests on leads from one of its ends to the other.
func (r *router) connects(e EdgeID) bool {
	d := &r.edges[e]
	reached := []NodeID{d.A}
	for at := 0; at < len(reached); at++ {
		if reached[at] == d.B {
			return len(r.under[e]) > 0
		}
		for _, u := range r.under[e] {
			k := &r.edges[u]
			far := k.A
			switch reached[at] {
			case k.A:
				far = k.B
			case k.B:
			default:
				continue
			}
			if !slices.Contains(reached, far) {
				reached = append(reached, far)
			}
		}
	}
	return false
}

// shortest returns a path of fewest edges of the lower networks between the ends of e;
// nil if there is none. Tunnels lead one way. Of several it is the one that other paths to
// the same end go along.
func (r *router) shortest(e EdgeID) []EdgeID {
	d := &r.edges[e]
	r.turn++
	r.seen[d.B], r.far[d.B] = r.turn, 0
	queue := []NodeID{d.B}
	for at := 0; at < len(queue) && len(queue) < longestSearch && r.seen[d.A] != r.turn; at++ {
		n := queue[at]
		for _, u := range r.nodes[n].edges {
			k := &r.edges[u]
			if !r.lower[k.Network] || k.Kind == TunnelEdge && k.B != n {
				continue
			}
			if far, _ := r.Far(u, n); r.seen[far] != r.turn {
				r.seen[far], r.far[far] = r.turn, r.far[n]+1
				queue = append(queue, far)
			}
		}
	}
	if r.seen[d.A] != r.turn {
		return nil
	}
	path := make([]EdgeID, 0, r.far[d.A])
	for n := d.A; n != d.B; {
		best, rank := EdgeID(None), -1
		for _, u := range r.nodes[n].edges {
			k := &r.edges[u]
			far, _ := r.Far(u, n)
			if !r.lower[k.Network] || k.Kind == TunnelEdge && k.A != n || r.seen[far] != r.turn || r.far[far] != r.far[n]-1 {
				continue
			}
			is := 0
			if r.leaves(n, d.B) == u {
				is = 2
			} else if far == d.B || r.leaves(far, d.B) != None {
				is = 1
			}
			if is > rank {
				best, rank = u, is
			}
		}
		path = append(path, best)
		n, _ = r.Far(best, n)
	}
	return path
}

// leaves is the edge by which a sound path leaves a node for another, None if none does.
func (r *router) leaves(from, to NodeID) EdgeID {
	if u, ok := r.next[[2]NodeID{from, to}]; ok {
		return u
	}
	return None
}
