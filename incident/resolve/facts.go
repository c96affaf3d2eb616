package resolve

import (
	"strings"

	"incidentd/yang/data"
)

// facts are what procedures go by of an incident.
type facts struct {
	id, kind, category, domain, priority string
	node, resource, cause                string // of the first root cause
	services                             []string
	run                                  string
	advice                               string
}

// factsOf reads the entry of an incident.
func factsOf(inc *data.Node) *facts {
	f := &facts{id: inc.Leaf("incident-id"), kind: inc.Leaf("type"), category: local(inc.Leaf("category")), domain: local(inc.Leaf("domain")),
		priority: inc.Leaf("priority"), services: inc.Values("service-instance"), advice: inc.Leaf("resolve-advice")}
	for c := range inc.Child("root-causes").Entries("root-cause") {
		f.node, f.cause = c.Leaf("node"), c.Leaf("cause-name")
		for r := range c.Entries("resource") {
			f.resource, f.cause = r.Leaf("name"), r.Leaf("cause-name")
			break
		}
		break
	}
	return f
}

// local is an identity without its module.
func local(identity string) string { return identity[strings.IndexByte(identity, ':')+1:] }

// value is the value of a parameter, "" if the incident has none.
func (f *facts) value(parameter string) string {
	switch parameter {
	case "incident-id":
		return f.id
	case "type":
		return f.kind
	case "category":
		return f.category
	case "priority":
		return f.priority
	case "node":
		return f.node
	case "resource":
		return f.resource
	case "cause-name":
		return f.cause
	case "service-instance":
		if len(f.services) > 0 {
			return f.services[0]
		}
	case "run-id":
		return f.run
	}
	return ""
}

// health is what getting worse is measured by.
type health struct {
	urgency, hit, out int
}

// urgencies are the priorities, the most urgent last.
var urgencies = map[string]int{"low": 1, "medium": 2, "high": 3, "critical": 4}

// healthOf reads the entry of an incident.
func healthOf(inc *data.Node) health {
	h := health{urgency: urgencies[inc.Leaf("priority")]}
	for s := range inc.Entries("service-impact") {
		switch s.Leaf("state") {
		case "at-risk":
			continue
		case "outage":
			h.out++
		}
		h.hit++
	}
	return h
}

// worse tells in which way an incident is worse than it was, "" if it is not.
func (h health) worse(was health) string {
	switch {
	case h.urgency > was.urgency:
		return "its priority has risen"
	case h.out > was.out:
		return "more services are without service"
	case h.hit > was.hit:
		return "more services are hit"
	}
	return ""
}
