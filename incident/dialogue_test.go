package incident_test

import (
	"flag"
	"sync"
	"testing"

	"incidentd/incident"
	"incidentd/incident/alarm"
	"incidentd/incident/incidenttest"
	"incidentd/netconf/netconftest"
	"incidentd/yang"
)

var update = flag.Bool("update", false, "write what the server says into the dialogues")

// served is the schema of a server that has incidents and what they need.
var served = sync.OnceValues(func() (*yang.Schema, error) {
	return incidenttest.Schema(alarm.Features(), "ietf-incident", "ietf-incident-types", "ietf-network-topology", "incidentd-admission", "incidentd-incident",
		"incidentd-maintenance", "incidentd-management")
})

// TestDialogues plays the dialogues of testdata.
func TestDialogues(t *testing.T) {
	schema, err := served()
	if err != nil {
		t.Fatal(err)
	}
	netconftest.Play(t, "testdata/*.txt", *update, netconftest.Config{Schema: schema, NACM: true, Audit: true, Setup: func(b *netconftest.Bench) {
		m, err := incident.New(incident.Config{Store: b.Store})
		if err != nil {
			t.Fatal(err)
		}
		m.Start()
		b.OnEnd(func() {
			if err := m.Stop(); err != nil {
				t.Error(err)
			}
		})
		if err := m.Register(b.Server); err != nil {
			t.Fatal(err)
		}
	}})
}
