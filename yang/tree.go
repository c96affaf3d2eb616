package yang

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// WriteTree writes the tree diagram of a module [RFC 8340], in the form that
// yanglint 2 gives it: the module's own data, operations and structures as they
// are after deviations and with the features that are on; its augments as they
// are written, groupings unexpanded.
func (m *Module) WriteTree(w io.Writer) error {
	var p treePrinter
	p.line("module: %s", m.Name)
	own := func(list []*Node, kinds ...Kind) (out []*treeNode) {
		for _, n := range list {
			if n.Module == m && (len(kinds) == 0 || slices.Contains(kinds, n.Kind)) {
				out = append(out, compiledTree(m, n, "rw"))
			}
		}
		return out
	}
	if m.Implemented {
		p.nodes(own(m.schema.Root.Children), "  ", 0)
	}
	blank := true
	for s := range m.all("augment") {
		p.section(&blank, "augment %s:", s.arg)
		p.nodes(parsedTrees(s, "rw"), "    ", 0)
	}
	if m.Implemented {
		for _, part := range []struct {
			title string
			nodes []*treeNode
		}{{"rpcs", own(m.inOrder(m.schema.rpcs))}, {"notifications", own(m.inOrder(m.schema.notifs))}} {
			if blank = true; len(part.nodes) > 0 {
				p.section(&blank, "%s:", part.title)
				p.nodes(part.nodes, "    ", 0)
			}
		}
		blank = true
		structures := m.inOrder(m.schema.structures)
		for _, keyword := range []string{"yang-data", "structure"} {
			for _, n := range structures {
				if _, ext := n.def.stmt.extension(); ext == keyword {
					p.section(&blank, "%s %s:", keyword, n.Name)
					p.structure(n, keyword)
				}
			}
		}
	}
	_, err := io.WriteString(w, p.out.String())
	return err
}

// inOrder are the module's nodes of a registry in the order of its statements.
func (m *Module) inOrder(registry map[string]*Node) []*Node {
	place := map[*statement]int{}
	for s := range m.tops {
		place[s] = len(place) + 1
	}
	var out []*Node
	for n := range sortedNodes(registry) {
		if n.Module == m {
			out = append(out, n)
		}
	}
	slices.SortStableFunc(out, func(a, b *Node) int { return place[a.def.stmt] - place[b.def.stmt] })
	return out
}

type treePrinter struct{ out strings.Builder }

func (p *treePrinter) line(format string, args ...any) { fmt.Fprintf(&p.out, format+"\n", args...) }

// section writes a heading, with an empty line before the first of its kind.
func (p *treePrinter) section(blank *bool, format string, args ...any) {
	if *blank {
		p.line("")
	}
	*blank = false
	p.line("  "+format, args...)
}

func (p *treePrinter) structure(n *Node, keyword string) {
	flags := "--"
	if keyword == "structure" {
		flags = ""
	}
	var nodes []*treeNode
	for _, ch := range n.Children {
		nodes = append(nodes, compiledTree(n.Module, ch, flags))
	}
	p.nodes(nodes, "    ", 0)
}

// treeNode is what one line tells, and what stands below it.
type treeNode struct {
	status   string
	flags    string
	name     string // with the parentheses of a choice
	option   string
	keys     string
	typ      string
	features []*statement
	children []*treeNode
	// least is the least width of the names below, for cases that were not
	// written out: the names of a choice's nodes are aligned as siblings.
	least int
	// colon is 1 for a name with a prefix: yanglint leaves the colon out when it
	// aligns.
	colon int
	short bool // a case that was not written out
}

// nodes writes siblings: their types start in one column, past least characters.
func (p *treePrinter) nodes(list []*treeNode, indent string, least int) {
	width := least
	for _, n := range list {
		if n.keys == "" && !strings.HasPrefix(n.name, ":") {
			width = max(width, len(n.name)-n.colon+1)
		}
	}
	for i, n := range list {
		text := n.name + n.option
		if n.typ != "" {
			text += strings.Repeat(" ", max(width-len(text)+n.colon, 0)+3) + n.typ
		}
		if n.keys != "" {
			text += " [" + n.keys + "]"
		}
		if len(n.features) > 0 {
			names := make([]string, len(n.features))
			for i, f := range n.features {
				names[i] = f.arg
			}
			text += " {" + strings.Join(names, ",") + "}?"
		}
		between := " "
		if strings.HasPrefix(n.name, ":") {
			between = ""
		}
		p.line("%s%s--%s%s%s", indent, n.status, n.flags, between, text)
		below := indent + "|  "
		if i == len(list)-1 {
			below = indent + "   "
		}
		p.nodes(n.children, below, n.least)
	}
}

func statusMark(status string) string {
	switch status {
	case "deprecated":
		return "x"
	case "obsolete":
		return "o"
	}
	return "+"
}

// compiledTree is the diagram of a schema node in that of the module m; what other
// modules have added bears their prefix. mode is how config data is
// flagged where the node stands: "rw" for data, "-w" in an input, "ro" in an
// output, "--" in a notification or yang-data, "" in a structure.
func compiledTree(m *Module, n *Node, mode string) *treeNode {
	t := &treeNode{status: statusMark(n.inheritedStatus()), name: n.Name, flags: mode}
	if n.Module != m {
		t.name, t.colon = n.Module.Prefix+":"+n.Name, 1
	}
	for f := range n.def.stmt.all("if-feature") {
		t.features = append(t.features, f)
	}
	if mode == "rw" && !n.Config {
		t.flags = "ro"
	}
	below := mode
	children := slices.Clone(n.Children)
	switch n.Kind {
	case Container:
		t.option = mark(n.Presence, "!")
	case List:
		t.option = "*"
		t.keys = n.def.stmt.value("key")
		slices.SortStableFunc(children, func(a, b *Node) int { return keyRank(n, a) - keyRank(n, b) })
	case Leaf, AnyData, AnyXML:
		t.option = mark(!n.Mandatory, "?")
	case LeafList:
		t.option = "*"
	case Choice:
		t.name, t.option = "("+t.name+")", mark(!n.Mandatory, "?")
	case Case:
		t.name, t.flags = ":("+t.name+")", ""
		if n.def.stmt.keyword != "case" {
			t.features = nil
			t.status = statusMark(worse(n.inheritedStatus(), n.def.stmt.value("status")))
		}
	case RPC, Action:
		t.flags = "-x"
	case Input:
		t.flags, below = "-w", "-w"
	case Output:
		t.flags, below = "ro", "ro"
	case Notification:
		t.flags, below = "-n", "--"
	}
	switch {
	case n.HasValue():
		t.typ = typeName(n.def.typ)
	case n.Kind == AnyData || n.Kind == AnyXML:
		t.typ = n.Kind.String()
	}
	if hasMountPoint(n.def.stmt) && (n.Kind == Container || n.Kind == List) {
		t.flags = "mp"
	}
	for _, ch := range children {
		if (ch.Kind == Input || ch.Kind == Output) && len(ch.Children) == 0 {
			continue
		}
		t.children = append(t.children, compiledTree(m, ch, below))
	}
	for _, kind := range []Kind{Action, Notification} {
		for _, op := range n.Operations {
			if op.Kind == kind {
				t.children = append(t.children, compiledTree(m, op, below))
			}
		}
	}
	return t
}

func mark(is bool, text string) string {
	if is {
		return text
	}
	return ""
}

// keyRank puts the keys of a list before its other children.
func keyRank(list, n *Node) int {
	if i := slices.Index(list.Keys, n); i >= 0 {
		return i
	}
	return len(list.Keys)
}

func (n *Node) inheritedStatus() string {
	status := ""
	for p := n; p != nil; p = p.Parent {
		status = worse(status, p.Status)
	}
	return status
}

// worse is the status that is further gone.
func worse(a, b string) string {
	if statusRank[b] > statusRank[a] {
		return b
	}
	return a
}

// typeName is the type as the module writes it; of a leafref its path.
func typeName(s *statement) string {
	if path := s.sub("path"); path != nil {
		return "-> " + path.arg
	}
	return s.arg
}

func hasMountPoint(s *statement) bool {
	return slices.ContainsFunc(s.subs, func(sub *statement) bool { return sub.is("ietf-yang-schema-mount", "mount-point") })
}

// parsedTrees is the diagram of the statements below an augment or one of its
// nodes, as they are written.
func parsedTrees(s *statement, mode string) []*treeNode {
	var out []*treeNode
	for _, sub := range s.subs {
		if sub.keyword == "uses" || dataKinds[sub.keyword] != Root && sub.keyword != "action" && sub.keyword != "notification" {
			out = append(out, parsedTree(sub, s, mode))
		}
	}
	for _, t := range out {
		for _, o := range out {
			if strings.HasPrefix(t.name, ":") && strings.HasPrefix(o.name, ":") && o.short {
				t.least = max(t.least, len(o.name)-len(":()")+1)
			}
		}
	}
	for _, keyword := range []string{"action", "notification"} {
		for sub := range s.all(keyword) {
			out = append(out, parsedTree(sub, s, mode))
		}
	}
	return out
}

func parsedTree(s, parent *statement, mode string) *treeNode {
	kind := dataKinds[s.keyword]
	t := &treeNode{status: statusMark(s.value("status")), name: s.arg, flags: mode}
	for f := range s.all("if-feature") {
		t.features = append(t.features, f)
	}
	switch s.value("config") {
	case "false":
		t.flags = "ro"
	case "true":
		t.flags = "rw"
	}
	if mode == "-w" || mode == "--" {
		t.flags = mode
	}
	below := t.flags
	mandatory := s.value("mandatory") == "true"
	switch kind {
	case Container:
		t.option = mark(s.sub("presence") != nil, "!")
	case List:
		t.option, t.keys = "*", s.value("key")
	case Leaf, AnyData, AnyXML:
		isKey := parent.keyword == "list" && slices.Contains(strings.Fields(parent.value("key")), s.arg)
		t.option = mark(!mandatory && !isKey, "?")
	case LeafList:
		t.option = "*"
	case Choice:
		t.name, t.option = "("+s.arg+")", mark(!mandatory, "?")
	case Case:
		t.name, t.flags = ":("+s.arg+")", ""
	case RPC, Action:
		t.flags = "-x"
	case Input:
		t.name, t.flags, below = "input", "-w", "-w"
	case Output:
		t.name, t.flags, below = "output", "ro", "ro"
	case Notification:
		t.flags, below = "-n", "--"
	}
	switch {
	case s.keyword == "uses":
		t.flags = "-u"
	case kind == Leaf || kind == LeafList:
		t.typ = typeName(s.sub("type"))
	case kind == AnyData || kind == AnyXML:
		t.typ = s.keyword
	}
	if hasMountPoint(s) && (kind == Container || kind == List) {
		t.flags = "mp"
	}
	t.children = parsedTrees(s, below)
	if parent.keyword == "choice" && kind != Case && s.keyword != "uses" {
		short := &treeNode{status: t.status, name: ":(" + s.arg + ")", option: mark(kind == Leaf || kind == LeafList, t.option), children: []*treeNode{t}, short: true}
		return short
	}
	return t
}
