package incident_test

import (
	"flag"
	"maps"
	"sync"
	"testing"

	"incidentd/incident"
	"incidentd/incident/alarm"
	"incidentd/netconf/netconftest"
	"incidentd/netconf/ops"
	"incidentd/netconf/push"
	"incidentd/netconf/subscribe"
	"incidentd/yang"
	"incidentd/yang/modules"
)

var update = flag.Bool("update", false, "write what the server says into the dialogues")

// served is the schema of a server that has incidents and what they need.
var served = sync.OnceValues(func() (*yang.Schema, error) {
	features := map[string][]string{}
	for _, more := range []map[string][]string{alarm.Features(), ops.Features(), subscribe.Features(), push.Features()} {
		maps.Copy(features, more)
	}
	return yang.Compile(modules.FS, yang.Options{Features: features, Implemented: []string{
		"ietf-alarms", "ietf-alarms-x733", "incidentd-alarms", "incidentd-alarm-types", "incidentd-correlation", "incidentd-events", "incidentd-collector",
		"ietf-incident", "ietf-incident-types", "ietf-network-topology", "incidentd-admission", "incidentd-incident", "incidentd-maintenance", "incidentd-management",
		"ietf-datastores", "ietf-factory-default", "ietf-list-pagination", "ietf-list-pagination-nc", "ietf-netconf", "ietf-netconf-acm",
		"ietf-netconf-monitoring", "ietf-netconf-nmda", "ietf-netconf-notifications", "ietf-netconf-partial-lock", "ietf-netconf-with-defaults",
		"ietf-notification-capabilities", "ietf-origin", "ietf-subscribed-notif-receivers", "ietf-subscribed-notifications", "ietf-system",
		"ietf-system-capabilities", "ietf-yang-library", "ietf-yang-push", "ietf-yp-observation", "incidentd-access", "incidentd-audit", "incidentd-call-home",
		"incidentd-history", "incidentd-notifications", "nc-notifications", "notifications",
	}})
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
