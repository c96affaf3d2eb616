package incident

import (
	"testing"

	"incidentd/incident/alarm"
	"incidentd/incident/correlate"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/modules"
)

// TestImpact: services that are hit and those at risk stand in one list, each with how it
// is hit, in the incident and in its notification; what recurs names what it recurs.
func TestImpact(t *testing.T) {
	s, err := yang.Compile(modules.FS, yang.Options{Features: alarm.Features(),
		Implemented: []string{"ietf-incident", "ietf-incident-types", "ietf-alarms", "incidentd-events", "incidentd-incident", "incidentd-correlation", "incidentd-management"}})
	if err != nil {
		t.Fatal(err)
	}
	schema := newSchema(s)
	inc := &correlate.Incident{No: 7, Status: correlate.Raised, Domain: "ip", Category: "network", RecurrenceOf: 3, Recurrences: 2,
		ServiceInstances: []string{"blue", "red"}, ServiceStates: []correlate.ServiceState{correlate.Outage, correlate.Degraded}, AtRisk: []string{"green"}}
	entry := schema.encode(inc, nil, nil, nil)
	for name, n := range map[string]*data.Node{"incident": entry, "notification": schema.notification(entry, inc.RaiseTime)} {
		got := map[string]string{}
		for v := range n.Entries("service-impact") {
			got[v.Leaf("service-instance")] = v.Leaf("state")
		}
		if len(got) != 3 || got["blue"] != "outage" || got["red"] != "degraded" || got["green"] != "at-risk" {
			t.Errorf("%s: services %v", name, got)
		}
		if hurt := n.Values("service-instance"); len(hurt) != 2 {
			t.Errorf("%s: it hurts %v", name, hurt)
		}
		if n.Leaf("recurrence-of") != "inc-3" || n.Leaf("recurrences") != "2" {
			t.Errorf("%s: recurs %s, %s", name, n.Leaf("recurrence-of"), n.Leaf("recurrences"))
		}
	}
}

// TestSteps: the history of an incident keeps its first entry and the last ones, with rising
// numbers.
func TestSteps(t *testing.T) {
	s, err := yang.Compile(modules.FS, yang.Options{Features: alarm.Features(),
		Implemented: []string{"ietf-incident", "ietf-incident-types", "ietf-alarms", "incidentd-events", "incidentd-incident", "incidentd-correlation", "incidentd-management"}})
	if err != nil {
		t.Fatal(err)
	}
	schema := newSchema(s)
	inc := data.NewEntry(schema.list, "inc-1")
	for range mostSteps + 20 {
		inc = schema.withStep(inc, step{action: "updated"})
	}
	var numbers []string
	for h := range inc.Entries("history") {
		numbers = append(numbers, h.Leaf("number"))
	}
	if n := len(numbers); n != mostSteps || numbers[0] != "1" || numbers[1] != "22" || numbers[n-1] != "120" {
		t.Errorf("%d steps: %v", len(numbers), numbers)
	}
}
