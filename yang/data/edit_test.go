package data

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"incidentd/yang"
	"incidentd/yang/rpcerr"
	"incidentd/yang/xmltext"
)

// report is the errors as they go to a peer, one a line.
func report(err error) string {
	if err == nil {
		return ""
	}
	list, _ := rpcerr.List(err)
	var b []byte
	for _, e := range list {
		b = append(e.AppendXML(b), '\n')
	}
	return string(b)
}

// wire is an rpc-error of the application layer as it goes to a peer.
func wire(tag, path, message, info string) string {
	if info != "" {
		info = "<error-info>" + info + "</error-info>"
	}
	return "<rpc-error><error-type>application</error-type><error-tag>" + tag + "</error-tag><error-severity>error</error-severity>" +
		path + `<error-message xml:lang="en">` + message + "</error-message>" + info + "</rpc-error>\n"
}

func at(expr string) string { return `<error-path xmlns:t="urn:t">` + expr + "</error-path>" }

func missing(expr string) string {
	return wire("data-missing", at(expr), "it does not exist, so it cannot be deleted", "")
}

func exists(expr string) string {
	return wire("data-exists", at(expr), "it exists already, so it cannot be created", "")
}

func noLevel(expr string) string {
	return wire("data-missing", at(expr), "it does not exist and the default operation is none", "")
}

// TestApply has every operation on every kind of node.
func TestApply(t *testing.T) {
	s := testSchema(t)
	const (
		leafs  = `<c><s>old</s><b>true</b></c>`
		list   = `<l><k>1</k><v>a</v><w>b</w></l><l><k>2</k></l>`
		user   = `<u><k>x</k><v>1</v></u><u><k>y</k></u><u><k>z</k></u>`
		inList = `<two><b>k</b><a>1</a><v>x</v><in><k>i</k><v>j</v></in></two>`
	)
	for _, c := range []struct {
		name, target, edit string
		def                Op
		want, errors       string
	}{
		// Leafs.
		{"merge a new leaf", leafs, `<c><e/></c>`, MergeOp, `<c><s>old</s><e/><b>true</b></c>`, ""},
		{"merge a leaf", leafs, `<c><s>new</s></c>`, MergeOp, `<c><s>new</s><b>true</b></c>`, ""},
		{"replace a leaf", leafs, `<c><s nc:operation="replace">new</s></c>`, MergeOp, `<c><s>new</s><b>true</b></c>`, ""},
		{"create a leaf", leafs, `<c><e nc:operation="create"/></c>`, MergeOp, `<c><s>old</s><e/><b>true</b></c>`, ""},
		{"create a leaf that exists", leafs, `<c><s nc:operation="create">new</s></c>`, MergeOp, "", exists("/t:c/t:s")},
		{"delete a leaf without value", leafs, `<c><s nc:operation="delete"/></c>`, MergeOp, `<c><b>true</b></c>`, ""},
		{"delete a leaf of another type without value", leafs, `<c><b nc:operation="delete"/></c>`, MergeOp, `<c><s>old</s></c>`, ""},
		{"delete no leaf", leafs, `<c><e nc:operation="delete"/></c>`, MergeOp, "", missing("/t:c/t:e")},
		{"remove a leaf", leafs, `<c><s nc:operation="remove">other</s></c>`, MergeOp, `<c><b>true</b></c>`, ""},
		{"remove no leaf", leafs, `<c><e nc:operation="remove"/></c>`, MergeOp, leafs, ""},
		{"the unqualified attribute", leafs, `<c><s operation="delete"/></c>`, MergeOp, `<c><b>true</b></c>`, ""},
		{"default none, nothing asked", leafs, `<c><s>new</s></c>`, None, leafs, ""},
		{"default none, leaf of no level", leafs, `<c><big>1</big></c>`, None, "", noLevel("/t:c/t:big")},
		{"default none, a deep operation", leafs, `<c><s nc:operation="delete"/></c>`, None, `<c><b>true</b></c>`, ""},

		// Leaf-lists.
		{"merge into a leaf-list", `<c><ll>b</ll></c>`, `<c><ll>a</ll><ll>b</ll></c>`, MergeOp, `<c><ll>a</ll><ll>b</ll></c>`, ""},
		{"merge into the user's leaf-list", `<c><ul>b</ul></c>`, `<c><ul>a</ul><ul>b</ul></c>`, MergeOp, `<c><ul>b</ul><ul>a</ul></c>`, ""},
		{"create in a leaf-list", `<c><ll>b</ll></c>`, `<c><ll nc:operation="create">b</ll></c>`, MergeOp, "", exists("/t:c/t:ll[.='b']")},
		{"delete from a leaf-list", `<c><ll>a</ll><ll>b</ll></c>`, `<c><ll nc:operation="delete">b</ll></c>`, MergeOp, `<c><ll>a</ll></c>`, ""},
		{"delete what is not in the leaf-list", `<c><ll>b</ll></c>`, `<c><ll nc:operation="delete">a</ll></c>`, MergeOp, "", missing("/t:c/t:ll[.='a']")},
		{"remove from a leaf-list", `<c><ll>b</ll></c>`, `<c><ll nc:operation="remove">b</ll><ll nc:operation="remove">x</ll></c>`, MergeOp, ``, ""},

		// Containers.
		{"merge a container", `<c><np><x>1</x></np></c>`, `<c><np><deep><y>2</y></deep></np></c>`, MergeOp, `<c><np><x>1</x><deep><y>2</y></deep></np></c>`, ""},
		{"replace a container", `<c><np><x>1</x></np></c>`, `<c><np nc:operation="replace"><deep><y>2</y></deep></np></c>`, MergeOp, `<c><np><deep><y>2</y></deep></np></c>`, ""},
		{"replace by an empty container", `<c><np><x>1</x></np><s/></c>`, `<c><np nc:operation="replace"/></c>`, MergeOp, `<c><s/></c>`, ""},
		{"create a container that exists", `<c><np><x>1</x></np></c>`, `<c><np nc:operation="create"><x>1</x></np></c>`, MergeOp, "", exists("/t:c/t:np")},
		{"delete a container", `<c><np><x>1</x></np><s/></c>`, `<c><np nc:operation="delete"/></c>`, MergeOp, `<c><s/></c>`, ""},
		{"delete no container", ``, `<c nc:operation="delete"/>`, MergeOp, "", missing("/t:c")},
		{"remove no container", list, `<c nc:operation="remove"/>`, MergeOp, list, ""},
		{"empty containers are pruned upward", `<c><np><deep><y>1</y></deep></np></c>`, `<c><np><deep><y nc:operation="delete"/></deep></np></c>`, MergeOp, ``, ""},
		{"an empty container is nothing", ``, `<c><np><deep/></np></c>`, MergeOp, ``, ""},
		{"a presence container stays", ``, `<c><p/></c>`, MergeOp, `<c><p/></c>`, ""},
		{"a presence container outlives its child", `<c><p><x>1</x></p></c>`, `<c><p><x nc:operation="delete"/></p></c>`, MergeOp, `<c><p/></c>`, ""},
		{"create a presence container that exists", `<c><p/></c>`, `<c><p nc:operation="create"/></c>`, MergeOp, "", exists("/t:c/t:p")},
		{"replace a presence container", `<c><p><x>1</x></p></c>`, `<c><p nc:operation="replace"/></c>`, MergeOp, `<c><p/></c>`, ""},
		{"default none, create below absent containers", ``, `<c><np><deep><y nc:operation="create">1</y></deep></np></c>`, None, `<c><np><deep><y>1</y></deep></np></c>`, ""},
		{"default none, absent presence container", ``, `<c><p><x nc:operation="create">1</x></p></c>`, None, "", noLevel("/t:c/t:p")},

		// Lists.
		{"merge an entry", list, `<l><k>1</k><v>new</v></l>`, MergeOp, `<l><k>1</k><v>new</v><w>b</w></l><l><k>2</k></l>`, ""},
		{"merge a new entry", list, `<l><k>0</k></l>`, MergeOp, `<l><k>0</k></l>` + list, ""},
		{"replace an entry", list, `<l nc:operation="replace"><k>1</k><v>new</v></l>`, MergeOp, `<l><k>1</k><v>new</v></l><l><k>2</k></l>`, ""},
		{"replace a new entry", list, `<l nc:operation="replace"><k>3</k></l>`, MergeOp, list + `<l><k>3</k></l>`, ""},
		{"create an entry", list, `<l nc:operation="create"><k>3</k><v>x</v></l>`, MergeOp, list + `<l><k>3</k><v>x</v></l>`, ""},
		{"create entries that exist", list, `<l nc:operation="create"><k>2</k></l><l nc:operation="create"><k>1</k></l>`, MergeOp, "",
			exists("/t:l[t:k='1']") + exists("/t:l[t:k='2']")},
		{"delete an entry", list, `<l nc:operation="delete"><k>1</k></l>`, MergeOp, `<l><k>2</k></l>`, ""},
		{"delete no entry", list, `<l nc:operation="delete"><k>3</k></l>`, MergeOp, "", missing("/t:l[t:k='3']")},
		{"delete the last entry", `<l><k>2</k></l>`, `<l nc:operation="delete"><k>2</k></l>`, MergeOp, ``, ""},
		{"remove entries", list, `<l nc:operation="remove"><k>1</k></l><l nc:operation="remove"><k>3</k></l>`, MergeOp, `<l><k>2</k></l>`, ""},
		{"two keys", inList, `<two><a>1</a><b>k</b><in nc:operation="delete"><k>n</k></in></two>`, MergeOp, "", missing("/t:two[t:b='k'][t:a='1']/t:in[t:k='n']")},
		{"replace keeps a place of the user's", user, `<u nc:operation="replace"><k>y</k><v>2</v></u>`, MergeOp, `<u><k>x</k><v>1</v></u><u><k>y</k><v>2</v></u><u><k>z</k></u>`, ""},
		{"a new entry of the user's goes last", user, `<u><k>a</k></u>`, MergeOp, user + `<u><k>a</k></u>`, ""},
		{"delete of the user's", user, `<u nc:operation="delete"><k>y</k></u>`, MergeOp, `<u><k>x</k><v>1</v></u><u><k>z</k></u>`, ""},
		{"default none, absent entry", list, `<l><k>3</k></l>`, None, "", noLevel("/t:l[t:k='3']")},
		{"default none, an operation below an entry", list, `<l><k>1</k><v nc:operation="remove"/></l>`, None, `<l><k>1</k><w>b</w></l><l><k>2</k></l>`, ""},
		{"an operation within another", list, `<l nc:operation="replace"><k>1</k><v nc:operation="create">a</v></l>`, MergeOp, "", exists("/t:l[t:k='1']/t:v")},
		{"delete within replace", list, `<l nc:operation="replace"><k>1</k><v nc:operation="delete"/></l>`, MergeOp, `<l><k>1</k></l><l><k>2</k></l>`, ""},

		// anydata and anyxml.
		{"merge replaces an anyxml", `<c><xml><a/></xml></c>`, `<c><xml><b/></xml></c>`, MergeOp, `<c><xml><b/></xml></c>`, ""},
		{"delete an anydata", `<c><any><a/></any><s/></c>`, `<c><any nc:operation="delete"/></c>`, MergeOp, `<c><s/></c>`, ""},

		// Choices.
		{"another case", `<c><ch/><a1>x</a1><a2><x>1</x></a2></c>`, `<c><b1>y</b1></c>`, MergeOp, `<c><b1>y</b1></c>`, ""},
		{"the same case", `<c><a1>x</a1></c>`, `<c><a2><x>1</x></a2></c>`, MergeOp, `<c><a1>x</a1><a2><x>1</x></a2></c>`, ""},
		{"the short case", `<c><b1>x</b1><i1>y</i1></c>`, `<c><short>z</short></c>`, MergeOp, `<c><short>z</short></c>`, ""},
		{"a case of an inner choice", `<c><b1>x</b1><i1>y</i1></c>`, `<c><i2><k>1</k></i2></c>`, MergeOp, `<c><b1>x</b1><i2><k>1</k></i2></c>`, ""},
		{"from outside to an inner case", `<c><a1>x</a1></c>`, `<c><i1>y</i1></c>`, MergeOp, `<c><i1>y</i1></c>`, ""},
		{"an empty container chooses no case", `<c><b1>x</b1></c>`, `<c><a2/></c>`, MergeOp, `<c><b1>x</b1></c>`, ""},
		{"delete one case and set another", `<c><a1>x</a1></c>`, `<c><a1 nc:operation="delete"/><b1>y</b1></c>`, MergeOp, `<c><b1>y</b1></c>`, ""},
		{"the same in the other order", `<c><b1>x</b1></c>`, `<c><b1 nc:operation="delete"/><a1>y</a1></c>`, MergeOp, `<c><a1>y</a1></c>`, ""},

		// The whole.
		{"default replace", leafs + list, `<l><k>9</k></l>`, Replace, `<l><k>9</k></l>`, ""},
		{"default replace by nothing", leafs + list, ``, Replace, ``, ""},
		{"all errors", leafs + list, `<c><s nc:operation="create">x</s><e nc:operation="delete"/></c><l nc:operation="delete"><k>7</k></l>`, MergeOp, "",
			exists("/t:c/t:s") + missing("/t:c/t:e") + missing("/t:l[t:k='7']")},
		{"a quote in the path", ``, `<l nc:operation="delete"><k>it's</k></l>`, MergeOp, "", missing("/t:l[t:k=&quot;it's&quot;]")},
		{"a path through two modules", `<c><s/></c>`, `<c><u:extra nc:operation="delete"/></c>`, MergeOp, "",
			wire("data-missing", `<error-path xmlns:t="urn:t" xmlns:t.1="urn:u">/t:c/t.1:extra</error-path>`, "it does not exist, so it cannot be deleted", "")},
	} {
		t.Run(c.name, func(t *testing.T) {
			target := mustParse(t, s, strings.Replace(c.target, "<ch/>", "", 1))
			before := form(target)
			got, err := Apply(target, mustEdit(t, s, c.edit), c.def)
			if diff := cmp.Diff(c.errors, report(err)); diff != "" {
				t.Fatalf("errors (-want +got)\n%s", diff)
			}
			if err != nil {
				if got != nil {
					t.Error("a tree comes with an error")
				}
			} else if diff := cmp.Diff(c.want, form(got)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if form(target) != before {
				t.Errorf("the target became %s", form(target))
			}
			if err == nil && form(got) == before && c.def != Replace && got != target {
				t.Error("an edit that changes nothing makes another tree")
			}
		})
	}
}

// TestApplyShares: what an edit does not touch is the same node afterwards.
func TestApplyShares(t *testing.T) {
	s := testSchema(t)
	target := mustParse(t, s, `<c><np><x>1</x></np><s>a</s></c><l><k>1</k></l><l><k>2</k></l><u><k>1</k></u>`)
	got, err := Apply(target, mustEdit(t, s, `<c><s>b</s></c><l><k>2</k><v>x</v></l>`), MergeOp)
	if err != nil {
		t.Fatal(err)
	}
	c := s.Root.Child(s.Module("t"), "c")
	if got.Get(c).Child("np") != target.Get(c).Child("np") || got.EntryNamed("l", "1") != target.EntryNamed("l", "1") ||
		got.kid(s.Root.ChildNamed("u")) != target.kid(s.Root.ChildNamed("u")) {
		t.Error("something that was not touched was copied")
	}
	if got.EntryNamed("l", "2") == target.EntryNamed("l", "2") {
		t.Error("the changed entry is the old one")
	}
}

// TestParse has every error of the input, whole, and all of them.
func TestParse(t *testing.T) {
	s := testSchema(t)
	bad := func(tag, element, path, message string) string {
		return wire(tag, path, message, "<bad-element>"+element+"</bad-element>")
	}
	protocol := func(e string) string { return strings.ReplaceAll(e, ">application<", ">protocol<") }
	attribute := func(tag, attr, element, path, message string) string {
		return protocol(wire(tag, path, message, "<bad-attribute>"+attr+"</bad-attribute><bad-element>"+element+"</bad-element>"))
	}
	edit, state, plain := Parser{Schema: s, Edit: true}, Parser{Schema: s, State: true}, Parser{Schema: s}
	root := "<error-path>/</error-path>"
	for _, c := range []struct {
		name   string
		parser Parser
		in     string
		want   string // of the tree
		errors string
	}{
		{"unknown namespace", plain, `<x xmlns="urn:nosuch"><y/></x>`, "", wire("unknown-namespace", root,
			`no module here has the namespace &quot;urn:nosuch&quot; of &lt;x&gt;`, "<bad-element>x</bad-element><bad-namespace>urn:nosuch</bad-namespace>")},
		{"no namespace", plain, `<c xmlns=""/>`, "", wire("unknown-namespace", root,
			`no module here has the namespace &quot;&quot; of &lt;c&gt;`, "<bad-element>c</bad-element><bad-namespace></bad-namespace>")},
		{"unknown at the top", plain, `<x/>`, "", bad("unknown-element", "x", root, `the module t has no top-level data node &quot;x&quot; here`)},
		{"unknown below", plain, `<c><x/></c>`, "", bad("unknown-element", "x", at("/t:c"), `the module t has no node &quot;x&quot; here`)},
		{"of another module", plain, `<c><np><u:extra/></np></c>`, "", bad("unknown-element", "extra", at("/t:c/t:np"), `the module u has no node &quot;extra&quot; here`)},
		{"same name, two modules", plain, `<c><s>1</s><u:s>2</u:s></c>`, `<c><s>1</s><s xmlns="urn:u">2</s></c>`, ""},
		{"bad value", plain, `<l><k>a</k></l><c><b>maybe</b></c>`, "", bad("invalid-value", "b", at("/t:c/t:b"), `&quot;maybe&quot; is neither true nor false`)},
		{"the restriction's own message", plain, `<c><n>101</n></c>`, "",
			strings.Replace(bad("invalid-value", "n", at("/t:c/t:n"), "out of bounds"), "</error-severity>", "</error-severity><error-app-tag>bounds</error-app-tag>", 1)},
		{"value of a leaf of type empty", plain, `<c><e>x</e></c>`, "", bad("invalid-value", "e", at("/t:c/t:e"), "it has the type empty and can hold no value")},
		{"path with keys", plain, `<two><b>k</b><a>1</a><in><k>i</k><nosuch/></in></two>`, "",
			bad("unknown-element", "nosuch", at("/t:two[t:b='k'][t:a='1']/t:in[t:k='i']"), `the module t has no node &quot;nosuch&quot; here`)},
		{"missing key", plain, `<l><v>x</v></l>`, "", protocol(bad("missing-element", "k", at("/t:l"), `the entry of the list &quot;l&quot; lacks its key &quot;k&quot;`))},
		{"one of two keys is missing", plain, `<two><b>k</b></two>`, "", protocol(bad("missing-element", "a", at("/t:two[t:b='k']"), `the entry of the list &quot;two&quot; lacks its key &quot;a&quot;`))},
		{"bad key is told once", plain, `<two><b>k</b><a>x</a></two><two><b>k</b><a>x</a></two>`, "",
			strings.Repeat(bad("invalid-value", "a", at("/t:two[t:b='k']/t:a"), `&quot;x&quot; is no integer`), 2)},
		{"bad key and missing key", plain, `<two><a>x</a></two>`, "", protocol(bad("missing-element", "b", at("/t:two"), `the entry of the list &quot;two&quot; lacks its key &quot;b&quot;`)) + "+" +
			bad("invalid-value", "a", at("/t:two/t:a"), `&quot;x&quot; is no integer`)},
		{"duplicate leaf", plain, `<top>x</top><top>y</top>`, "", protocol(bad("bad-element", "top", at("/t:top"), "it stands there twice"))},
		{"duplicate container", plain, `<c><s/></c><c><s/></c>`, "", protocol(bad("bad-element", "c", at("/t:c"), "it stands there twice"))},
		{"duplicate entry", plain, `<l><k>1</k></l><l><v/><k>1</k></l>`, "", protocol(bad("bad-element", "l", at("/t:l[t:k='1']"), "it stands there twice"))},
		{"duplicate entry of the user's", plain, `<u><k>1</k></u><u><k>1</k></u>`, "", protocol(bad("bad-element", "u", at("/t:u[t:k='1']"), "it stands there twice"))},
		{"duplicate value", plain, `<c><ll>1</ll><ll>1</ll></c>`, "", protocol(bad("bad-element", "ll", at("/t:c/t:ll[.='1']"), "it stands there twice"))},
		{"duplicate by canonical value", plain, `<two><b>k</b><a>1</a></two><two><b>k</b><a> +01</a></two>`, "", protocol(bad("bad-element", "two", at("/t:two[t:b='k'][t:a='1']"), "it stands there twice"))},
		{"duplicates in state", state, `<st><sl>1</sl><sl>1</sl><kl><v>1</v></kl><kl><v>1</v></kl></st>`, `<st><kl><v>1</v></kl><kl><v>1</v></kl><sl>1</sl><sl>1</sl></st>`, ""},
		{"state in configuration", plain, `<c><state>x</state></c>`, "", bad("unknown-element", "state", at("/t:c/t:state"), `&quot;state&quot; is state, which cannot be configured`)},
		{"a state subtree in an edit", edit, `<st><kl><v>1</v></kl></st>`, "", bad("unknown-element", "st", at("/t:st"), `&quot;st&quot; is state, which cannot be configured`)},
		{"state where it may be", state, `<c><state>x</state></c>`, `<c><state>x</state></c>`, ""},
		{"text in a container", plain, `<c>some text<s/> </c>`, "", protocol(bad("bad-element", "c", at("/t:c"), `text &quot;some text&quot; where elements belong`))},
		{"element in a leaf", plain, `<top>a<b/>c<b/></top>`, "", protocol(bad("bad-element", "b", at("/t:top"), `&lt;top&gt; holds an element, but it is a leaf`))},
		{"key last", plain, `<l><v>x</v><k>1</k></l>`, `<l><k>1</k><v>x</v></l>`, ""},
		{"identity with a prefix", plain, `<c><id>u:dog</id></c>`, `<c><id xmlns:t="urn:u">t:dog</id></c>`, ""},
		{"identity without a prefix", plain, `<c><id>cat</id></c>`, `<c><id xmlns:t="urn:t">t:cat</id></c>`, ""},
		{"identity of the default namespace", plain, `<c><t:id xmlns="urn:u">dog</t:id></c>`, `<c><id xmlns:t="urn:u">t:dog</id></c>`, ""},
		{"prefix declared on the leaf", plain, `<c><id xmlns:q="urn:u">q:dog</id></c>`, `<c><id xmlns:t="urn:u">t:dog</id></c>`, ""},
		{"identity of an unknown prefix", plain, `<c><id>q:dog</id></c>`, "", bad("invalid-value", "id", at("/t:c/t:id"), `the prefix of the identity &quot;q:dog&quot; stands for no module here`)},
		{"identity of the wrong base", plain, `<c><id>t:animal</id></c>`, "", bad("invalid-value", "id", at("/t:c/t:id"), `the identity t:animal is not derived from t:animal`)},
		{"identities in a leaf-list are one value", plain, `<c><ids>cat</ids><ids>t:cat</ids></c>`, "", protocol(bad("bad-element", "ids", at("/t:c/t:ids[.='t:cat']"), "it stands there twice"))},
		{"instance-identifier", plain, `<c><ii> /t:l[ t:k = 'u:x' ]/u:more</ii></c>`, `<c><ii xmlns:t="urn:t" xmlns:t.1="urn:u">/t:l[t:k='u:x']/t.1:more</ii></c>`, ""},
		{"instance-identifier of an unknown prefix", plain, `<c><ii>/q:l</ii></c>`, "", bad("invalid-value", "ii", at("/t:c/t:ii"), `the name &quot;q:l&quot; of the instance-identifier is of no known module`)},
		{"unknown attribute", plain, `<c foo="1"><s/></c>`, "", attribute("unknown-attribute", "foo", "c", at("/t:c"), `&lt;c&gt; may not have the attribute &quot;foo&quot;`)},
		{"operation outside an edit", plain, `<c nc:operation="merge"/>`, "", attribute("unknown-attribute", "operation", "c", at("/t:c"), `&lt;c&gt; may not have the attribute &quot;operation&quot;`)},
		{"unknown operation", edit, `<c nc:operation="none"/>`, "", attribute("bad-attribute", "operation", "c", at("/t:c"),
			`attribute &quot;operation&quot; of &lt;c&gt;: the operation &quot;none&quot; is none of merge, replace, create, delete, remove`)},
		{"operation twice", edit, `<c nc:operation="merge" operation="delete"/>`, "", attribute("bad-attribute", "operation", "c", at("/t:c"),
			`attribute &quot;operation&quot; of &lt;c&gt;: it stands there twice, with a namespace and without`)},
		{"operation on a key", edit, `<l><k nc:operation="delete">1</k></l>`, "", attribute("bad-attribute", "operation", "k", at("/t:l/t:k"),
			`attribute &quot;operation&quot; of &lt;k&gt;: a key has no operation of its own`)},
		{"insert where the system orders", edit, `<l yang:insert="first"><k>1</k></l>`, "", protocol(wire("unknown-attribute", at("/t:l"), "&lt;l&gt; may not have the attribute &quot;insert&quot;", "<bad-attribute>insert</bad-attribute><bad-element>l</bad-element>"))},
		{"insert in plain data", plain, `<u yang:insert="first"><k>1</k></u>`, "", protocol(wire("unknown-attribute", at("/t:u"), "&lt;u&gt; may not have the attribute &quot;insert&quot;", "<bad-attribute>insert</bad-attribute><bad-element>u</bad-element>"))},
		{"a deleted entry needs its key's value", edit, `<two nc:operation="delete"><b>x</b><a/></two>`, "", bad("invalid-value", "a", at("/t:two[t:b='x']/t:a"), `&quot;&quot; is no integer`)},
		{"two cases", edit, `<c><a1>x</a1><short>y</short></c>`, "", protocol(bad("bad-element", "short", at("/t:c/t:short"), `it stands in another case of a choice than &quot;a1&quot;`))},
		{"two cases of an inner choice", edit, `<c><i2><k>1</k></i2><i1>x</i1></c>`, "", protocol(bad("bad-element", "i1", at("/t:c/t:i1"), `it stands in another case of a choice than &quot;i2&quot;`))},
		{"all errors", plain, `<nosuch/><c foo="1"><b>x</b><e>y</e><top/></c><l/>`, "",
			bad("unknown-element", "nosuch", root, `the module t has no top-level data node &quot;nosuch&quot; here`) +
				attribute("unknown-attribute", "foo", "c", at("/t:c"), `&lt;c&gt; may not have the attribute &quot;foo&quot;`) +
				bad("invalid-value", "b", at("/t:c/t:b"), `&quot;x&quot; is neither true nor false`) +
				bad("invalid-value", "e", at("/t:c/t:e"), "it has the type empty and can hold no value") +
				bad("unknown-element", "top", at("/t:c"), `the module t has no node &quot;top&quot; here`) +
				protocol(bad("missing-element", "k", at("/t:l"), `the entry of the list &quot;l&quot; lacks its key &quot;k&quot;`))},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.parser.ParseDocument([]byte(namespaces + c.in + "</data>"))
			want := c.errors
			if first, second, ok := strings.Cut(want, "+"); ok {
				want = second + first // told when the entry ends
			}
			if diff := cmp.Diff(want, report(err)); diff != "" {
				t.Fatalf("errors (-want +got)\n%s", diff)
			}
			if err == nil {
				if diff := cmp.Diff(c.want, form(got)); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			} else if got != nil {
				t.Error("a tree comes with an error")
			}
		})
	}
}

func TestParseDocumentForms(t *testing.T) {
	s := testSchema(t)
	p := Parser{Schema: s}
	for _, in := range []string{
		`<top xmlns="urn:t">x</top>`,
		`<data xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><top xmlns="urn:t">x</top></data>`,
		`<config><top xmlns="urn:t">x</top></config>`,
		"<?xml version='1.0'?>\n<config xmlns='urn:t'>\n <top>x</top>\n</config>\n",
	} {
		n, err := p.ParseDocument([]byte(in))
		if err != nil || form(n) != "<top>x</top>" {
			t.Errorf("%s: %s, %v", in, form(n), err)
		}
	}
	for _, in := range []string{``, `<data>`, `<data/><data/>`, `<data><top xmlns="urn:t">x</data>`, `<top xmlns="urn:t">x</top>y`} {
		if n, err := p.ParseDocument([]byte(in)); AsSyntaxError(err) == nil || n != nil {
			t.Errorf("%s: %v, want a syntax error", in, err)
		}
	}
	if AsSyntaxError(rpcerr.DataExists()) != nil {
		t.Error("an error of the data is no syntax error")
	}
}

func TestParseMany(t *testing.T) {
	p := Parser{Schema: testSchema(t)}
	_, err := p.ParseDocument([]byte(namespaces + strings.Repeat("<x/>", 5000) + "</data>"))
	if list, known := rpcerr.List(err); !known || len(list) != maxErrors {
		t.Errorf("%d errors, want %d", len(list), maxErrors)
	}
}

// TestParseOperations: rpcs and notifications, whose nodes are neither
// configuration nor state.
func TestParseOperations(t *testing.T) {
	s := testSchema(t)
	p := Parser{Schema: s}
	input := s.RPC("t", "do").Children[0]
	for _, c := range []struct {
		schema   *yang.Node
		in, want string
	}{
		{input, `<a>x</a><c><b>y</b><m>1</m><m>1</m></c>`, ""},
		{input, `<a>x</a><nosuch/>`, wire("unknown-element", at("/t:do"), "the module t has no node &quot;nosuch&quot; here", "<bad-element>nosuch</bad-element>")},
		{input, `<c><b><x/></b></c>`, strings.ReplaceAll(wire("bad-element", at("/t:do/t:c/t:b"), "&lt;b&gt; holds an element, but it is a leaf", "<bad-element>x</bad-element>"), ">application<", ">protocol<")},
		{s.Notification("t", "note"), `<a>x</a><c><b>y</b></c>`, ""},
	} {
		n, err := p.ParseRaw(xmltext.Raw{Content: []byte(c.in), Bindings: []xmltext.Binding{{Prefix: "", Space: "urn:t"}}}, c.schema)
		if diff := cmp.Diff(c.want, report(err)); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.in, diff)
		}
		if err == nil && form(n) != c.in {
			t.Errorf("%s became %s", c.in, form(n))
		}
	}
}

// TestAnyOutlivesInput: an anydata keeps nothing of the message it came in.
func TestAnyOutlivesInput(t *testing.T) {
	s := testSchema(t)
	in := []byte(namespaces + `<c><any><a>x</a></any></c></data>`)
	p := Parser{Schema: s}
	n, err := p.ParseDocument(in)
	if err != nil {
		t.Fatal(err)
	}
	clear(in)
	if got := string(n.Get(s.Root.Child(s.Module("t"), "c")).Child("any").Raw().Content); got != "<a>x</a>" {
		t.Errorf("content = %q", got)
	}
}

// FuzzParse: whatever comes, there is a tree or errors of the two kinds; a tree
// survives being written and read, and an edit is applied or refused.
func FuzzParse(f *testing.F) {
	for _, in := range []string{
		`<c><s>x</s><id>u:dog</id><any><a/></any></c>`, `<l><k>1</k></l><l nc:operation="delete"><k>2</k></l>`, `<c><a1/><b1/></c>`,
		`<two><b>k</b><a>1</a><in><k/></in></two>`, `<c><ii>/t:l[t:k='x']</ii><uni>7</uni><xml xmlns="">t</xml></c>`, `<st><sl/><kl/><kl/></st>`,
		`<c><p nc:operation="create"/><ul>b</ul><ul>a</ul></c>`, `<top`, `<nosuch/>`,
	} {
		f.Add(in)
	}
	s := testSchema(f)
	target := mustParse(f, s, `<c><s>x</s><b1>y</b1><ul>a</ul></c><l><k>1</k><v>z</v></l><u><k>1</k></u>`)
	f.Fuzz(func(t *testing.T, in string) {
		doc := []byte(namespaces + in + "</data>")
		for _, p := range []Parser{{Schema: s}, {Schema: s, State: true}, {Schema: s, Edit: true}} {
			n, err := p.ParseDocument(doc)
			if err != nil {
				var one *rpcerr.Error
				if !errors.As(err, &one) && AsSyntaxError(err) == nil || n != nil {
					t.Fatalf("tree %v, error %v", n, err)
				}
				continue
			}
			if p.Edit {
				before := form(target)
				for _, def := range []Op{MergeOp, Replace, None} {
					out, err := Apply(target, n, def)
					var one *rpcerr.Error
					if err != nil && !errors.As(err, &one) || (err == nil) == (out == nil) {
						t.Fatalf("tree %v, error %v", out, err)
					}
				}
				if form(target) != before {
					t.Fatal("the target was changed")
				}
				continue
			}
			again, err := p.ParseDocument(append(AppendChildrenXML([]byte("<data>"), n, ""), "</data>"...))
			if err != nil || !Equal(n, again) {
				t.Fatalf("%s\nread again is\n%s\n%v", form(n), form(again), err)
			}
			AppendChildrenJSON(nil, n, nil)
		}
	})
}
