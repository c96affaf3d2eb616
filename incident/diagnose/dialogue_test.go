package diagnose_test

import (
	"flag"
	"fmt"
	"maps"
	"sync"
	"testing"

	"incidentd/incident"
	"incidentd/incident/alarm"
	"incidentd/incident/diagnose"
	"incidentd/incident/diagnose/diagnosetest"
	"incidentd/netconf/netconftest"
	"incidentd/netconf/ops"
	"incidentd/netconf/push"
	"incidentd/netconf/subscribe"
	"incidentd/oam"
	"incidentd/yang"
	"incidentd/yang/modules"
)

var update = flag.Bool("update", false, "write what the server says into the dialogues")

// served is the schema of a server that diagnoses incidents.
var served = sync.OnceValues(func() (*yang.Schema, error) {
	features := map[string][]string{"ietf-schedule": {"basic-recurrence-supported"}}
	for _, more := range []map[string][]string{alarm.Features(), ops.Features(), subscribe.Features(), push.Features()} {
		maps.Copy(features, more)
	}
	return yang.Compile(modules.FS, yang.Options{Features: features, Implemented: []string{
		"ietf-alarms", "ietf-alarms-x733", "incidentd-alarms", "incidentd-alarm-types", "incidentd-correlation", "incidentd-events", "incidentd-collector",
		"ietf-incident", "ietf-incident-types", "ietf-network-topology", "incidentd-admission", "incidentd-incident", "incidentd-maintenance", "incidentd-management",
		"ietf-oam-unitary-test", "ietf-oam-test-sequence", "ietf-schedule", "incidentd-oam-tests", "incidentd-diagnosis", "incidentd-inventory",
		"ietf-datastores", "ietf-factory-default", "ietf-list-pagination", "ietf-list-pagination-nc", "ietf-netconf", "ietf-netconf-acm",
		"ietf-netconf-monitoring", "ietf-netconf-nmda", "ietf-netconf-notifications", "ietf-netconf-partial-lock", "ietf-netconf-with-defaults",
		"ietf-notification-capabilities", "ietf-origin", "ietf-subscribed-notif-receivers", "ietf-subscribed-notifications", "ietf-system",
		"ietf-system-capabilities", "ietf-yang-library", "ietf-yang-push", "ietf-yp-observation", "incidentd-access", "incidentd-audit", "incidentd-call-home",
		"incidentd-history", "incidentd-notifications", "nc-notifications", "notifications",
	}})
})

// setup adds the managers to a bench.
func setup(b *netconftest.Bench, engines map[string]oam.Engine) (*incident.Manager, error) {
	incidents, err := incident.New(incident.Config{Store: b.Store})
	if err != nil {
		return nil, err
	}
	tests, err := oam.New(oam.Config{Store: b.Store, DB: b.DB, Strict: true, Engines: engines})
	if err != nil {
		return nil, err
	}
	diagnoses, err := diagnose.New(diagnose.Config{Store: b.Store, Incidents: incidents, Tests: tests})
	if err != nil {
		return nil, err
	}
	for _, f := range []func() error{
		func() error { return incidents.Register(b.Server) },
		func() error { return tests.Register(b.Server) },
		func() error { return diagnoses.Register(b.Server) },
		tests.Start,
		diagnoses.Start,
	} {
		if err := f(); err != nil {
			return nil, err
		}
	}
	incidents.Start()
	b.OnEnd(func() {
		diagnoses.Stop()
		tests.Stop()
		if err := incidents.Stop(); err != nil {
			panic(fmt.Sprint("incidents: ", err))
		}
	})
	return incidents, nil
}

// TestDialogues plays the dialogues of testdata.
func TestDialogues(t *testing.T) {
	schema, err := served()
	if err != nil {
		t.Fatal(err)
	}
	netconftest.Play(t, "testdata/*.txt", *update, netconftest.Config{Schema: schema, NACM: true, Audit: true, Setup: func(b *netconftest.Bench) {
		if _, err := setup(b, diagnosetest.Engines(nil)); err != nil {
			t.Fatal(err)
		}
	}})
}
