package data_test

import (
	"fmt"
	"testing/fstest"

	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/xmltext"
)

// An edit makes a new tree and leaves the old one as it was.
func ExampleApply() {
	schema, err := yang.Compile(fstest.MapFS{"shop.yang": {Data: []byte(`module shop {
		yang-version 1.1; namespace "urn:shop"; prefix s;
		container shop { list item { key name; leaf name { type string; } leaf price { type uint8; } } }
	}`)}}, yang.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	parse := func(text string) *data.Node {
		p := data.Parser{Schema: schema, Edit: true}
		n, err := p.ParseRaw(xmltext.Raw{Content: []byte(text), Bindings: []xmltext.Binding{{Prefix: "nc", Space: data.NetconfNamespace}}}, schema.Root)
		if err != nil {
			fmt.Println(err)
		}
		return n
	}
	before := parse(`<shop xmlns="urn:shop"><item><name>tea</name><price>3</price></item></shop>`)
	edit := parse(`<shop xmlns="urn:shop"><item nc:operation="delete"><name>tea</name></item><item><name>milk</name></item></shop>`)
	after, err := data.Apply(before, edit, data.MergeOp)
	fmt.Println(err)
	fmt.Printf("%s\n", data.AppendChildrenXML(nil, before, ""))
	fmt.Printf("%s\n", data.AppendChildrenXML(nil, after, ""))
	_, err = data.Apply(after, edit, data.MergeOp)
	fmt.Println(err)
	// Output:
	// <nil>
	// <shop xmlns="urn:shop"><item><name>tea</name><price>3</price></item></shop>
	// <shop xmlns="urn:shop"><item><name>milk</name></item></shop>
	// data-missing: it does not exist, so it cannot be deleted [/s:shop/s:item[s:name='tea']]
}
