package alarm_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"incidentd/datastore"
	"incidentd/incident/alarm"
	"incidentd/incident/event"
)

func down(node, resource, text string) *event.Event {
	return &event.Event{Node: node, Resource: resource, AlarmTypeID: "link-down", Severity: event.Major, Text: text}
}

func up(node, resource, text string) *event.Event {
	e := down(node, resource, text)
	e.Severity = event.Cleared
	return e
}

func keyOf(e *event.Event) alarm.Key {
	return alarm.Key{Resource: e.Node + "/" + e.Resource, TypeID: "incidentd-alarm-types:link-down"}
}

// TestHold follows a maintenance window: what it takes by resource and one by one is put aside
// without a word, and in the end what is left is back and told.
func TestHold(t *testing.T) {
	b := open(t)
	var returned []string
	b.close()
	b.config.Returned = func(_ *datastore.Tx, shelf string, list []alarm.Alarm) error {
		for _, a := range list {
			returned = append(returned, fmt.Sprint(shelf, " ", a.Resource, " ", a.Severity, " ", a.Cleared, " ", a.Text))
		}
		return nil
	}
	b.open()
	b.report(down("P1", "eth1", "known before"))
	b.notices()
	want := func(what string, wanted ...string) {
		t.Helper()
		if d := cmp.Diff(wanted, b.notices()); d != "" {
			t.Errorf("%s: notifications (-want +got):\n%s", what, d)
		}
		b.valid()
	}
	b.edit(func(e *alarm.Edit) {
		e.Hold(alarm.Hold{Name: "cutover-7", Reason: "new line card in P1", Operator: "planner", Resources: []string{"P1"}})
	})
	want("the begin")
	related, unrelated := down("P2", "eth0", "a consequence"), down("P2", "eth9", "something else")
	b.edit(func(e *alarm.Edit) {
		e.Report([]*event.Event{related, unrelated, down("P1", "slot/1", "pulled")})
		if n := e.Shelve("cutover-7", keyOf(related), keyOf(down("P9", "eth9", ""))); n != 1 {
			t.Errorf("Shelve = %d, want the one that is there", n)
		}
		if n := e.Shelve("no such hold", keyOf(unrelated)); n != 0 {
			t.Errorf("Shelve = %d on a hold that does not stand", n)
		}
	})
	want("in the window", "P2/eth9 major something else")
	b.close() // a restart changes nothing
	b.open()
	b.report(up("P2", "eth0", "it is back"), down("P1", "eth1", "says something else"))
	want("after a restart")
	hold := b.top().Child("holds").EntryNamed("hold", "cutover-7")
	if d := cmp.Diff([]string{"new line card in P1", "planner", "P1"}, []string{hold.Leaf("reason"), hold.Leaf("operator"), strings.Join(hold.Values("resource"), " ")}); d != "" {
		t.Errorf("the hold (-want +got):\n%s", d)
	}
	text := b.top().Child("shelved-alarms").EntryNamed("shelved-alarm", "P1/slot/1", "incidentd-alarm-types:link-down", "")
	for c := range text.Entries("operator-state-change") {
		if got, want := c.Leaf("operator")+": "+c.Leaf("text"), "planner: on the shelf cutover-7: new line card in P1"; got != want {
			t.Errorf("the operator state is %q, want %q", got, want)
		}
	}
	b.edit(func(e *alarm.Edit) { e.Release("cutover-7") })
	want("the end",
		"ann un-shelved off the shelf cutover-7", "P1/eth1 major says something else",
		"ann un-shelved off the shelf cutover-7", "P1/slot/1 major pulled",
		"ann un-shelved off the shelf cutover-7", "P2/eth0 cleared it is back")
	if d := cmp.Diff([]string{
		"cutover-7 P1/eth1 major false says something else", "cutover-7 P1/slot/1 major false pulled", "cutover-7 P2/eth0 major true it is back",
	}, returned); d != "" {
		t.Errorf("returned (-want +got):\n%s", d)
	}
	if b.top().Child("holds").Has("hold") {
		t.Error("the hold still stands")
	}
}

// TestSettleMany moves more alarms than one transaction takes: the rest follows, over a
// restart too, and alarms that are new meanwhile go to the right place at once.
func TestSettleMany(t *testing.T) {
	b := open(t)
	const n = 7000
	var events []*event.Event
	for i := range n {
		events = append(events, down(fmt.Sprintf("N%05d", i), "eth1", "down"))
	}
	b.report(events...)
	b.alarms.Stop() // nothing is done in the background
	if err := b.configure(`<alarms xmlns="urn:ietf:params:xml:ns:yang:ietf-alarms"><control><alarm-shelving><shelf><name>lab</name><resource>N.*</resource></shelf></alarm-shelving></control></alarms>`); err != nil {
		t.Fatal(err)
	}
	shelved := func() string { return b.top().Child("shelved-alarms").Leaf("number-of-shelved-alarms") }
	if got := shelved(); got == "7000" || got == "0" {
		t.Errorf("%s alarms are on the shelf at the commit, want some", got)
	}
	b.report(down("N99999", "eth1", "new"), up("N06999", "eth1", "over"))
	b.valid()
	b.close()
	b.open()
	for giveUp := time.After(time.Minute); shelved() != "7001"; {
		changed := b.store.Changed()
		if shelved() == "7001" {
			break
		}
		select {
		case <-changed:
		case <-giveUp:
			t.Fatalf("%s alarms are on the shelf after a minute", shelved())
		}
	}
	if got := b.top().Child("alarm-list").Leaf("number-of-alarms"); got != "0" {
		t.Errorf("%s alarms are left in the list", got)
	}
	b.valid()
}
