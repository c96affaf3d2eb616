package data

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"incidentd/yang"
	"incidentd/yang/xmltext"
	"incidentd/yang/xpath"
)

// viewModule has defaults in all places.
const viewModule = `module v {
  yang-version 1.1; namespace "urn:v"; prefix v;
  typedef speed { type uint32; default 100; }
  container c {
    leaf a { type string; default "x"; }
    leaf b { type string; }
    leaf w { when "../b = 'on'"; type string; default "when"; }
    leaf-list ll { type string; default "p"; default "q"; }
    container np { leaf d { type uint8; default 7; } container deep { leaf e { type boolean; default true; } } }
    container p { presence "it is meant"; leaf d { type uint8; default 7; } }
    container none { leaf x { type string; } }
    choice ch { default one;
      case one { leaf o1 { type string; default "o"; } leaf o2 { type string; } }
      case two { when "b"; leaf t1 { type string; default "t"; } leaf t2 { type string; } } }
    anydata any;
    leaf st { config false; type string; default "s"; }
  }
  list l { key k; leaf k { type string; default "kk"; } leaf s { type speed; } leaf m { type speed; mandatory true; }
    list in { key i; leaf i { type string; } leaf d { type string; default "d"; } container counters { config false; leaf n { type uint8; default 0; } leaf o { type uint8; } } } }
  container state { config false; leaf n { type uint8; default 0; } container np { leaf d { type uint8; default 1; } } }
}`

var viewSchema = sync.OnceValues(func() (*yang.Schema, error) {
	return yang.Compile(fstest.MapFS{"v.yang": {Data: []byte(viewModule)}}, yang.Options{})
})

// viewed is a tree of viewModule.
func viewed(t testing.TB, xml string) *Node {
	t.Helper()
	s, err := viewSchema()
	if err != nil {
		t.Fatal(err)
	}
	n, err := (&Parser{Schema: s, State: true}).ParseDocument([]byte(`<data xmlns="urn:v">` + xml + `</data>`))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// written is what a view writes of a tree, in the default namespace urn:v.
func written(t testing.TB, v View, n *Node) string {
	t.Helper()
	var b bytes.Buffer
	if err := v.Write(&b, n, "urn:v"); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// filtered is a filter of viewModule: of XPath when the text begins with a slash, else
// of a subtree; "" is none.
func filtered(t testing.TB, text string) *Filter {
	t.Helper()
	s, err := viewSchema()
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case text == "":
		return nil
	case text[0] == '/':
		f, err := NewXPathFilter(s, text, xpath.Namespaces{Default: "urn:v"})
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	e, err := xmltext.ParseElement([]byte(`<filter xmlns="urn:v">`+text+`</filter>`), xmltext.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return NewFilter(s, s.Root, e.Children)
}

func TestView(t *testing.T) {
	const some = `<c><a>x</a><b>off</b></c><l><k>1</k><s>100</s><m>5</m></l>`
	const wd = ` xmlns:wd="urn:ietf:params:xml:ns:netconf:default:1.0"`
	for _, c := range []struct {
		name, tree, filter string
		view               View
		want               string
	}{
		{"explicit shows what is set, and the state's defaults", some, "", View{},
			`<c><a>x</a><b>off</b><st>s</st></c><l><k>1</k><s>100</s><m>5</m></l><state><n>0</n><np><d>1</d></np></state>`},
		{"report-all", some, "", View{Defaults: ReportAll},
			`<c><a>x</a><b>off</b><ll>p</ll><ll>q</ll><np><d>7</d><deep><e>true</e></deep></np><o1>o</o1><st>s</st></c><l><k>1</k><s>100</s><m>5</m></l><state><n>0</n><np><d>1</d></np></state>`},
		{"report-all of nothing", ``, "", View{Defaults: ReportAll, Content: ConfigNodes},
			`<c><a>x</a><ll>p</ll><ll>q</ll><np><d>7</d><deep><e>true</e></deep></np><o1>o</o1></c>`},
		{"report-all-tagged tags what is not set", `<c><a>x</a></c>`, "/c/a | /c/np", View{Defaults: ReportAllTagged},
			`<c` + wd + `><a>x</a><np><d wd:default="true">7</d><deep><e wd:default="true">true</e></deep></np></c>`},
		{"trim hides what has the default, keys aside", `<c><a>x</a><b>x</b><ll>q</ll><ll>p</ll><np><d>7</d></np><p><d>7</d></p><st>s</st></c><l><k>kk</k><s>100</s><m>5</m></l><state><n>0</n></state>`, "", View{Defaults: Trim},
			`<c><b>x</b><p/></c><l><k>kk</k><m>5</m></l>`},
		{"trim leaves a leaf-list that has more", `<c><ll>p</ll></c>`, "", View{Defaults: Trim}, `<c><ll>p</ll></c>`},
		{"a condition that holds", `<c><b>on</b></c>`, "/c", View{Defaults: ReportAll, Content: ConfigNodes},
			`<c><a>x</a><b>on</b><w>when</w><ll>p</ll><ll>q</ll><np><d>7</d><deep><e>true</e></deep></np><o1>o</o1></c>`},
		{"a condition that does not, of what a filter names", `<c><b>off</b></c>`, `/c/w | /c/a`, View{Defaults: ReportAll}, `<c><a>x</a></c>`},
		{"the other case", `<c><b>on</b><t2>here</t2></c>`, `<c><t1/><o1/></c>`, View{Defaults: ReportAll}, `<c><t1>t</t1></c>`},
		{"presence", `<c><p/></c>`, `<c><p/></c>`, View{Defaults: ReportAll}, `<c><p><d>7</d></p></c>`},
		{"below what is not there", ``, `<c><np><deep/></np><p/><none/></c>`, View{Defaults: ReportAll}, `<c><np><deep><e>true</e></deep></np></c>`},
		{"the defaults of selected entries", `<l><k>1</k><m>5</m></l><l><k>2</k><m>6</m></l>`, `/l[k='2']`, View{Defaults: ReportAll}, `<l><k>2</k><s>100</s><m>6</m></l>`},
		{"not those of parts", `<l><k>1</k><m>5</m></l>`, `<l><m/></l>`, View{Defaults: ReportAll}, `<l><k>1</k><m>5</m></l>`},
		{"a content match on a default", `<l><k>1</k><m>5</m></l><l><k>2</k><s>1</s><m>6</m></l>`, `<l><s>100</s></l>`, View{}, `<l><k>1</k><m>5</m></l>`},

		{"configuration", `<c><st>s</st></c><l><k>1</k><m>5</m><in><i>x</i><counters><o>1</o></counters></in></l><state><n>0</n></state>`, "", View{Content: ConfigNodes},
			`<l><k>1</k><m>5</m><in><i>x</i></in></l>`},
		{"state and what leads to it", `<c><a>1</a></c><l><k>1</k><m>5</m><in><i>x</i><counters><o>1</o></counters></in></l><l><k>2</k><m>5</m></l>`, `/l`, View{Content: StateNodes},
			`<l><k>1</k><in><i>x</i><counters><n>0</n><o>1</o></counters></in></l>`},
		{"depth", `<c><np><deep/></np></c><l><k>1</k><m>5</m><in><i>x</i></in></l>`, `/l`, View{MaxDepth: 1}, `<l><k>1</k></l>`},
		{"depth 2", `<l><k>1</k><m>5</m><in><i>x</i><d>e</d></in></l>`, `/l`, View{MaxDepth: 2}, `<l><k>1</k><m>5</m><in><i>x</i></in></l>`},
		{"depth of defaults", `<c/>`, `/c/np`, View{MaxDepth: 2, Defaults: ReportAll}, `<c><np><d>7</d></np></c>`},
		{"depth from the top", `<c><np><d>1</d></np></c>`, ``, View{MaxDepth: 2, Content: ConfigNodes}, `<c><np/></c>`},
		{"not for this reader", some, `/c`, View{Defaults: ReportAll, Readable: func(l *Loc, s *yang.Node) bool { return l.Node.Name() == "np" || s.Name == "np" }},
			`<c><a>x</a><b>off</b><np><d>7</d></np></c>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := viewed(t, c.tree)
			got, err := filtered(t, c.filter).Select(n, c.view.Defaults)
			if err != nil {
				t.Fatal(err)
			}
			c.view.Schema, _ = viewSchema()
			c.view.Source = n
			if got := written(t, c.view, got); got != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
		})
	}
}

// What has gone to the writer cannot be taken back: entries that turn out to hold
// nothing to be shown are, although they are larger than the buffer.
func TestViewTakesBack(t *testing.T) {
	var in, want strings.Builder
	for i := range 200 {
		long := strings.Repeat("x", 5000)
		fmt.Fprintf(&in, `<l><k>%03d%s</k><m>5</m><in><i>%s</i>`, i, long, long)
		if i%10 == 0 {
			in.WriteString(`<counters><n>1</n></counters>`)
			fmt.Fprintf(&want, `<l><k>%03d%s</k><in><i>%s</i><counters><n>1</n></counters></in></l>`, i, long, long)
		}
		in.WriteString(`</in></l>`)
	}
	if got := written(t, View{Content: StateNodes, Defaults: Trim}, viewed(t, in.String())); got != want.String() {
		t.Errorf("%d bytes, want %d", len(got), want.Len())
	}
}

// A view that hides nothing and adds nothing writes what AppendChildrenXML does, and
// what it adds can be parsed.
func FuzzView(f *testing.F) {
	for _, in := range []string{`<c><a>x</a></c>`, `<l><k>1</k><m>5</m><in><i>x</i></in></l>`, `<c><p/><t2>x</t2><any><z xmlns=""/></any></c><state/>`} {
		f.Add(in, uint8(0), uint8(0), uint8(0))
	}
	s, err := viewSchema()
	if err != nil {
		f.Fatal(err)
	}
	p := Parser{Schema: s, State: true}
	f.Fuzz(func(t *testing.T, in string, mode, content, depth uint8) {
		n, err := p.ParseDocument([]byte(`<data xmlns="urn:v">` + in + `</data>`))
		if err != nil {
			return
		}
		v := View{Defaults: Defaults(mode % 4), Content: Content(content % 3), MaxDepth: int(depth % 4), Schema: s, Source: n}
		out := written(t, v, n)
		plain := strings.ReplaceAll(out, ` wd:default="true"`, "") // only an edit may have it
		back, err := p.ParseDocument([]byte(`<data xmlns="urn:v">` + plain + `</data>`))
		if err != nil {
			t.Fatalf("%s: %v", out, err)
		}
		if v.Defaults == Trim || v.Content != AllNodes || v.MaxDepth != 0 {
			return
		}
		if again := written(t, View{Defaults: v.Defaults, Schema: s, Source: back}, back); v.Defaults != ReportAllTagged && again != out {
			t.Errorf("written again:\n%s\nis not\n%s", again, out)
		}
	})
}
