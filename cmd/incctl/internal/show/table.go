package show

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"incidentd/cmd/incctl/internal/datapath"
	"incidentd/yang"
	"incidentd/yang/data"
)

// Table is the entries of one list, or the values of one leaf-list.
type Table struct {
	// Title is the path of the list.
	Title   string
	Columns []string
	Rows    [][]string
}

// Order is the place of nodes among others. Those that are not in it come first.
type Order map[*data.Node]int

// Compare compares the places of two nodes.
func (o Order) Compare(x, y *data.Node) int { return cmp.Compare(o[x], o[y]) }

// TablesAt makes tables of what a path leads to in a tree: of the list itself when it is
// one, else of each topmost list below. The columns are the leafs that any of the entries
// has, those in containers included, in the schema's order; of lists below, the number of
// entries is told. Rows have the given order, or without one that of the tree.
func TablesAt(tree *data.Node, p datapath.Path, o Order) (out []Table) {
	if len(p.Steps) == 0 {
		return tables(p.Schema, &data.Loc{Node: tree}, o)
	}
	n := p.Node()
	if n.Kind != yang.List || p.Steps[len(p.Steps)-1].Keys != nil {
		for _, l := range p.Find(tree) {
			out = append(out, tables(p.Schema, l, o)...)
		}
		return out
	}
	for _, l := range p.Up().Find(tree) {
		if t := list(datapath.Of(p.Schema, l).Down(n).String(), n, l.Node, o); len(t.Rows) > 0 {
			out = append(out, t)
		}
	}
	return out
}

func tables(s *yang.Schema, at *data.Loc, o Order) (out []Table) {
	done := map[*yang.Node]bool{}
	for c := range at.Node.Children() {
		switch n := c.Schema(); {
		case n.Kind == yang.List:
			if !done[n] {
				done[n] = true
				out = append(out, list(datapath.Of(s, at).Down(n).String(), n, at.Node, o))
			}
		case n.Kind == yang.Container:
			out = append(out, tables(s, at.Down(c), o)...)
		}
	}
	return out
}

// list is the table of one list's entries.
func list(title string, n *yang.Node, parent *data.Node, o Order) Table {
	t := Table{Title: title}
	var rows []map[string]string
	used := map[string]bool{}
	for _, e := range slices.SortedStableFunc(parent.EntriesOf(n), o.Compare) {
		row := map[string]string{}
		fields(e, "", row)
		for name := range row {
			used[name] = true
		}
		rows = append(rows, row)
	}
	t.columns(n, "", used)
	for _, row := range rows {
		cells := make([]string, len(t.Columns))
		for i, name := range t.Columns {
			cells[i] = row[name]
		}
		t.Rows = append(t.Rows, cells)
	}
	return t
}

// fields puts what an entry has into its row.
func fields(n *data.Node, path string, row map[string]string) {
	count := map[*yang.Node]int{}
	for c := range n.Children() {
		s := c.Schema()
		name := path + datapath.NameIn(n.Schema(), s)
		switch s.Kind {
		case yang.Container:
			if s.Presence {
				row[name] = "yes"
			}
			fields(c, name+"/", row)
		case yang.List:
			count[s]++
			row[name] = fmt.Sprint(count[s])
		case yang.LeafList:
			row[name] = strings.TrimPrefix(row[name]+", "+content(c), ", ")
		default:
			if row[name] = content(c); s.Kind == yang.Leaf && s.Type.Base == yang.Empty {
				row[name] = "yes"
			}
		}
	}
}

// columns are the names that are used, in the schema's order, keys first.
func (t *Table) columns(n *yang.Node, path string, used map[string]bool) {
	add := func(c *yang.Node) {
		name := path + datapath.NameIn(n, c)
		if used[name] {
			t.Columns = append(t.Columns, name)
		}
		if c.Kind == yang.Container {
			t.columns(c, name+"/", used)
		}
	}
	for _, k := range n.Keys {
		add(k)
	}
	for _, c := range n.Data {
		if !c.IsKey() {
			add(c)
		}
	}
}
