package xpath

import (
	"cmp"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// tree is a small data tree made from XML for the tests. What is a list or leaf-list,
// and with which keys, is given by the path of local names.
type tree struct {
	name   Name
	up     *tree
	kids   []*tree
	text   string
	kind   Kind
	at     int // document order
	lists  map[string][]string
	path   string
	index  map[string]*tree // entries by name and keys, made when first asked for
	counts *counters
	byName map[Name][]*tree
}

// counters tell how a tree was used.
type counters struct{ entries, yields int }

func parseTree(t testing.TB, doc string, lists map[string][]string) *tree {
	t.Helper()
	root := &tree{kind: Root, lists: lists, counts: &counters{}, byName: map[Name][]*tree{}}
	d := xml.NewDecoder(strings.NewReader(doc))
	n, order := root, 0
	for {
		tok, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("the test's tree: %v", err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			order++
			c := &tree{name: Name{tok.Name.Space, tok.Name.Local}, up: n, kind: Leaf, at: order,
				lists: lists, path: n.path + "/" + tok.Name.Local, counts: root.counts, byName: map[Name][]*tree{}}
			if n != root {
				n.kind = Element
			}
			n.kids = append(n.kids, c)
			n.byName[c.name] = append(n.byName[c.name], c)
			n = c
		case xml.EndElement:
			n = n.up
		case xml.CharData:
			n.text += string(tok)
		}
	}
	return root
}

func (n *tree) Kind() Kind    { return n.kind }
func (n *tree) Name() Name    { return n.name }
func (n *tree) Value() string { return n.text }

func (n *tree) Parent() Node {
	if n.up == nil {
		return nil
	}
	return n.up
}

func (n *tree) Compare(other Node) int { return cmp.Compare(n.at, other.(*tree).at) }

func (n *tree) Children(yield func(Node) bool) {
	for _, c := range n.kids {
		n.counts.yields++
		if !yield(c) {
			return
		}
	}
}

func (n *tree) ChildrenNamed(name Name, yield func(Node) bool) {
	for _, c := range n.byName[name] {
		n.counts.yields++
		if !yield(c) {
			return
		}
	}
}

func (n *tree) One(name Name) (Node, bool) {
	if n.lists[n.path+"/"+name.Local] != nil || n.lists == nil {
		return nil, false
	}
	if all := n.byName[name]; len(all) == 1 {
		return all[0], true
	}
	return nil, len(n.byName[name]) == 0
}

func (n *tree) Keys(list Name) []string {
	if n.lists == nil {
		return nil
	}
	return n.lists[n.path+"/"+list.Local]
}

func (n *tree) Entry(list Name, values []string) Node {
	n.counts.entries++
	if n.index == nil {
		n.index = map[string]*tree{}
		for _, c := range n.kids {
			id := c.name.Space + " " + c.name.Local
			for _, key := range n.Keys(c.name) {
				if key == "." {
					id += "\x00" + c.text
				} else if leaf := c.byName[Name{c.name.Space, key}]; leaf != nil {
					id += "\x00" + leaf[0].text
				}
			}
			n.index[id] = c
		}
	}
	buf := append(make([]byte, 0, 128), list.Space...)
	buf = append(append(buf, ' '), list.Local...)
	for _, v := range values {
		buf = append(append(buf, 0), v...)
	}
	if c := n.index[string(buf)]; c != nil {
		return c
	}
	return nil
}

// all is the elements in document order, the root first.
func (n *tree) all() []*tree {
	out := []*tree{n}
	for _, c := range n.kids {
		out = append(out, c.all()...)
	}
	return out
}

// label names a node by its place in document order: / for the root, e3 for the third
// element, t3 for the text in it.
func label(n Node) string {
	if x, ok := n.(*textNode); ok {
		return "t" + strconv.Itoa(x.leaf.(*tree).at)
	}
	if n.Kind() == Root {
		return "/"
	}
	return "e" + strconv.Itoa(n.(*tree).at)
}

func labels(set []Node) string {
	out := make([]string, len(set))
	for i, n := range set {
		out[i] = label(n)
	}
	return strings.Join(out, " ")
}

// schema answers for a tree: a leafref refers to the leafs named id with its value; an
// identityref's text is base/derived/...; an enumeration's is name=value; of bits, a
// list of words.
type schema struct{ root *tree }

func (s schema) Deref(n Node) []Node {
	var out []Node
	for _, c := range s.root.all() {
		if c.name.Local == "id" && n.Kind() == Leaf && c.text == n.Value() {
			out = append(out, c)
		}
	}
	slices.Reverse(out) // the order is not promised
	return out
}

func (s schema) DerivedFrom(n Node, identity Name, orSelf bool) bool {
	words := strings.Split(n.Value(), "/")
	i := slices.Index(words, identity.Space+"#"+identity.Local)
	return i >= 0 && (orSelf || i < len(words)-1)
}

func (s schema) EnumValue(n Node) (int64, bool) {
	_, v, ok := strings.Cut(n.Value(), "=")
	i, err := strconv.ParseInt(v, 10, 64)
	return i, ok && err == nil
}

func (s schema) BitIsSet(n Node, bit string) bool {
	return n.Kind() == Leaf && slices.Contains(strings.Fields(n.Value()), bit)
}

var errPattern = errors.New("an empty pattern")

func (s schema) Match(pattern, text string) (bool, error) {
	if pattern == "" {
		return false, errPattern
	}
	return strings.HasPrefix(text, pattern), nil
}
