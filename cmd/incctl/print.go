package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/beevik/etree"

	"incidentd/cmd/incctl/internal/datapath"
	"incidentd/cmd/incctl/internal/show"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

const (
	nsBase       = rpcerr.BaseNamespace
	nsOrigin     = "urn:ietf:params:xml:ns:yang:ietf-origin"
	nsDefault    = "urn:ietf:params:xml:ns:netconf:default:1.0"
	nsPagination = "urn:ietf:params:xml:ns:yang:ietf-list-pagination"
)

// The values of --format.
const (
	formatAuto  = ""
	formatTree  = "tree"
	formatTable = "table"
	formatXML   = "xml"
	formatJSON  = "json"
)

// paint is the look of data.
func (s screen) paintData(text string, as show.Style) string {
	return s.paint(text, map[show.Style]style{
		show.Plain: plain, show.Name: plain, show.Value: bold, show.Note: dim, show.Added: green, show.Removed: red,
	}[as])
}

// format is the one that is meant: JSON with --json, text for a person at a terminal, XML
// for a program or a file, from which incctl edit reads it again.
func (a *app) format(asked string) string {
	switch {
	case asked != formatAuto:
		return asked
	case a.json:
		return formatJSON
	case a.interactive || a.screen().width > 0:
		return formatTree
	}
	return formatXML
}

// answer is data that the server has sent.
type answer struct {
	elements *etree.Element // <data>, whose children they are
	schema   *yang.Schema
	tree     *data.Node // nil when only XML was asked for
	notes    show.Notes
	// origins are those of all nodes, inherited ones included.
	origins map[*data.Node]string
	// order is that in which the server has sent the nodes: a page may be sorted by
	// something else than its keys, by which the tree sorts.
	order show.Order
}

// parse binds the content of <data> to the schema. Attributes become notes.
func parse(schema *yang.Schema, elements *etree.Element) (*answer, error) {
	plain := elements.Copy()
	inherit(elements, plain)
	bare(plain)
	p := &data.Parser{Schema: schema, State: true}
	tree, err := p.ParseDocument(marshal(plain))
	if err != nil {
		return nil, fmt.Errorf("the answer does not fit the server's own schema; --format xml shows it as it came: %w", err)
	}
	out := &answer{elements: elements, schema: schema, tree: tree, notes: show.Notes{}, origins: map[*data.Node]string{}, order: show.Order{}}
	out.annotate(elements, tree, "")
	return out, nil
}

// inherit declares at a copy the prefixes that the elements above the original have.
func inherit(original, copied *etree.Element) {
	for up := original.Parent(); up != nil; up = up.Parent() {
		for _, at := range up.Attr {
			if key := at.FullKey(); (at.Space == "xmlns" || key == "xmlns") && copied.SelectAttr(key) == nil {
				copied.CreateAttr(key, at.Value)
			}
		}
	}
}

// bare removes the attributes of elements, which are metadata [RFC 7952] to be shown
// beside the data.
func bare(e *etree.Element) {
	kept := e.Attr[:0]
	for _, at := range e.Attr {
		if at.Space == "xmlns" || at.FullKey() == "xmlns" {
			kept = append(kept, at)
		}
	}
	e.Attr = kept
	for _, c := range e.ChildElements() {
		bare(c)
	}
}

// annotate finds the nodes of elements with metadata and makes notes of it.
func (a *answer) annotate(e *etree.Element, n *data.Node, origin string) {
	for _, c := range e.ChildElements() {
		m := a.schema.ByNamespace(c.NamespaceURI())
		if m == nil {
			continue
		}
		s := n.Schema().Child(m, c.Tag)
		if s == nil {
			continue
		}
		var child *data.Node
		switch {
		case s.Kind == yang.LeafList:
			child = n.Entry(s, strings.TrimSpace(c.Text()))
		case s.Kind == yang.List:
			keys := make([]string, len(s.Keys))
			for i, k := range s.Keys {
				keys[i] = leaf(c, k.Module.Namespace, k.Name)
			}
			child = n.Entry(s, data.Key(keys...))
		default:
			child = n.Get(s)
		}
		if child == nil {
			continue
		}
		a.order[child] = len(a.order)
		from, byDefault := metadata(c)
		switch {
		case byDefault:
			a.notes[child] = "default"
		case from != "":
			a.notes[child] = from
		}
		if from = cmp.Or(from, origin); from != "" {
			a.origins[child] = from
		}
		if !s.HasValue() && s.Kind != yang.AnyData && s.Kind != yang.AnyXML {
			a.annotate(c, child, from)
		}
	}
}

// metadata reads an element's origin [RFC 8342] without its module, and whether it holds
// the default value [RFC 6243].
func metadata(e *etree.Element) (origin string, byDefault bool) {
	for _, at := range e.Attr {
		switch {
		case at.NamespaceURI() == nsOrigin && at.Key == "origin":
			origin = local(at.Value)
		case at.NamespaceURI() == nsDefault && at.Key == "default":
			byDefault = at.Value == "true" || at.Value == "1"
		}
	}
	return origin, byDefault
}

// print writes an answer in a format: what the paths lead to, or all of it.
func (a *app) print(ans *answer, format string, paths []datapath.Path) error {
	out := a.screen()
	switch format {
	case formatXML:
		root := ans.elements.Copy()
		inherit(ans.elements, root)
		text, err := show.XML([]*etree.Element{root})
		if err != nil {
			return err
		}
		_, err = fmt.Fprint(a.stdout, text)
		return err
	case formatJSON:
		text := show.JSON(ans.tree, a.json)
		if len(paths) == 1 {
			text = show.OrderedJSON(ans.tree, paths[0], ans.order, a.json)
		}
		_, err := fmt.Fprint(a.stdout, text)
		return err
	}
	if len(paths) == 0 {
		paths = []datapath.Path{datapath.Top(ans.schema)}
	}
	shown := false
	for _, p := range paths {
		found := []*data.Loc{{Node: ans.tree}}
		if len(p.Steps) > 0 {
			found = p.Find(ans.tree)
			slices.SortStableFunc(found, func(x, y *data.Loc) int { return ans.order.Compare(x.Node, y.Node) })
		}
		if format == formatTable {
			for _, t := range show.TablesAt(ans.tree, p, ans.order) {
				if shown {
					fmt.Fprintln(a.stdout)
				}
				shown = true
				if err := out.data(t); err != nil {
					return err
				}
			}
			continue
		}
		for _, l := range found {
			if from := ans.origins[l.Node]; from != "" && ans.notes[l.Node] == "" {
				ans.notes[l.Node] = from // of the first that is shown, for those below it
			}
			text := show.Text(l, ans.notes, out.paintData)
			shown = shown || text != ""
			fmt.Fprint(a.stdout, text)
		}
	}
	if !shown {
		fmt.Fprintln(a.stdout, "There is nothing.")
	}
	return nil
}

// data writes a table of data under its path.
func (s screen) data(t show.Table) error {
	fmt.Fprintln(s.w, s.paint(clean(t.Title), bold))
	columns := make([]column, len(t.Columns))
	for i, name := range t.Columns {
		columns[i] = column{title: clean(name), give: i > 0, least: 8}
	}
	rows := make([][]cell, len(t.Rows))
	for i, r := range t.Rows {
		for _, text := range r {
			rows[i] = append(rows[i], cell{text, plain})
		}
	}
	return s.table("  ", columns, rows)
}
