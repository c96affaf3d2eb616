package data

import (
	"sync"
	"testing"
	"testing/fstest"

	"incidentd/yang"
	"incidentd/yang/modules"
	"incidentd/yang/xmltext"
)

// testModule has every kind of node.
const testModule = `module t {
  yang-version 1.1; namespace "urn:t"; prefix t;
  identity animal;
  identity cat { base animal; }
  container c {
    leaf s { type string; }
    leaf n { type uint8 { range "1..100" { error-message "out of bounds"; error-app-tag "bounds"; } } }
    leaf def { type string; default "d"; }
    leaf e { type empty; }
    leaf b { type boolean; }
    leaf big { type uint64; }
    leaf dec { type decimal64 { fraction-digits 2; } }
    leaf bits { type bits { bit one; bit two; } }
    leaf id { type identityref { base animal; } }
    leaf ii { type instance-identifier { require-instance false; } }
    leaf uni { type union { type uint8; type identityref { base animal; } type string; } }
    leaf ref { type leafref { path "/t:l/t:k"; require-instance false; } }
    leaf-list ll { type string; }
    leaf-list ul { type string; ordered-by user; }
    leaf-list ids { type identityref { base animal; } }
    container np { leaf x { type string; } container deep { leaf y { type string; } } }
    container p { presence "yes"; leaf x { type string; } }
    choice ch {
      case a { leaf a1 { type string; } container a2 { leaf x { type string; } } }
      case b { leaf b1 { type string; }
        choice inner { leaf i1 { type string; } list i2 { key k; leaf k { type string; } } } }
      leaf short { type string; }
    }
    anydata any;
    anyxml xml;
    leaf state { config false; type string; }
  }
  list l { key k; leaf k { type string; } leaf v { type string; } leaf w { type string; } }
  list u { key k; ordered-by user; leaf k { type string; } leaf v { type string; } }
  list two { leaf v { type string; } key "b a"; leaf a { type uint8; } leaf b { type string; }
    list in { key k; leaf k { type string; } leaf v { type string; } } }
  leaf top { type string; }
  container st { config false;
    list kl { leaf v { type string; } container c { leaf x { type string; } leaf y { type string; } } }
    leaf-list sl { type string; }
    list keyed { key k; leaf k { type string; } leaf v { type string; } } }
  rpc do { input { leaf a { type string; mandatory true; } container c { leaf b { type string; } leaf-list m { type string; } } }
    output { leaf r { type string; } } }
  notification note { leaf a { type string; } container c { leaf b { type string; } } }
}`

// userModule augments t, under the prefix of t.
const userModule = `module u {
  yang-version 1.1; namespace "urn:u"; prefix t;
  import t { prefix tt; }
  identity dog { base tt:animal; }
  augment "/tt:c" { leaf s { type string; } leaf extra { type string; } list ul2 { key k; leaf k { type string; } } }
  augment "/tt:l" { leaf more { type string; } }
  container c { leaf z { type string; } }
}`

var schemas = sync.OnceValues(func() (*yang.Schema, error) {
	return yang.Compile(fstest.MapFS{"t.yang": {Data: []byte(testModule)}, "u.yang": {Data: []byte(userModule)}}, yang.Options{})
})

func testSchema(t testing.TB) *yang.Schema {
	t.Helper()
	s, err := schemas()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var embedded = sync.OnceValues(func() (*yang.Schema, error) { return yang.Compile(modules.FS, yang.Options{}) })

func embeddedSchema(t testing.TB) *yang.Schema {
	t.Helper()
	s, err := embedded()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// namespaces is what test inputs may use.
const namespaces = `<data xmlns="urn:t" xmlns:t="urn:t" xmlns:u="urn:u" xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0" xmlns:yang="urn:ietf:params:xml:ns:yang:1">`

func mustParse(t testing.TB, s *yang.Schema, xml string) *Node {
	t.Helper()
	p := Parser{Schema: s, State: true}
	n, err := p.ParseDocument([]byte(namespaces + xml + "</data>"))
	if err != nil {
		t.Fatalf("%s: %v", xml, err)
	}
	if packParsed {
		return n.Packed()
	}
	return n
}

func mustEdit(t testing.TB, s *yang.Schema, xml string) *Node {
	t.Helper()
	p := Parser{Schema: s, Edit: true}
	n, err := p.ParseDocument([]byte(namespaces + xml + "</data>"))
	if err != nil {
		t.Fatalf("%s: %v", xml, err)
	}
	return n
}

// form is a tree as the tests write it: in the default namespace urn:t.
func form(n *Node) string {
	if n == nil {
		return "nothing"
	}
	return string(AppendChildrenXML(nil, n, "urn:t"))
}

func elements(t testing.TB, xml string) []*xmltext.Element {
	t.Helper()
	e, err := xmltext.ParseElement([]byte(namespaces+xml+"</data>"), xmltext.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return e.Children
}

// yangCompile compiles the body of a module m.
func yangCompile(body string) (*yang.Schema, error) {
	return yang.Compile(fstest.MapFS{"m.yang": {Data: []byte("module m { yang-version 1.1; namespace \"urn:m\"; prefix m; " + body + " }")}}, yang.Options{})
}
