package xpath_test

import (
	"fmt"

	"incidentd/yang/xpath"
)

func ExampleCompile() {
	ns := xpath.Namespaces{Prefixes: map[string]string{"nw": "urn:ietf:params:xml:ns:yang:ietf-network"}}
	e, err := xpath.Compile("/nw:networks/nw:network[ nw:network-id = current()/../network-ref ]/nw:node", ns)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(e)
	fmt.Println(e.Kind())
	for _, p := range e.Paths() {
		fmt.Print(p.Absolute, " ", p.Ups)
		for _, n := range p.Names {
			fmt.Print(" ", n.Local)
		}
		fmt.Println()
	}

	_, err = xpath.Compile("/nw:networks[count('x') > 1]", ns)
	fmt.Println(err)
	// Output:
	// /nw:networks/nw:network[nw:network-id = current()/../network-ref]/nw:node
	// node-set
	// true 0 networks network network-id
	// false 1 network-ref
	// true 0 networks network node
	// xpath: argument 1 of count() must be a node-set, not a string at position 20 of "/nw:networks[count('x') > 1]"
}
