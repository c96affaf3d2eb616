package diagnose

import (
	"slices"

	"incidentd/yang/data"
)

// Subject is what a diagnosis is about.
type Subject struct {
	ID       string
	Category string // an identity of ietf-incident-types, without its module
	// Degraded says that what is told of is loss or delay, and not that something is down.
	Degraded bool
	// Planned says that a maintenance window explains the incident.
	Planned  bool
	Causes   []Place // what the correlator holds to be the cause, the best first
	Sources  []Place // where events come from
	Services []string
}

// subjectOf reads the entry of an incident.
func subjectOf(inc *data.Node) Subject {
	s := Subject{ID: inc.Leaf("incident-id"), Category: local(inc.Leaf("category")), Services: inc.Values("service-instance"),
		Planned: slices.Contains(inc.Values("label"), "maintenance")}
	for c := range inc.Child("root-causes").Entries("root-cause") {
		s.Causes = append(s.Causes, places(c)...)
	}
	for c := range inc.Child("sources").Entries("source") {
		s.Sources = append(s.Sources, places(c)...)
	}
	degraded, down := false, false
	for v := range inc.Entries("service-impact") {
		degraded = degraded || v.Leaf("state") == "degraded"
		down = down || v.Leaf("state") == "outage"
	}
	s.Degraded = degraded && !down
	return s
}

// places are those that an entry of a node names: its resources, or the node itself.
func places(n *data.Node) (list []Place) {
	node := n.Leaf("node")
	for r := range n.Entries("resource") {
		list = append(list, Place{node, r.Leaf("name")})
	}
	if len(list) == 0 {
		list = []Place{{Node: node}}
	}
	return list
}

// nodes are those of places, each once.
func nodes(list []Place) (out []string) {
	for _, p := range list {
		if !slices.Contains(out, p.Node) {
			out = append(out, p.Node)
		}
	}
	return out
}

// local is the name of an identity without its module.
func local(identity string) string {
	for i := len(identity) - 1; i >= 0; i-- {
		if identity[i] == ':' {
			return identity[i+1:]
		}
	}
	return identity
}
