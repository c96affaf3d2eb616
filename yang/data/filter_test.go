package data

import (
	"strings"
	"testing"

	"incidentd/yang"
	"incidentd/yang/xmltext"
	"incidentd/yang/xpath"
)

// farm is the data that the filters select from.
const farm = `<c><s>text</s><b>true</b><id>u:dog</id><ll>a</ll><ll>b</ll><np><x>1</x><deep><y>2</y></deep></np><u:s>other</u:s><u:extra>e</u:extra></c>` +
	`<l><k>1</k><v>red</v><w>one</w></l><l><k>2</k><v>red</v><w>two</w></l><l><k>3</k><v>blue</v></l>` +
	`<u><k>z</k><v>1</v></u><u><k>y</k><v>2</v></u><u><k>x</k><v>1</v></u>` +
	`<two><b>p</b><a>1</a><v>x</v><in><k>i</k><v>j</v></in><in><k>m</k><v>n</v></in></two><two><b>q</b><a>1</a></two>` +
	`<top>hello</top>` +
	`<st><kl><v>1</v><c><x>a</x><y>b</y></c></kl><kl><v>2</v><c><x>c</x></c></kl><kl><v>1</v></kl></st>`

// selected is what a filter selects in the mode explicit, of the tree and of what Narrow
// leaves of it.
func selected(t testing.TB, f *Filter, n *Node) *Node {
	t.Helper()
	got, err := f.Select(n, Explicit)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := f.Select(f.Narrow(n), Explicit); err != nil || !Equal(got, again) {
		t.Errorf("of what Narrow leaves the filter selects %s, %v; want %s", xmlOf(again), err, xmlOf(got))
	}
	return got
}

func xmlOf(n *Node) string {
	if n == nil {
		return "nothing"
	}
	return string(AppendChildrenXML(nil, n, ""))
}

func matches(t testing.TB, f *Filter, n *Node) bool {
	t.Helper()
	ok, err := f.Matches(n)
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

// TestFilter has examples for each subsection of RFC 6241 section 6.2, and what
// they make together.
func TestFilter(t *testing.T) {
	s := testSchema(t)
	n := mustParse(t, s, farm)
	const nothing = "nothing"
	for _, c := range []struct{ name, filter, want string }{
		// 6.4.1 and 6.4.2 are no filter and the empty filter.
		{"empty filter", ``, nothing},

		// 6.2.1 namespace selection.
		{"one of two modules' nodes", `<c><s/></c>`, `<c><s>text</s></c>`},
		{"the other's", `<c><u:s/></c>`, `<c><s xmlns="urn:u">other</s></c>`},
		{"any namespace", `<c xmlns=""><s/></c>`, `<c><s>text</s><s xmlns="urn:u">other</s></c>`},
		{"unknown namespace", `<c xmlns="urn:nosuch"/>`, nothing},
		{"the wrong module", `<u:l/>`, nothing},

		// 6.2.2 attribute match: no data has attributes.
		{"attribute on a selection node", `<top foo="1"/><c foo="1"/>`, nothing},
		{"attribute on a containment node", `<c foo="1"><s/></c>`, nothing},
		{"attribute on a content match node", `<l><k foo="1">1</k></l>`, nothing},
		{"attribute beside others", `<top foo="1"/><c><b foo="1"/><s/></c>`, `<c><s>text</s></c>`},

		// 6.2.3 containment nodes.
		{"containment", `<c><np><deep><y/></deep></np></c>`, `<c><np><deep><y>2</y></deep></np></c>`},
		{"containment of nothing", `<c><np><nosuch/></np></c>`, nothing},
		{"containment of what is not there", `<c><np><x/></np><p/></c>`, `<c><np><x>1</x></np></c>`},
		{"containment in a leaf", `<c><s><x/></s></c>`, nothing},

		// 6.2.4 selection nodes.
		{"selection of a leaf", `<top/>`, `<top>hello</top>`},
		{"white space is no content", "<top>\n </top>", `<top>hello</top>`},
		{"selection of a container", `<c><np/></c>`, `<c><np><x>1</x><deep><y>2</y></deep></np></c>`},
		{"selection of a list", `<u/>`, `<u><k>z</k><v>1</v></u><u><k>y</k><v>2</v></u><u><k>x</k><v>1</v></u>`},
		{"selection in entries keeps their keys", `<l><w/></l>`, `<l><k>1</k><w>one</w></l><l><k>2</k><w>two</w></l>`},
		{"selection of a key", `<l><k/></l>`, `<l><k>1</k></l><l><k>2</k></l><l><k>3</k></l>`},
		{"unknown element beside others", `<nosuch/><l><k>1</k><w/><nosuch/></l>`, `<l><k>1</k><w>one</w></l>`},

		// 6.2.5 content match nodes.
		{"content match alone selects all", `<l><v>blue</v></l>`, `<l><k>3</k><v>blue</v></l>`},
		{"by key", `<l><k>2</k></l>`, `<l><k>2</k><v>red</v><w>two</w></l>`},
		{"by a key that is not there", `<l><k>9</k></l>`, nothing},
		{"white space around the value", "<l><k>\n 2 </k></l>", `<l><k>2</k><v>red</v><w>two</w></l>`},
		{"several content matches", `<l><v>red</v><w>two</w></l>`, `<l><k>2</k><v>red</v><w>two</w></l>`},
		{"several that no entry has", `<l><v>blue</v><w>two</w></l>`, nothing},
		{"content match with selection", `<l><v>red</v><w/></l>`, `<l><k>1</k><v>red</v><w>one</w></l><l><k>2</k><v>red</v><w>two</w></l>`},
		{"content match includes itself", `<l><k>3</k><v>blue</v><w/></l>`, `<l><k>3</k><v>blue</v></l>`},
		{"content match with containment of nothing", `<two><v>x</v><in><k>nosuch</k></in></two>`, `<two><b>p</b><a>1</a><v>x</v></two>`},
		{"a false content match selects nothing of its siblings", `<c><s>no</s><np/><b/></c>`, nothing},
		{"a content match on an unknown leaf", `<c><nosuch>x</nosuch><b/></c>`, nothing},
		{"a content match on a container", `<c><np>x</np><b/></c>`, nothing},
		{"a value that the type refuses", `<c><b>maybe</b><s/></c>`, nothing},
		{"both keys", `<two><a>1</a><b>q</b></two>`, `<two><b>q</b><a>1</a></two>`},
		{"one of two keys", `<two><a>1</a><in><k/></in></two>`, `<two><b>p</b><a>1</a><in><k>i</k></in><in><k>m</k></in></two><two><b>q</b><a>1</a></two>`},
		{"canonical value", `<two><a> +01</a><b>q</b></two>`, `<two><b>q</b><a>1</a></two>`},
		{"identity by another prefix", `<c><id xmlns:x="urn:u">x:dog</id><b/></c>`, `<c><b>true</b><id xmlns:t="urn:u">t:dog</id></c>`},
		{"identity of another", `<c><id>t:cat</id><b/></c>`, nothing},
		{"leaf-list", `<c><ll>b</ll></c>`, `*c`},
		{"leaf-list with selection", `<c><ll>b</ll><b/></c>`, `<c><b>true</b><ll>b</ll></c>`},
		{"two values of a leaf-list", `<c><ll>b</ll><ll>a</ll><b/></c>`, `<c><b>true</b><ll>a</ll><ll>b</ll></c>`},
		{"a value that the leaf-list lacks", `<c><ll>b</ll><ll>x</ll><b/></c>`, nothing},
		{"any namespace, one leaf has the value", `<c><s xmlns="">other</s><b/></c>`, `<c><b>true</b><s xmlns="urn:u">other</s></c>`},
		{"any namespace, no leaf has it", `<c><s xmlns="">third</s><b/></c>`, nothing},
		{"content match at the top", `<top>hello</top><c><s/></c>`, `<c><s>text</s></c><top>hello</top>`},
		{"false at the top", `<top>bye</top><c><s/></c>`, nothing},

		// Several elements for one node: a union.
		{"two entries by key", `<l><k>3</k></l><l><k>1</k><w/></l>`, `<l><k>1</k><w>one</w></l><l><k>3</k><v>blue</v></l>`},
		{"a key and a scan", `<l><k>3</k><v/></l><l><w>one</w><w/></l>`, `<l><k>1</k><w>one</w></l><l><k>3</k><v>blue</v></l>`},
		{"parts of the same entry", `<l><k>1</k><w/></l><l><k>1</k><v/></l>`, `<l><k>1</k><v>red</v><w>one</w></l>`},
		{"a part and the whole", `<l><k>1</k><w/></l><l/>`, `*l`},
		{"the user's order stays", `<u><k>x</k></u><u><k>z</k><v/></u>`, `<u><k>z</k><v>1</v></u><u><k>x</k><v>1</v></u>`},
		{"one container twice", `<c><s/></c><c><np><x/></np></c><c><np><deep/></np></c>`, `<c><s>text</s><np><x>1</x><deep><y>2</y></deep></np></c>`},
		{"entries without keys", `<st><kl><v>1</v></kl><kl><c><y/></c></kl></st>`, `<st><kl><v>1</v><c><x>a</x><y>b</y></c></kl><kl><v>1</v></kl></st>`},
		{"parts of entries without keys", `<st><kl><v/></kl><kl><c><x/></c></kl></st>`, `<st><kl><v>1</v><c><x>a</x></c></kl><kl><v>2</v><c><x>c</x></c></kl><kl><v>1</v></kl></st>`},
		{"nested lists", `<two><in><k>m</k></in></two><two><in><v>j</v><k/></in></two>`, `<two><b>p</b><a>1</a><in><k>i</k><v>j</v></in><in><k>m</k><v>n</v></in></two>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := NewFilter(s, s.Root, elements(t, c.filter))
			got := selected(t, f, n)
			want := c.want
			switch want {
			case "*c":
				want = form(New(s.Root).With(n.Get(s.Root.Child(s.Module("t"), "c"))))
			case "*l":
				want = form(mustParse(t, s, `<l><k>1</k><v>red</v><w>one</w></l><l><k>2</k><v>red</v><w>two</w></l><l><k>3</k><v>blue</v></l>`))
			}
			if form(got) != want {
				t.Errorf("\n got %s\nwant %s", form(got), want)
			}
			for _, top := range s.Root.Data {
				if got.kid(top) != nil && !f.Touches(top) {
					t.Errorf("selects of %s, but does not touch it", top.Path())
				}
			}
		})
	}
	var none *Filter
	if selected(t, none, n) != n || !none.Touches(s.Root.Data[0]) || !matches(t, none, n) || selected(t, NewFilter(s, s.Root, nil), n) != nil {
		t.Error("no filter selects everything, the empty one nothing")
	}
}

func TestFilterShares(t *testing.T) {
	s := testSchema(t)
	n := mustParse(t, s, farm)
	l, c := s.Root.ChildNamed("l"), s.Root.Child(s.Module("t"), "c")
	for _, f := range []string{`<l/>`, `<l><k/></l><l/>`, `<l><v>red</v></l><l><v>blue</v></l>`} {
		if selected(t, NewFilter(s, s.Root, elements(t, f)), n).kid(l) != n.kid(l) {
			t.Errorf("%s: the whole list is copied", f)
		}
	}
	got := selected(t, NewFilter(s, s.Root, elements(t, `<l><k>2</k></l><c><np/></c>`)), n)
	if got.Entry(l, "2") != n.Entry(l, "2") || got.Get(c).Child("np") != n.Get(c).Child("np") {
		t.Error("a subtree that is selected whole is copied")
	}
	f := NewFilter(s, s.Root, elements(t, `<c><s/></c><nosuch/>`))
	if f.Touches(l) || !f.Touches(c) {
		t.Error("the filter touches c alone")
	}
}

// TestFilterCanFind asks which filters can find a leaf named x, whatever is in the tree, where
// the container deep and the list u are closed.
func TestFilterCanFind(t *testing.T) {
	s := testSchema(t)
	closed := func(n *yang.Node) bool { return n.Name == "deep" || n.Name == "u" }
	is := func(n *yang.Node) bool { return !closed(n) && (len(n.Data) > 0 || n.Name == "x" || n.Name == "k") }
	for _, c := range []struct {
		filter string
		want   bool
	}{
		{"", true}, {"<nosuch/>", false}, {"<c/>", true}, {"<c><np/></c>", true}, {"<c><np><x/></np></c>", true},
		{"<c><np><deep/></np></c>", false}, {"<c><np><deep><y/></deep></np></c>", false}, {"<c><s/></c>", false}, {"<c><s>1</s></c>", true}, {"<c><s>1</s><b/></c>", false},
		{"<l/>", true}, {"<l><k>1</k></l>", true}, {"<l><v/></l>", false}, {"<l><k>1</k><v/></l>", true}, {"<u/>", false}, {"<u><k>1</k></u>", false},
		{"<top/><u/>", false}, {"<top/><l/>", true},
		{"x:/t:c", true}, {"x:/t:c/t:np/t:deep", false}, {"x:/t:c/t:s", false}, {"x:/t:l[t:k='1']/t:v", false}, {"x:/t:l[t:k='1']", true},
		{"x:/t:l/t:v | /t:c", true}, {"x:/t:u//*", false}, {"x:/t:c/*", true}, {"x://t:y", true}, {"x:/t:c[t:np/t:x]/t:s", false}, {"x:/t:no", false},
		{"x:/", true},
	} {
		var f *Filter
		if text, ok := strings.CutPrefix(c.filter, "x:"); ok {
			var err error
			if f, err = NewXPathFilter(s, text, xpath.Namespaces{Prefixes: map[string]string{"t": "urn:t"}}); err != nil {
				t.Fatal(err)
			}
		} else if text != "" {
			f = NewFilter(s, s.Root, elements(t, text))
		}
		if got := f.CanFind(s.Root, is); got != c.want {
			t.Errorf("%s can find something: %v, want %v", c.filter, got, c.want)
		}
	}
	if NewFilter(s, s.Root, nil).CanFind(s.Root, is) {
		t.Error("a filter that selects nothing can find something")
	}
}

func TestFilterMatches(t *testing.T) {
	s := testSchema(t)
	note := Build(s.Notification("t", "note")).Leaf("a", "x").Container("c").Leaf("b", "y").Node()
	for _, c := range []struct {
		filter string
		want   bool
	}{
		{`<note/>`, true}, {`<note><a/></note>`, true}, {`<note><a>x</a></note>`, true}, {`<note><a>y</a></note>`, false},
		{`<note><c><b>y</b></c></note>`, true}, {`<note><c><b>x</b></c></note>`, false}, {`<u:note/>`, false}, {`<note xmlns=""/>`, true},
		{`<note foo="1"/>`, false}, {`<top/>`, false}, {`<top/><note><a/></note>`, true}, {``, false}, {`<note>x</note>`, false},
	} {
		if got := matches(t, NewFilter(s, s.Root, elements(t, c.filter)), note); got != c.want {
			t.Errorf("%s matches: %v, want %v", c.filter, got, c.want)
		}
	}
	top := mustParse(t, s, `<l><k>1</k></l>`).EntryNamed("l", "1")
	if !matches(t, NewFilter(s, s.Root, elements(t, `<l><k>1</k></l>`)), top) || matches(t, NewFilter(s, s.Root, elements(t, `<l><k>2</k></l>`)), top) {
		t.Error("an entry of the top is matched by its key")
	}
}

// FuzzFilter: whatever the filter, what it selects is a part of the tree.
func FuzzFilter(f *testing.F) {
	for _, in := range []string{`<c><s/></c>`, `<l><k>1</k></l><l><v>red</v><w/></l>`, `<c xmlns=""><s>x</s></c>`, `<st><kl><v/></kl></st>`, `<two><in><k/></in></two>`} {
		f.Add(in)
	}
	s := testSchema(f)
	n := mustParse(f, s, farm)
	f.Fuzz(func(t *testing.T, in string) {
		e, err := xmltext.ParseElement([]byte(namespaces+in+"</data>"), xmltext.Limits{})
		if err != nil {
			return
		}
		got := selected(t, NewFilter(s, s.Root, e.Children), n)
		if got == nil {
			return
		}
		if st := s.Root.ChildNamed("st"); got.Get(st) != nil { // entries without keys are no part by key
			got = got.Without(st, "")
		}
		Diff(got, n, func(_ *Loc, was, is *Node) bool {
			if is == nil {
				t.Errorf("%s is not in the tree", AppendXML(nil, was, ""))
			}
			return true
		})
	})
}
