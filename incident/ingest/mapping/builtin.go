package mapping

import (
	"embed"
	"fmt"

	"incidentd/yang"
	"incidentd/yang/data"
)

// documents are the tables that come with the server, each a configuration.
//
//go:embed tables/*.xml
var documents embed.FS

// order is that of the tables that come with the server.
var order = []string{"frr", "junos", "ios-xr", "linux", "snmp-interfaces", "node-exporter"}

// Builtin returns the tables that come with the server, as entries of the list table.
func Builtin(s *yang.Schema) ([]*data.Node, error) {
	parser := &data.Parser{Schema: s}
	var tables []*data.Node
	for _, name := range order {
		text, err := documents.ReadFile("tables/" + name + ".xml")
		if err != nil {
			return nil, err
		}
		root, err := parser.ParseDocument(text)
		if err != nil {
			return nil, fmt.Errorf("table %s: %w", name, err)
		}
		t := root.Child("mapping").EntryNamed("table", name)
		if t == nil {
			return nil, fmt.Errorf("table %s is not in the file of its name", name)
		}
		tables = append(tables, t)
	}
	return tables, nil
}
