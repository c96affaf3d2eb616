package data

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"incidentd/yang"
)

// fillerFilters select of trees of viewModule.
var fillerFilters = []string{"", `<c/>`, `<c><a/><w/><np/></c>`, `<c><ll/><np><deep/></np></c>`, `<c><o1/><t1/></c>`, `<c><p/><none/></c>`,
	`<l/>`, `<l><k>1</k></l>`, `<l><in><counters/></in></l>`, `<c><a>x</a><b/></c>`, `<state/>`, `<c/><l><s/></l>`,
	"/c", "/c/w", "/c/np/d | /l/s", "/l[k='2']/in", "/state/np/d", "//d"}

// randomView is the XML of a tree of viewModule.
func randomView(r *rand.Rand) string {
	var b strings.Builder
	maybe := func(text string) {
		if r.IntN(3) == 0 {
			b.WriteString(text)
		}
	}
	if r.IntN(4) > 0 {
		b.WriteString("<c>")
		maybe(fmt.Sprintf("<a>%s</a>", []string{"x", "y"}[r.IntN(2)]))
		maybe(fmt.Sprintf("<b>%s</b>", []string{"on", "off"}[r.IntN(2)]))
		maybe("<ll>p</ll><ll>q</ll>")
		maybe("<np><d>8</d></np>")
		maybe("<p/>")
		maybe([]string{"<o2>1</o2>", "<t2>2</t2>"}[r.IntN(2)])
		maybe("<st>t</st>")
		b.WriteString("</c>")
	}
	for k := range r.IntN(5) {
		fmt.Fprintf(&b, "<l><k>%d</k><m>1</m>", k)
		maybe("<s>5</s>")
		for i := range r.IntN(3) {
			fmt.Fprintf(&b, "<in><i>%d</i>", i)
			maybe("<d>e</d>")
			maybe("<counters><o>1</o></counters>")
			b.WriteString("</in>")
		}
		b.WriteString("</l>")
	}
	maybe("<state><n>3</n></state>")
	return b.String()
}

// TestFiller has a Filler make what a View writes, of one random tree after the other, as
// another one does that knows none of the earlier trees.
func TestFiller(t *testing.T) {
	s, err := viewSchema()
	if err != nil {
		t.Fatal(err)
	}
	hidden := func(n *yang.Node) bool { return n.Name == "a" || n.Name == "deep" }
	for _, readable := range []func(*Loc, *yang.Node) bool{nil, func(_ *Loc, child *yang.Node) bool { return !hidden(child) }} {
		for _, text := range fillerFilters {
			filter := filtered(t, text)
			seed := rand.Uint64()
			r := rand.New(rand.NewPCG(seed, 1))
			kept := Filler{Schema: s, Readable: readable}
			source := viewed(t, randomView(r))
			for range 60 {
				if r.IntN(2) == 0 {
					source = viewed(t, randomView(r))
				} else if edited, err := Apply(source, viewed(t, randomView(r)), MergeOp); err == nil {
					source = edited // which shares much with the one before
				}
				selected, err := filter.Select(source, ReportAll)
				if err != nil {
					t.Fatal(err)
				}
				if selected == nil {
					selected = New(s.Root)
				}
				want := written(t, View{Defaults: ReportAll, InUse: true, Source: source, Schema: s, Readable: readable}, selected)
				out := kept.Fill(selected, source)
				if got := string(AppendChildrenXML(nil, out, "urn:v")); got != want {
					t.Fatalf("seed %d, filter %q, of %s\n got %s\nwant %s", seed, text, xmlOf(source), got, want)
				}
				again := Filler{Schema: s, Readable: readable}
				if !Equal(out, again.Fill(selected, source)) {
					t.Fatalf("seed %d, filter %q: with and without an earlier tree the results differ", seed, text)
				}
				if kept.Fill(selected, source) != out && text == "<l/>" {
					t.Fatalf("seed %d: the same tree was filled twice", seed)
				}
			}
		}
	}
}

// TestFillerShares asks that what did not change is the same node again, and that ignored
// nodes have no defaults.
func TestFillerShares(t *testing.T) {
	s, err := viewSchema()
	if err != nil {
		t.Fatal(err)
	}
	var entries strings.Builder
	for i := range 500 {
		fmt.Fprintf(&entries, "<l><k>%d</k><m>1</m></l>", i)
	}
	before := viewed(t, entries.String()+"<c><b>on</b></c>")
	after, err := Apply(before, viewed(t, "<l><k>7</k><m>2</m></l>"), MergeOp)
	if err != nil {
		t.Fatal(err)
	}
	f := Filler{Schema: s, Ignore: func(n *yang.Node) bool { return n.Name == "np" || n.Name == "state" }}
	a := f.Fill(before, before)
	b := f.Fill(after, after)
	var differ []string
	Diff(a, b, func(parent *Loc, old, new *Node) bool {
		differ = append(differ, parent.Down(new).Path().Expr)
		return true
	})
	if got := strings.Join(differ, " "); got != "/v:l[v:k='7']/v:m" {
		t.Errorf("what differs: %s", got)
	}
	list := s.Root.ChildNamed("l")
	if a.Entry(list, "8") != b.Entry(list, "8") || a.Entry(list, "8") == before.Entry(list, "8") {
		t.Error("an entry that did not change was filled twice, or not at all")
	}
	if text := xmlOf(b); strings.Contains(text, "<np>") || strings.Contains(text, "<state") || !strings.Contains(text, "when") {
		t.Errorf("ignored nodes have defaults, or others none: %.300s", text)
	}
}
