package simulation

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode"
)

// Graph is the map of a network: places and the ways between them.
type Graph struct {
	Names []string
	Edges [][2]int
}

// ReadGraphML reads a map of the Internet Topology Zoo. Parallel ways, ways from a place
// to itself, and what is not connected to the largest part are left out.
func ReadGraphML(r io.Reader) (*Graph, error) {
	var doc struct {
		Keys []struct {
			ID   string `xml:"id,attr"`
			Name string `xml:"attr.name,attr"`
			For  string `xml:"for,attr"`
		} `xml:"key"`
		Nodes []struct {
			ID   string `xml:"id,attr"`
			Data []struct {
				Key  string `xml:"key,attr"`
				Text string `xml:",chardata"`
			} `xml:"data"`
		} `xml:"graph>node"`
		Edges []struct {
			Source string `xml:"source,attr"`
			Target string `xml:"target,attr"`
		} `xml:"graph>edge"`
	}
	if err := xml.NewDecoder(r).Decode(&doc); err != nil {
		return nil, fmt.Errorf("graphml: %w", err)
	}
	label := ""
	for _, k := range doc.Keys {
		if k.Name == "label" && k.For == "node" {
			label = k.ID
		}
	}
	g := &Graph{}
	at, used := map[string]int{}, map[string]int{}
	for k, n := range doc.Nodes {
		name := ""
		for _, d := range n.Data {
			if d.Key == label {
				name = wordOf(d.Text)
			}
		}
		name = cmp.Or(name, "Site")
		if used[name]++; used[name] > 1 {
			name = fmt.Sprint(name, used[name])
		}
		at[n.ID] = k
		g.Names = append(g.Names, name)
	}
	for _, e := range doc.Edges {
		a, aok := at[e.Source]
		b, bok := at[e.Target]
		if pair := [2]int{min(a, b), max(a, b)}; aok && bok && a != b && !slices.Contains(g.Edges, pair) {
			g.Edges = append(g.Edges, pair)
		}
	}
	return g.largest(), nil
}

func wordOf(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) && b.Len() < 16 {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// largest returns the largest connected part.
func (g *Graph) largest() *Graph {
	part := make([]int, len(g.Names))
	var size []int
	for k := range part {
		part[k] = -1
	}
	for k := range part {
		if part[k] >= 0 {
			continue
		}
		p, queue := len(size), []int{k}
		part[k] = p
		for at := 0; at < len(queue); at++ {
			for _, e := range g.Edges {
				for d := range 2 {
					if e[d] == queue[at] && part[e[1-d]] < 0 {
						part[e[1-d]] = p
						queue = append(queue, e[1-d])
					}
				}
			}
		}
		size = append(size, len(queue))
	}
	if len(size) < 2 {
		return g
	}
	best := slices.Index(size, slices.Max(size))
	out, at := &Graph{}, map[int]int{}
	for k, n := range g.Names {
		if part[k] == best {
			at[k] = len(out.Names)
			out.Names = append(out.Names, n)
		}
	}
	for _, e := range g.Edges {
		if part[e[0]] == best {
			out.Edges = append(out.Edges, [2]int{at[e[0]], at[e[1]]})
		}
	}
	return out
}

// drawn returns a map of n places by chance: each is joined to the nearest of those
// before it, and the shortest ways besides close rings.
func drawn(r *rand.Rand, n int) *Graph {
	g := &Graph{}
	x, y := make([]float64, n), make([]float64, n)
	far := func(a, b int) float64 { return math.Hypot(x[a]-x[b], y[a]-y[b]) }
	for k := range n {
		x[k], y[k] = r.Float64(), r.Float64()
		g.Names = append(g.Names, fmt.Sprintf("%s%d", syllables(r), k+1))
		if k > 0 {
			near := 0
			for j := range k {
				if far(k, j) < far(k, near) {
					near = j
				}
			}
			g.Edges = append(g.Edges, [2]int{near, k})
		}
	}
	var more [][2]int
	for a := range n {
		for b := a + 1; b < n; b++ {
			if !slices.Contains(g.Edges, [2]int{a, b}) {
				more = append(more, [2]int{a, b})
			}
		}
	}
	slices.SortFunc(more, func(p, q [2]int) int { return cmp.Compare(far(p[0], p[1]), far(q[0], q[1])) })
	for _, e := range more[:min(len(more), n)] {
		if r.IntN(10) < 6 {
			g.Edges = append(g.Edges, e)
		}
	}
	return g
}

func syllables(r *rand.Rand) string {
	const first, second = "BDFGKLMNRSTV", "aeiou"
	b := []byte{first[r.IntN(len(first))], second[r.IntN(len(second))], first[r.IntN(len(first))] + 32, second[r.IntN(len(second))]}
	return string(b)
}
