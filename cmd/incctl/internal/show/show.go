// Package show writes data trees for people: as an indented text, as tables, as the
// difference of two trees, and as XML and JSON [RFC 7951] with line breaks.
//
// Whatever comes from the network is made harmless for a terminal: text has no control
// characters, and a value with white space stands in quotes.
package show

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/beevik/etree"

	"incidentd/cmd/incctl/internal/datapath"
	"incidentd/yang"
	"incidentd/yang/data"
)

// Style is what a piece of text is, for the colours of a terminal.
type Style uint8

// The styles.
const (
	Plain Style = iota
	Name
	Value
	Note
	Added
	Removed
)

// Paint gives a text the look of a style.
type Paint func(text string, s Style) string

// Bare is a Paint that leaves texts as they are.
func Bare(text string, _ Style) string { return text }

// Notes are remarks on nodes, such as their origin.
type Notes map[*data.Node]string

const indent = "  "

// Text writes a node and what is below it, indented, an entry's keys beside its name; of
// a whole tree what is in it.
func Text(at *data.Loc, notes Notes, paint Paint) string {
	w := writer{paint: paint, notes: notes}
	if at.Parent == nil {
		w.children(at.Node, 0)
	} else {
		w.node(at.Parent.Node.Schema(), at.Node, 0)
	}
	return w.b.String()
}

// writer writes lines, each behind a mark when there is one.
type writer struct {
	b     strings.Builder
	paint Paint
	notes Notes
	mark  string
	// all is the style of a whole line, of a difference.
	all Style
}

func (w *writer) line(depth int, name, value, note string) {
	plain := name
	styled := w.paint(name, Name)
	if value != "" {
		plain += " " + value
		styled += " " + w.paint(value, Value)
	}
	if note != "" {
		plain += "  (" + note + ")"
		styled += "  " + w.paint("("+note+")", Note)
	}
	lead := w.mark + strings.Repeat(indent, depth)
	if w.all != Plain {
		w.b.WriteString(w.paint(lead+plain, w.all))
	} else {
		w.b.WriteString(lead + styled)
	}
	w.b.WriteByte('\n')
}

func (w *writer) children(n *data.Node, depth int) {
	if n == nil {
		return
	}
	keyed := n.Schema().Kind == yang.List
	for c := range n.Children() {
		if keyed && c.Schema().IsKey() {
			continue
		}
		w.node(n.Schema(), c, depth)
	}
}

func (w *writer) node(parent *yang.Node, n *data.Node, depth int) {
	w.line(depth, datapath.NameIn(parent, n.Schema()), content(n), w.notes[n])
	if interior(n) {
		w.children(n, depth+1)
	}
}

func interior(n *data.Node) bool {
	switch n.Schema().Kind {
	case yang.Leaf, yang.LeafList, yang.AnyData, yang.AnyXML:
		return false
	}
	return true
}

// content is what stands beside a node's name: a value, or the keys of an entry.
func content(n *data.Node) string {
	switch s := n.Schema(); s.Kind {
	case yang.Leaf, yang.LeafList:
		if s.Type.Base == yang.Empty {
			return ""
		}
		return Quote(n.Value())
	case yang.AnyData, yang.AnyXML:
		return Quote(strings.TrimSpace(string(n.Raw().Content)))
	case yang.List:
		keys := n.Keys()
		for i, k := range keys {
			keys[i] = Quote(k)
		}
		if len(s.Keys) == 0 {
			return ""
		}
		return strings.Join(keys, " ")
	}
	return ""
}

// Quote puts a value in quotes when it is empty, or has what would not be seen.
func Quote(value string) string {
	odd := func(r rune) bool { return r == '"' || r == '\\' || unicode.IsSpace(r) || !unicode.IsPrint(r) }
	if value != "" && strings.IndexFunc(value, odd) < 0 {
		return value
	}
	return strconv.Quote(value)
}

// Difference writes what has to be removed from one tree, and added to it, to make the
// other; around it, the nodes that lead there. It is empty for equal trees.
func Difference(old, new *data.Node, paint Paint) string {
	w := writer{paint: paint}
	var shown []*data.Loc
	data.Diff(old, new, func(parent *data.Loc, x, y *data.Node) bool {
		way := ancestors(parent)
		same := 0
		for same < len(way) && same < len(shown) && samePlace(way[same].Node, shown[same].Node) {
			same++
		}
		w.mark, w.all = "  ", Plain
		for i := same; i < len(way); i++ {
			w.line(i, datapath.NameIn(way[i].Parent.Node.Schema(), way[i].Node.Schema()), content(way[i].Node), "")
		}
		shown = way
		at := parent.Node.Schema()
		if x != nil {
			w.mark, w.all = "- ", Removed
			w.node(at, x, len(way))
		}
		if y != nil {
			w.mark, w.all = "+ ", Added
			w.node(at, y, len(way))
		}
		return true
	})
	return w.b.String()
}

// Count is the number of places where two trees differ, by what happened there.
func Count(old, new *data.Node) (added, removed, changed int) {
	data.Diff(old, new, func(_ *data.Loc, x, y *data.Node) bool {
		switch {
		case x == nil:
			added++
		case y == nil:
			removed++
		default:
			changed++
		}
		return true
	})
	return added, removed, changed
}

// ancestors is the way to a place from below the top, itself included.
func ancestors(l *data.Loc) []*data.Loc {
	if l == nil || l.Parent == nil {
		return nil
	}
	return append(ancestors(l.Parent), l)
}

func samePlace(a, b *data.Node) bool {
	return a.Schema() == b.Schema() && a.Key() == b.Key()
}

// JSON writes what is below a node in the JSON of RFC 7951, with line breaks unless it
// is to be compact.
func JSON(n *data.Node, compact bool) string {
	text := []byte("{}")
	if n != nil {
		text = data.AppendChildrenJSON(nil, n, nil)
	}
	return layout(text, compact)
}

// OrderedJSON is JSON of a tree that holds what a path leads to: the entries of a list at
// its end have the given order.
func OrderedJSON(tree *data.Node, p datapath.Path, o Order, compact bool) string {
	n := p.Node()
	found := p.Find(tree)
	if n.Kind != yang.List || len(found) < 2 || !p.Up().Instance() || p.Steps[len(p.Steps)-1].Keys != nil {
		return JSON(tree, compact)
	}
	slices.SortStableFunc(found, func(x, y *data.Loc) int { return o.Compare(x.Node, y.Node) })
	entries := []byte{'['}
	for i, l := range found {
		if i > 0 {
			entries = append(entries, ',')
		}
		entries = data.AppendChildrenJSON(entries, l.Node, n.Module)
	}
	return layout(around(found[0].Parent, n, append(entries, ']')), compact)
}

// around puts a member into the object of a place, and that into those above it, each
// with the keys of its entry.
func around(l *data.Loc, member *yang.Node, value []byte) []byte {
	in := l.Node.Schema()
	b := []byte{'{'}
	for _, k := range in.Keys {
		b = append(data.AppendJSON(b, l.Node.Get(k), in.Module), ',')
	}
	name := member.Name
	if member.Module != in.Module {
		name = member.QName()
	}
	b = append(strconv.AppendQuote(b, name), ':')
	b = append(append(b, value...), '}')
	if l.Parent == nil {
		return b
	}
	if in.Kind == yang.List {
		b = append(append([]byte{'['}, b...), ']')
	}
	return around(l.Parent, in, b)
}

func layout(text []byte, compact bool) string {
	if compact {
		return string(text) + "\n"
	}
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", indent); err != nil {
		panic(err) // the tree writes JSON and nothing else
	}
	b.WriteByte('\n')
	return b.String()
}

// XML writes elements one below the other with line breaks.
func XML(elements []*etree.Element) (string, error) {
	var b strings.Builder
	for _, e := range elements {
		doc := etree.NewDocumentWithRoot(e)
		settings := etree.NewIndentSettings()
		settings.Spaces, settings.PreserveLeafWhitespace = len(indent), true
		doc.IndentWithSettings(settings)
		text, err := doc.WriteToString()
		if err != nil {
			return "", err
		}
		b.WriteString(strings.TrimRight(text, "\n") + "\n")
	}
	return b.String(), nil
}

// Element writes an element of which no schema is known, each line behind a mark.
func Element(e *etree.Element, mark string, all Style, paint Paint) string {
	w := writer{paint: paint, mark: mark, all: all}
	w.element(e, 1)
	return w.b.String()
}

func (w *writer) element(e *etree.Element, depth int) {
	inner := e.ChildElements()
	value := ""
	if text := e.Text(); len(inner) == 0 && text != "" {
		value = Quote(text)
	}
	w.line(depth, e.Tag, value, "")
	for _, c := range inner {
		w.element(c, depth+1)
	}
}
