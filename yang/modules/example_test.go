package modules_test

import (
	"fmt"
	"strings"

	"incidentd/yang/modules"
)

func ExampleSource() {
	text, err := modules.Source("ietf-network", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	first, _, _ := strings.Cut(string(text), "\n")
	fmt.Println(first)
	// Output: module ietf-network {
}
