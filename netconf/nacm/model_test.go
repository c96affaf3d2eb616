package nacm_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"incidentd/netconf/netconftest"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// model decides by the words of RFC 8341 section 3.4.5, rule by rule and node by node,
// from the configuration itself.
type model struct {
	schema *yang.Schema
	config *data.Node // the container nacm
	user   string
}

// permits decides about one node. place has the node and those that it is in, the root
// first.
func (m *model) permits(place []*data.Node, op string) bool {
	node := place[len(place)-1].Schema()
	var groups []string
	for g := range m.config.Child("groups").Entries("group") {
		if slices.Contains(g.Values("user-name"), m.user) {
			groups = append(groups, g.Leaf("name"))
		}
	}
	if len(groups) > 0 {
		for l := range m.config.Entries("rule-list") {
			if !slices.ContainsFunc(l.Values("group"), func(g string) bool { return g == "*" || slices.Contains(groups, g) }) {
				continue
			}
			for r := range l.Entries("rule") {
				if module := r.Leaf("module-name"); module != "" && module != "*" && module != node.Module.Name {
					continue
				}
				if ops := r.Leaf("access-operations"); ops != "" && ops != "*" && !slices.Contains(strings.Fields(ops), op) {
					continue
				}
				if r.Has("rpc-name") || r.Has("notification-name") || r.Has("path") && !m.leads(r.Leaf("path"), place) {
					continue
				}
				return r.Leaf("action") == "permit"
			}
		}
	}
	for _, n := range place[1:] {
		if n.Schema().Deny == "all" || n.Schema().Deny == "write" && op != "read" {
			return false
		}
	}
	if op == "read" {
		return m.config.Leaf("read-default") != "deny"
	}
	return m.config.Leaf("write-default") == "permit"
}

// leads reports whether a path is that of the node or of one that it is in.
func (m *model) leads(path string, place []*data.Node) bool {
	pattern, err := m.schema.PathPattern(path)
	if err != nil {
		panic(err)
	}
	if len(pattern) > len(place)-1 {
		return false
	}
	for i, step := range pattern {
		n := place[i+1]
		if n.Schema() != step.Node {
			return false
		}
		for _, t := range step.Tests {
			want := t.Value
			if t.User {
				want = m.user
			}
			if n.Leaf(t.Key.Name) != want {
				return false
			}
		}
	}
	return true
}

func (m *model) shows(place []*data.Node) bool {
	n := place[len(place)-1]
	if !m.permits(place, "read") {
		return false
	}
	for _, k := range n.Schema().Keys {
		if !m.permits(append(slices.Clone(place), n.Get(k)), "read") {
			return false
		}
	}
	return true
}

// read is what is left of a tree.
func (m *model) read(place []*data.Node) *data.Node {
	n := place[len(place)-1]
	s := n.Schema()
	if s.HasValue() {
		return n
	}
	b := data.New(s)
	if s.Kind == yang.List {
		b = data.NewEntry(s, n.Keys()...)
	}
	for c := range n.Children() {
		below := append(slices.Clone(place), c)
		if !m.shows(below) {
			continue
		}
		r := m.read(below)
		if r.Empty() && c.Schema().Kind == yang.Container && !c.Schema().Presence {
			continue
		}
		b = b.With(r)
	}
	return b
}

// paths are the places of all nodes of a tree.
func paths(root *data.Node) map[string][]*data.Node {
	all := map[string][]*data.Node{}
	var walk func(l *data.Loc, place []*data.Node)
	walk = func(l *data.Loc, place []*data.Node) {
		all[l.String()] = place
		for c := range l.Node.Children() {
			walk(l.Down(c), append(slices.Clone(place), c))
		}
	}
	walk(&data.Loc{Node: root}, []*data.Node{root})
	return all
}

// write is the places that a change may not touch, each the highest.
func (m *model) write(old, new *data.Node) []string {
	before, after := paths(old), paths(new)
	refused := map[string]bool{}
	refuse := func(in map[string][]*data.Node, path, op string) {
		place := in[path]
		s := place[len(place)-1].Schema()
		if s.Kind == yang.Container && !s.Presence || m.permits(place, op) {
			return
		}
		refused[path] = true
		if op != "delete" {
			return
		}
		// Not deeper than can be read.
		delete(refused, path)
		for i := 1; ; i++ {
			if i == len(place) || !m.shows(place[:i+1]) {
				refused[at(place[:i])] = true
				return
			}
		}
	}
	top := func(in, other map[string][]*data.Node, path, op string) {
		place := in[path]
		for i := 1; i < len(place)-1; i++ {
			above := at(place[:i+1])
			s := place[i].Schema()
			if other[above] == nil && !(s.Kind == yang.Container && !s.Presence) && !m.permits(place[:i+1], op) {
				return // refused with what it is in
			}
		}
		refuse(in, path, op)
	}
	for path, place := range after {
		if was := before[path]; was == nil {
			top(after, before, path, "create")
		} else if place[len(place)-1].Value() != was[len(was)-1].Value() {
			refuse(after, path, "update")
		}
	}
	for path, place := range before {
		if after[path] == nil && !implied(place, after) {
			top(before, after, path, "delete")
		}
	}
	var out []string
	for p := range refused {
		out = append(out, p)
	}
	slices.Sort(out)
	return out
}

func at(place []*data.Node) string {
	var l *data.Loc
	for _, n := range place {
		l = &data.Loc{Parent: l, Node: n}
	}
	return l.String()
}

// implied reports whether another case has come.
func implied(place []*data.Node, after map[string][]*data.Node) bool {
	for i := 1; i < len(place); i++ {
		cas, choice := place[i].Schema().CaseOf()
		parent := after[at(place[:i])]
		if choice == nil || parent == nil || after[at(place[:i+1])] != nil {
			continue
		}
		for _, other := range choice.Children {
			if other != cas && parent[len(parent)-1].HasAny(other) {
				return true
			}
		}
	}
	return false
}

// random makes trees and rules.
type random struct{ *rand.Rand }

func (r random) one(of ...string) string { return of[r.IntN(len(of))] }

func (r random) some(text string) string {
	if r.IntN(2) == 0 {
		return ""
	}
	return text
}

var names = []string{"ann", "bob", "c", "d"}

func (r random) tree() string {
	var b strings.Builder
	fmt.Fprintf(&b, `<data><acme-netconf xmlns="http://example.com/ns/netconf">`)
	b.WriteString(r.some(fmt.Sprintf("<config-parameters>%s<color>%s</color></config-parameters>", r.some("<size>1</size>"), r.one("red", "blue"))))
	b.WriteString(r.some(fmt.Sprintf("<shown>%s%s</shown>", r.some("<secret>"+r.one("s", "t")+"</secret>"), r.some("<fixed>f</fixed>"))))
	b.WriteString(r.one("", "<round/>", "<square><side>4</side></square>"))
	for _, n := range names {
		b.WriteString(r.some(fmt.Sprintf("<step><name>%s</name>%s</step>", n, r.some("<note>"+r.one("x", "y")+"</note>"))))
	}
	b.WriteString(`</acme-netconf><interfaces xmlns="http://example.com/ns/netconf">`)
	for _, n := range names {
		b.WriteString(r.some(fmt.Sprintf("<interface><name>%s</name>%s%s</interface>", n, r.some("<mtu>"+r.one("1", "2")+"</mtu>"), r.some("<owner>o</owner>"))))
	}
	b.WriteString("</interfaces></data>")
	return b.String()
}

func (r random) path() string {
	test := func() string { return r.one("", "", "[acme:name='ann']", "[acme:name='c']", "[acme:name=$USER]") }
	return r.one("/", "/acme:acme-netconf", "/acme:acme-netconf/acme:config-parameters"+r.one("", "/acme:size"), "/acme:acme-netconf/acme:shown"+r.one("", "/acme:secret", "/acme:fixed"),
		"/acme:acme-netconf/acme:square"+r.one("", "/acme:side"), "/acme:acme-netconf/acme:round", "/acme:acme-netconf/acme:step"+test()+r.one("", "/acme:note"),
		"/acme:interfaces", "/acme:interfaces/acme:interface"+test()+r.one("", "/acme:mtu", "/acme:name", "/acme:owner"))
}

func (r random) nacm() string {
	var b strings.Builder
	fmt.Fprintf(&b, `<nacm xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-acm" xmlns:acme="http://example.com/ns/netconf"><read-default>%s</read-default><write-default>%s</write-default><groups>`,
		r.one("permit", "deny"), r.one("permit", "deny"))
	for _, g := range []string{"g", "h"} {
		fmt.Fprintf(&b, "<group><name>%s</name>%s</group>", g, r.some("<user-name>ann</user-name>"))
	}
	b.WriteString("</groups>")
	for i := range 1 + r.IntN(3) {
		fmt.Fprintf(&b, "<rule-list><name>%d</name><group>%s</group>", i, r.one("g", "h", "*"))
		for j := range r.IntN(4) {
			fmt.Fprintf(&b, "<rule><name>%d</name>%s%s%s<action>%s</action></rule>", j, r.one("", "", "<module-name>acme</module-name>", "<module-name>*</module-name>", "<module-name>ietf-system</module-name>"),
				r.one("", "<rpc-name>*</rpc-name>", "<path>"+r.path()+"</path>", "<path>"+r.path()+"</path>", "<path>"+r.path()+"</path>"),
				r.one("", "<access-operations>*</access-operations>", "<access-operations>read</access-operations>", "<access-operations>create delete</access-operations>", "<access-operations>read update</access-operations>"),
				r.one("permit", "deny"))
		}
		b.WriteString("</rule-list>")
	}
	b.WriteString("</nacm>")
	return b.String()
}

// TestModel holds Read, MayRead and Write of random rules and trees to the model.
func TestModel(t *testing.T) {
	b := netconftest.New(t, netconftest.Config{Schema: schema(t)})
	parse := func(text string) *data.Node {
		p := data.Parser{Schema: b.Schema}
		n, err := p.ParseDocument([]byte(text))
		if err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		return n
	}
	rounds := 1000
	if testing.Short() {
		rounds = 300
	}
	permitted, hidden := 0, 0
	for seed := range rounds {
		r := random{rand.New(rand.NewPCG(uint64(seed), 1))}
		rules := r.nacm()
		old, new := parse(r.tree()), parse(r.tree())
		if err := b.Configure(rules); err != nil {
			t.Fatal(err)
		}
		m := &model{b.Schema, parse(rules).Child("nacm"), "ann"}
		access := b.NACM.Access("ann", nil)
		tell := func(what string, want, got any) {
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("seed %d: %s (-want +got):\n%s\nrules %s\nold %s\nnew %s", seed, what, diff, rules, xml(old), xml(new))
			}
		}
		left := m.read([]*data.Node{old})
		tell("Read", xml(left), xml(access.Read(old)))
		if xml(left) != xml(old) {
			hidden++
		}
		for path, place := range paths(old) {
			var l *data.Loc
			want := true
			for i, n := range place {
				l = &data.Loc{Parent: l, Node: n}
				want = want && (i == 0 || m.shows(place[:i+1]))
			}
			if got := access.MayRead(l); got != want {
				t.Fatalf("seed %d: MayRead(%s) = %v, want %v; rules %s", seed, path, got, want, rules)
			}
		}
		// The user's order is not changed: the model tells no moves.
		new = inOrder(old, new)
		want := m.write(old, new)
		tell("Write", want, refusals(access.Write(old, new)))
		if len(want) == 0 {
			permitted++
		}
	}
	if permitted < rounds/20 || permitted > rounds*19/20 || hidden < rounds/20 || hidden > rounds*19/20 {
		t.Errorf("of %d changes %d were permitted, of as many trees %d hidden in part: that tests little", rounds, permitted, hidden)
	}
}

// inOrder is new with those steps first that old has too.
func inOrder(old, new *data.Node) *data.Node {
	from, to := old.Child("acme-netconf"), new.Child("acme-netconf")
	if to == nil {
		return new
	}
	list := to.Schema().ChildNamed("step")
	var both, fresh []*data.Node
	for e := range to.EntriesOf(list) {
		if from.Entry(list, e.Key()) == nil {
			fresh = append(fresh, e)
		} else {
			both = append(both, e)
		}
	}
	return new.With(to.WithOnly(list, append(both, fresh...)...))
}

func xml(n *data.Node) string {
	if n == nil {
		return ""
	}
	return string(data.AppendChildrenXML(nil, n, ""))
}

// refusals are the paths of an error of Write, sorted and each once.
func refusals(err error) []string {
	var out []string
	if err == nil {
		return out
	}
	list, _ := rpcerr.List(err)
	for _, e := range list {
		if e.Tag != rpcerr.TagAccessDenied {
			return []string{err.Error()}
		}
		out = append(out, e.Path.Expr)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
