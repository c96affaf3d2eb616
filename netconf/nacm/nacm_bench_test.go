package nacm_test

import (
	"fmt"
	"strings"
	"testing"

	"incidentd/netconf/nacm"
	"incidentd/netconf/netconftest"
	"incidentd/yang/data"
)

// ruleSet is a configuration with n rules for ann, none of which fits the interfaces that
// are asked for, and then others.
func ruleSet(n int, others string) string {
	var b strings.Builder
	b.WriteString(`<nacm xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-acm" xmlns:acme="http://example.com/ns/netconf"><groups><group><name>g</name><user-name>ann</user-name></group></groups><rule-list><name>l</name><group>g</group>`)
	for i := range n {
		fmt.Fprintf(&b, "<rule><name>%d</name><path>/acme:interfaces/acme:interface[acme:name='x%d']</path><action>deny</action></rule>", i, i)
	}
	b.WriteString(others + "</rule-list></nacm>")
	return b.String()
}

// interfaces is a tree with n interfaces.
func interfaces(b *netconftest.Bench, n int) *data.Node {
	root := data.Build(b.Schema.Root)
	list := root.Container("interfaces")
	for i := range n {
		list.Entry("interface", fmt.Sprintf("if%06d", i)).Uint("mtu", 1500).Leaf("owner", "ann")
	}
	return root.Node()
}

func access(tb testing.TB, b *netconftest.Bench, rules string) *nacm.Access {
	tb.Helper()
	if err := b.Configure(rules); err != nil {
		tb.Fatal(err)
	}
	return b.NACM.Access("ann", nil)
}

// BenchmarkAccess finds a user's access, as each rpc does.
func BenchmarkAccess(b *testing.B) {
	bench := netconftest.New(b, netconftest.Config{Schema: schema(b)})
	access(b, bench, ruleSet(1000, ""))
	for b.Loop() {
		bench.NACM.Access("ann", nil)
	}
}

// BenchmarkRead reads 100,000 interfaces under rules that hide nothing, one of them, one
// leaf of each, or all but one.
func BenchmarkRead(b *testing.B) {
	rule := func(path, action string) string {
		return "<rule><name>" + action + "</name><path>/acme:interfaces/acme:interface" + path + "</path><action>" + action + "</action></rule>"
	}
	for _, r := range []struct{ name, rules string }{
		{"rules=0", ruleSet(0, "")},
		{"rules=10", ruleSet(10, "")},
		{"rules=1000", ruleSet(1000, "")},
		{"hides-one", ruleSet(0, rule("[acme:name='if050000']", "deny"))},
		{"shows-one", ruleSet(0, rule("[acme:name='if050000']", "permit")+rule("", "deny"))},
		{"hides-a-leaf-of-each", ruleSet(0, rule("/acme:owner", "deny"))},
	} {
		b.Run(r.name, func(b *testing.B) {
			bench := netconftest.New(b, netconftest.Config{Schema: schema(b)})
			tree := interfaces(bench, 100_000)
			a := access(b, bench, r.rules)
			b.ReportAllocs()
			for b.Loop() {
				a.Read(tree)
			}
		})
	}
}

// BenchmarkWrite checks the change of one leaf among 100,000 entries.
func BenchmarkWrite(b *testing.B) {
	for _, n := range []int{0, 10, 1000} {
		b.Run(fmt.Sprintf("rules=%d", n), func(b *testing.B) {
			bench := netconftest.New(b, netconftest.Config{Schema: schema(b)})
			old := interfaces(bench, 100_000)
			all := old.Child("interfaces")
			one := all.EntryNamed("interface", "if050000")
			changed := old.With(all.With(one.With(data.NewLeaf(one.Schema().ChildNamed("mtu"), "9000"))))
			a := access(b, bench, ruleSet(n, "<rule><name>all</name><access-operations>*</access-operations><action>permit</action></rule>"))
			for b.Loop() {
				if err := a.Write(old, changed); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkGet asks for one of 100,000 interfaces over a session.
func BenchmarkGet(b *testing.B) {
	var config strings.Builder
	config.WriteString(`<interfaces xmlns="http://example.com/ns/netconf">`)
	for i := range 100_000 {
		fmt.Fprintf(&config, "<interface><name>if%06d</name><mtu>1500</mtu><owner>ann</owner></interface>", i)
	}
	config.WriteString("</interfaces>")
	hideLeaf := "<rule><name>deny</name><path>/acme:interfaces/acme:interface/acme:owner</path><action>deny</action></rule>"
	for _, r := range []struct {
		name, rules string
		controlled  bool
	}{
		{"uncontrolled", ruleSet(0, ""), false}, {"rules=0", ruleSet(0, ""), true}, {"rules=10", ruleSet(10, ""), true},
		{"rules=1000", ruleSet(1000, ""), true}, {"hides-a-leaf-of-each", ruleSet(0, hideLeaf), true},
	} {
		b.Run(r.name, func(b *testing.B) {
			bench := netconftest.New(b, netconftest.Config{Schema: schema(b), NACM: r.controlled})
			if err := bench.Configure("<data>" + r.rules + config.String() + "</data>"); err != nil {
				b.Fatal(err)
			}
			p := netconftest.NewPeer(bench.Dial(b.Context(), "ann", 0))
			defer p.Conn.Close()
			if _, err := p.Open("1.1"); err != nil {
				b.Fatal(err)
			}
			const get = `<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="1"><get><filter><interfaces xmlns="http://example.com/ns/netconf"><interface><name>if050000</name></interface></interfaces></filter></get></rpc>`
			for b.Loop() {
				reply, err := p.Ask(get)
				if err != nil || !strings.Contains(reply, "1500") {
					b.Fatal(reply, err)
				}
			}
		})
	}
}
