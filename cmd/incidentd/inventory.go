package main

import (
	"slices"

	"incidentd/incident/topology"
)

// joinInventories adds to what a file says of nodes what a configuration says of
// others; the file is the later word on its own nodes. Either may be nil.
func joinInventories(file, config *topology.Inventory) *topology.Inventory {
	if file == nil || config == nil {
		if file == nil {
			return config
		}
		return file
	}
	own := map[string]bool{}
	for _, n := range file.Nodes {
		own[n.ID] = true
	}
	out := &topology.Inventory{Nodes: slices.Clone(file.Nodes)}
	for _, n := range config.Nodes {
		if !own[n.ID] {
			out.Nodes = append(out.Nodes, n)
		}
	}
	return out
}
