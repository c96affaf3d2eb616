package yang_test

import (
	"fmt"
	"os"
	"testing/fstest"

	"incidentd/yang"
)

func ExampleCompile() {
	schema, err := yang.Compile(fstest.MapFS{"shop.yang": {Data: []byte(`module shop {
		yang-version 1.1; namespace "urn:shop"; prefix s;
		container shop { list item { key name; leaf name { type string; } leaf price { type decimal64 { fraction-digits 2; } } } }
	}`)}}, yang.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	price := schema.Root.ChildNamed("shop").ChildNamed("item").ChildNamed("price")
	canonical, _ := price.Type.Canonical(" 1.50", schema, nil)
	_, refused := price.Type.Canonical("cheap", schema, nil)
	fmt.Println(price)
	fmt.Println(canonical)
	fmt.Println(refused)
	// Output:
	// leaf /shop:shop/item/price
	// 1.5
	// "cheap" is no decimal number with at most 2 fraction digits
}

func ExampleModule_WriteTree() {
	schema, err := yang.CompileFiles([]yang.File{{Name: "shop.yang", Text: []byte(`module shop {
		yang-version 1.1; namespace "urn:shop"; prefix s;
		list item { key name; leaf name { type string; } leaf-list colour { type string; } action sell; }
	}`)}}, yang.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := schema.Module("shop").WriteTree(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// module: shop
	//   +--rw item* [name]
	//      +--rw name      string
	//      +--rw colour*   string
	//      +---x sell
}
