package alarm_test

import (
	"context"
	"flag"
	"sync"
	"testing"
	"time"

	"incidentd/datastore"
	"incidentd/incident/alarm"
	"incidentd/incident/event"
	"incidentd/incident/incidenttest"
	"incidentd/netconf"
	"incidentd/netconf/netconftest"
	"incidentd/yang"
)

var update = flag.Bool("update", false, "write what the server says into the dialogues")

// served is the schema of a server that has alarms and little else.
var served = sync.OnceValues(func() (*yang.Schema, error) { return incidenttest.Schema(alarm.Features()) })

// TestDialogues plays the dialogues of testdata. <report-events> reports alarms, and does
// nothing else with them; something that is open refers to alarms of the resource "held".
func TestDialogues(t *testing.T) {
	schema, err := served()
	if err != nil {
		t.Fatal(err)
	}
	netconftest.Play(t, "testdata/*.txt", *update, netconftest.Config{Schema: schema, NACM: true, Audit: true, Setup: func(b *netconftest.Bench) {
		a, err := alarm.New(alarm.Config{Store: b.Store, Open: func(_ *datastore.Tx, k alarm.Key) bool { return k.Resource == "held" }})
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Register(b.Server); err != nil {
			t.Fatal(err)
		}
		err = b.Server.Handle("incidentd-events", "report-events", func(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
			var events []*event.Event
			for n := range r.Input.Entries("event") {
				e := &event.Event{ID: n.Leaf("id"), Node: n.Leaf("node"), Resource: n.Leaf("resource"), AlarmTypeID: n.Leaf("alarm-type-id"),
					AlarmTypeQualifier: n.Leaf("alarm-type-qualifier"), Text: n.Leaf("text")}
				e.Severity, _ = event.ParseSeverity(n.Leaf("severity"))
				e.Time, _ = time.Parse(time.RFC3339, n.Leaf("time"))
				events = append(events, e)
			}
			return nil, b.Store.Update(ctx, func(tx *datastore.Tx) error {
				e := a.Begin(tx)
				e.Report(events)
				return e.Done()
			})
		})
		if err != nil {
			t.Fatal(err)
		}
	}})
}
