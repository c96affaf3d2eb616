package datapath

import (
	"cmp"
	"slices"
	"strings"

	"incidentd/yang"
)

// nearest are the names below a node that one may have meant, at most three: children
// that are spelt alike or hold the word, else deeper ones of just that name.
func nearest(name string, at *yang.Node) (out []string) {
	type near struct {
		name     string
		distance int
	}
	var list []near
	local := name[strings.IndexByte(name, ':')+1:]
	for _, c := range at.Data {
		d := distance(strings.ToLower(local), c.Name)
		switch {
		case d <= max(1, len(local)/3):
		case len(local) >= 3 && strings.Contains(c.Name, strings.ToLower(local)):
		default:
			continue
		}
		list = append(list, near{NameIn(at, c), d})
	}
	if len(list) == 0 {
		deeper(at, local, "", 4, func(path string) { list = append(list, near{path, strings.Count(path, "/")}) })
	}
	slices.SortStableFunc(list, func(a, b near) int { return cmp.Compare(a.distance, b.distance) })
	for _, n := range list[:min(3, len(list))] {
		out = append(out, n.name)
	}
	return out
}

// Closest is the one of some names that is spelt most like a word, "" when none is.
func Closest(word string, names []string) (closest string) {
	best := max(1, len(word)/3) + 1
	for _, name := range names {
		if d := distance(strings.ToLower(word), name); d < best {
			best, closest = d, name
		}
	}
	return closest
}

// deeper finds nodes of a name further down.
func deeper(at *yang.Node, name, path string, levels int, found func(path string)) {
	if levels == 0 {
		return
	}
	for _, c := range at.Data {
		here := path + NameIn(at, c)
		if c.Name == name && path != "" {
			found(here)
		}
		deeper(c, name, here+"/", levels-1, found)
	}
}

// distance is the number of characters to insert, remove, replace or swap with their
// neighbour to make one word of another.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	rows := [3][]int{make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)}
	before, last, row := rows[0], rows[1], rows[2]
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}
