package incident_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"incidentd/datastore"
	"incidentd/datastore/journal"
	"incidentd/datastore/kv"
	"incidentd/incident"
	"incidentd/incident/alarm"
	"incidentd/incident/event"
	"incidentd/netconf/nacm"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/modules"
	"incidentd/yang/rpcerr"
)

type bench struct {
	t      testing.TB
	dir    string
	schema *yang.Schema
	// full is the disk: writes are refused.
	full    atomic.Bool
	db      *kv.DB
	journal *journal.Journal
	store   *datastore.Store
	access  *nacm.Controller
	manager *incident.Manager
	config  incident.Config
}

func open(t testing.TB) *bench {
	t.Helper()
	s, err := yang.Compile(modules.FS, yang.Options{
		Implemented: []string{"ietf-incident", "ietf-alarms", "ietf-alarms-x733", "incidentd-alarms", "ietf-network-topology", "incidentd-events", "incidentd-collector", "incidentd-correlation", "incidentd-incident", "incidentd-maintenance", "incidentd-management", "incidentd-admission", "incidentd-alarm-types", "ietf-netconf-acm"},
		Features:    alarm.Features()})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, dir: t.TempDir(), schema: s}
	b.open()
	return b
}

func (b *bench) open() {
	b.t.Helper()
	var err error
	b.db, err = kv.Open(filepath.Join(b.dir, "store.db"), kv.Options{FailPoint: func(string) error {
		if b.full.Load() {
			return kv.ErrFull
		}
		return nil
	}})
	if err != nil {
		b.t.Fatal(err)
	}
	if b.journal, err = journal.Open(b.db, journal.Options{}); err != nil {
		b.t.Fatal(err)
	}
	if b.store, err = datastore.Open(b.db, b.journal, b.schema, datastore.Options{}); err != nil {
		b.t.Fatal(err)
	}
	if b.access, err = nacm.New(b.store, nil); err != nil {
		b.t.Fatal(err)
	}
	b.config.Store = b.store
	if b.manager, err = incident.New(b.config); err != nil {
		b.t.Fatal(err)
	}
	b.manager.Start()
}

func (b *bench) close() {
	if err := b.manager.Stop(); err != nil {
		b.t.Error(err)
	}
	b.abandon()
}

// abandon leaves the store as a crash would: without the manager's last snapshot.
func (b *bench) abandon() {
	b.store.Close()
	if err := b.db.Close(); err != nil {
		b.t.Error(err)
	}
}

// crash goes on as after kill -9.
func (b *bench) crash() {
	saved := b.dir + ".crash"
	if err := os.CopyFS(saved, os.DirFS(b.dir)); err != nil {
		b.t.Fatal(err)
	}
	b.close()
	b.dir = saved
	b.open()
}

func (b *bench) configure(text string) {
	b.t.Helper()
	n, err := (&data.Parser{Schema: b.schema}).ParseDocument([]byte(text))
	if err != nil {
		b.t.Fatal(err)
	}
	err = b.store.Update(context.Background(), func(tx *datastore.Tx) error { tx.SetRunning(n); return nil })
	if err != nil {
		b.t.Fatal(err)
	}
}

const figure = `<networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network" xmlns:nt="urn:ietf:params:xml:ns:yang:ietf-network-topology">
<network><network-id>ip</network-id>
<node><node-id>PE1</node-id><nt:termination-point><nt:tp-id>eth1</nt:tp-id></nt:termination-point></node>
<node><node-id>P1</node-id><nt:termination-point><nt:tp-id>eth0</nt:tp-id></nt:termination-point><nt:termination-point><nt:tp-id>eth1</nt:tp-id></nt:termination-point></node>
<node><node-id>P2</node-id><nt:termination-point><nt:tp-id>eth0</nt:tp-id></nt:termination-point><nt:termination-point><nt:tp-id>eth1</nt:tp-id></nt:termination-point></node>
<node><node-id>PE2</node-id><nt:termination-point><nt:tp-id>eth0</nt:tp-id></nt:termination-point></node>
<nt:link><nt:link-id>a</nt:link-id><nt:source><nt:source-node>PE1</nt:source-node><nt:source-tp>eth1</nt:source-tp></nt:source><nt:destination><nt:dest-node>P1</nt:dest-node><nt:dest-tp>eth0</nt:dest-tp></nt:destination></nt:link>
<nt:link><nt:link-id>b</nt:link-id><nt:source><nt:source-node>P1</nt:source-node><nt:source-tp>eth1</nt:source-tp></nt:source><nt:destination><nt:dest-node>P2</nt:dest-node><nt:dest-tp>eth0</nt:dest-tp></nt:destination></nt:link>
<nt:link><nt:link-id>c</nt:link-id><nt:source><nt:source-node>P2</nt:source-node><nt:source-tp>eth1</nt:source-tp></nt:source><nt:destination><nt:dest-node>PE2</nt:dest-node><nt:dest-tp>eth0</nt:dest-tp></nt:destination></nt:link>
</network>
<network><network-id>VPN-A</network-id><supporting-network><network-ref>ip</network-ref></supporting-network>
<node><node-id>PE1</node-id><supporting-node><network-ref>ip</network-ref><node-ref>PE1</node-ref></supporting-node></node>
<node><node-id>PE2</node-id><supporting-node><network-ref>ip</network-ref><node-ref>PE2</node-ref></supporting-node></node>
<nt:link><nt:link-id>v</nt:link-id><nt:source><nt:source-node>PE1</nt:source-node></nt:source><nt:destination><nt:dest-node>PE2</nt:dest-node></nt:destination>
<nt:supporting-link><nt:network-ref>ip</nt:network-ref><nt:link-ref>a</nt:link-ref></nt:supporting-link>
<nt:supporting-link><nt:network-ref>ip</nt:network-ref><nt:link-ref>b</nt:link-ref></nt:supporting-link>
<nt:supporting-link><nt:network-ref>ip</nt:network-ref><nt:link-ref>c</nt:link-ref></nt:supporting-link></nt:link>
</network></networks>`

func (b *bench) report(lines ...string) incident.Reported {
	b.t.Helper()
	var events []event.Event
	for _, l := range lines {
		e, err := event.Parse([]byte(l))
		if err != nil {
			b.t.Fatal(err)
		}
		events = append(events, e)
	}
	r, err := b.manager.Report(context.Background(), events)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func down(id, node, resource, typ string) string {
	return fmt.Sprintf(`{"id":%q,"node":%q,"resource":%q,"alarm-type-id":%q,"severity":"major","text":"it is down"}`, id, node, resource, typ)
}

func up(id, node, resource, typ string) string {
	return strings.Replace(down(id, node, resource, typ), "major", "cleared", 1)
}

func (b *bench) incident(id string) *data.Node {
	return b.store.Snapshot().Operational().Child("incidents").EntryNamed("incident", id)
}

// notices are the statuses in the journal's incident-notifications, in order.
func (b *bench) notices() (out []string) {
	b.t.Helper()
	c := b.journal.Cursor(0, incident.Stream)
	for {
		r, err := c.TryNext()
		if err != nil {
			b.t.Fatal(err)
		}
		if r == nil {
			return out
		}
		body := string(r.Body)
		status := body[strings.Index(body, "<status>")+8 : strings.Index(body, "</status>")]
		id := body[strings.Index(body, "<incident-id>")+13 : strings.Index(body, "</incident-id>")]
		out = append(out, id+" "+status)
	}
}

// valid checks that the operational datastore is as its schema wants it.
func (b *bench) valid() {
	b.t.Helper()
	snap := b.store.Snapshot()
	tree := b.store.With(snap, snap.Operational(), nil)
	if err := b.store.Validator().Tree(tree, false); err != nil {
		b.t.Errorf("operational is not valid: %v", err)
	}
}

func TestLifecycle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t)
		b.configure(figure)
		if r := b.report(down("1", "P1", "eth1", "link-down"), down("2", "P1", "eth1", "igp-down"), down("3", "P2", "eth0", "igp-peer-abnormal")); r.Accepted != 3 {
			t.Fatalf("accepted %d", r.Accepted)
		}
		if r := b.report(down("1", "P1", "eth1", "link-down")); r.Accepted != 0 || r.Duplicates != 1 {
			t.Errorf("a repeated id: %+v", r)
		}
		time.Sleep(30 * time.Second)
		synctest.Wait()
		inc := b.incident("inc-1")
		if inc == nil {
			t.Fatal("no incident was raised")
		}
		got := []string{inc.Leaf("name"), inc.Leaf("status"), inc.Leaf("domain"), strings.Join(inc.Values("service-instance"), " ")}
		if d := cmp.Diff([]string{"VPN-A unavailable", "raised", "ietf-incident-types:ip", "VPN-A"}, got); d != "" {
			t.Errorf("incident (-want +got):\n%s", d)
		}
		if cause := inc.Child("root-causes").EntryNamed("root-cause", "P1"); cause.EntryNamed("resource", "eth1") == nil {
			t.Errorf("root cause is not P1 eth1: %s", data.AppendXML(nil, inc, ""))
		}
		b.valid()
		b.report(up("4", "P1", "eth1", "link-down"), up("5", "P1", "eth1", "igp-down"), up("6", "P2", "eth0", "igp-peer-abnormal"))
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if got := b.incident("inc-1").Leaf("status"); got != "cleared" {
			t.Errorf("status = %s, want cleared", got)
		}
		if d := cmp.Diff([]string{"inc-1 raised", "inc-1 updated", "inc-1 cleared"}, b.notices()); d != "" {
			t.Errorf("notifications (-want +got):\n%s", d)
		}
		b.valid()
		time.Sleep(8 * 24 * time.Hour)
		synctest.Wait()
		if b.incident("inc-1") != nil {
			t.Error("the cleared incident outlived its retention")
		}
		b.close()
	})
}

func (b *bench) ack(ids ...string) error {
	input := data.Build(b.schema.RPC("ietf-incident", "incident-acknowledge").Children[0])
	for _, id := range ids {
		input.Leaf("incident-id", id)
	}
	return b.manager.Acknowledge(context.Background(), "ann", nil, input.Node())
}

func TestAcknowledge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t)
		defer b.close()
		b.configure(figure)
		b.report(down("1", "P1", "eth1", "link-down"), down("2", "P2", "eth0", "igp-peer-abnormal"))
		time.Sleep(time.Minute)
		synctest.Wait()
		if err := b.ack(); err != nil {
			t.Errorf("no ids: %v", err)
		}
		var e *rpcerr.Error
		if err := b.ack("inc-1", "inc-9"); !errors.As(err, &e) || e.Tag != rpcerr.TagDataMissing || e.AppTag != rpcerr.AppInstanceRequired {
			t.Errorf("unknown id: %v", err)
		}
		if got := b.incident("inc-1").Leaf("ack-status"); got != "unacknowledged" {
			t.Errorf("ack-status = %s after a refused rpc", got)
		}
		if err := b.ack("inc-1"); err != nil {
			t.Fatal(err)
		}
		if got := b.incident("inc-1"); got.Leaf("ack-status") != "acknowledged" || got.Leaf("ack-user") != "ann" || got.Leaf("ack-time") == "" {
			t.Errorf("after acknowledging: %s", data.AppendXML(nil, got, ""))
		}
		if err := b.ack("inc-1"); !errors.As(err, &e) || e.AppTag != rpcerr.AppRepeatedAcknowledge || !strings.Contains(e.Message, "inc-1") {
			t.Errorf("again: %v", err)
		}
		// What the correlator does later leaves it acknowledged.
		b.report(up("4", "P1", "eth1", "link-down"), up("5", "P2", "eth0", "igp-peer-abnormal"))
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if got := b.incident("inc-1"); got.Leaf("status") != "cleared" || got.Leaf("ack-status") != "acknowledged" {
			t.Errorf("after clearing: %s", data.AppendXML(nil, got, ""))
		}
	})
}

// TestAcknowledgeHidden refuses an incident that the user may not read exactly as one
// that is not there.
func TestAcknowledgeHidden(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t)
		defer b.close()
		b.configure("<data>" + figure + `<nacm xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-acm" xmlns:inc="urn:ietf:params:xml:ns:yang:ietf-incident">
			<groups><group><name>noc</name><user-name>ann</user-name></group></groups>
			<rule-list><name>noc</name><group>noc</group><rule><name>hide</name><path>/inc:incidents/inc:incident[inc:incident-id='inc-1']</path><action>deny</action></rule></rule-list></nacm></data>`)
		b.report(down("1", "P1", "eth1", "link-down"), down("2", "P2", "eth0", "igp-peer-abnormal"))
		time.Sleep(time.Minute)
		synctest.Wait()
		ack := func(user, id string) error {
			input := data.Build(b.schema.RPC("ietf-incident", "incident-acknowledge").Children[0])
			return b.manager.Acknowledge(t.Context(), user, b.access.Access(user, nil), input.Leaf("incident-id", id).Node())
		}
		var hidden, absent *rpcerr.Error
		if !errors.As(ack("ann", "inc-1"), &hidden) || !errors.As(ack("ann", "inc-9"), &absent) {
			t.Fatal("one of them was acknowledged")
		}
		// This is what the validator says of a leafref that refers to nothing, before an RPC
		// for an absent incident gets here.
		if want := `"inc-1" refers to nothing: no instance of /inc:incidents/inc:incident/inc:incident-id has that value`; hidden.Message != want {
			t.Errorf("the message for a hidden incident is %s, want %s", hidden.Message, want)
		}
		hidden.Message, hidden.Path.Expr = strings.ReplaceAll(hidden.Message, "inc-1", "inc-9"), strings.ReplaceAll(hidden.Path.Expr, "inc-1", "inc-9")
		if diff := cmp.Diff(absent, hidden); diff != "" {
			t.Errorf("a hidden incident is told from an absent one (-absent +hidden):\n%s", diff)
		}
		if got := b.incident("inc-1").Leaf("ack-status"); got != "unacknowledged" {
			t.Errorf("ack-status = %s", got)
		}
		if err := ack("bob", "inc-1"); err != nil {
			t.Errorf("a user who may read it: %v", err)
		}
	})
}

func TestUnknownNodeIsUnmapped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t)
		defer b.close()
		b.report(down("1", "nobody", "eth1", "link-down"), down("2", "nobody", "eth1", "igp-down"))
		time.Sleep(time.Minute)
		synctest.Wait()
		networks := b.store.Snapshot().Operational().Child("networks")
		if networks.EntryNamed("network", "unmapped").EntryNamed("node", "nobody") == nil {
			t.Error("the node is not in the network unmapped")
		}
		if len(b.notices()) == 0 {
			t.Error("no incident was raised")
		}
		b.valid()
	})
}

// recording returns the lines of a recorded network and its topology, or skips.
func recording(t *testing.T, name string) (lines []string, topology string) {
	dir := filepath.Join("..", "..", "shared", "data", "correlation", name)
	events, err := os.ReadFile(filepath.Join(dir, "events.jsonl"))
	if err != nil {
		t.Skip("the recorded networks are not here")
	}
	top, err := os.ReadFile(filepath.Join(dir, "topology.xml"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(events)), "\n"), string(top)
}

// outcome is what became of a recording: the notifications, and the incidents
// without their acknowledgement.
func (b *bench) outcome() string {
	var out strings.Builder
	for _, n := range b.notices() {
		out.WriteString(n + "\n")
	}
	for e := range b.store.Snapshot().State.Child("incidents").Entries("incident") {
		out.Write(data.AppendXML(nil, e, ""))
		out.WriteString("\n")
	}
	return out.String()
}

// TestCrashesChangeNothing reports a recording in one go, in batches with crashes
// in between, and with a disk that is full now and then: the incidents and the
// notifications are the same.
func TestCrashesChangeNothing(t *testing.T) {
	lines, topology := recording(t, "dev-small")
	run := func(between func(b *bench)) (out string) {
		synctest.Test(t, func(t *testing.T) {
			// Virtual time begins in 2000, before the recordings.
			time.Sleep(time.Until(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)))
			b := open(t)
			b.config.SnapshotEvery = 7
			b.configure(topology)
			for len(lines) > 0 {
				n := 1 + rand.IntN(4)
				n = min(n, len(lines))
				b.report(lines[:n]...)
				lines = lines[n:]
				between(b)
			}
			time.Sleep(10 * time.Minute)
			synctest.Wait()
			b.valid()
			out = b.outcome()
			b.close()
		})
		return out
	}
	all := lines
	plain := run(func(*bench) {})
	if !strings.Contains(plain, "raised") {
		t.Fatal("the recording raised no incident")
	}
	lines = all
	if d := cmp.Diff(plain, run(func(b *bench) {
		if rand.IntN(3) == 0 {
			b.crash()
		}
	})); d != "" {
		t.Errorf("with crashes (-want +got):\n%s", d)
	}
	lines = all
	if d := cmp.Diff(plain, run(func(b *bench) {
		if rand.IntN(3) > 0 {
			return
		}
		b.full.Store(true)
		e, err := event.Parse([]byte(`{"id":"lost","node":"P1","alarm-type-id":"link-down","severity":"major"}`))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.manager.Report(context.Background(), []event.Event{e}); err == nil {
			t.Error("a full disk was not noticed")
		}
		b.full.Store(false)
	})); d != "" {
		t.Errorf("with a full disk (-want +got):\n%s", d)
	}
}

// TestArrivalAhead lets a reporter claim an arrival far in the future: stream time
// must not follow it, or nothing would be judged for years.
func TestArrivalAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t)
		defer b.close()
		b.configure(figure)
		b.report(`{"id":"1","node":"P1","resource":"eth1","alarm-type-id":"link-down","severity":"major","arrival":"2200-01-01T00:00:00Z"}`)
		b.report(down("2", "P2", "eth0", "igp-peer-abnormal"))
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := b.incident("inc-1").Leaf("raise-time"); !strings.HasPrefix(got, "2000-01-01T00:00:") {
			t.Errorf("raise-time = %q, want one of the first minute", got)
		}
	})
}

// TestRecordingRunsOut reports a recording of the past: it is judged in its own
// time, which stands still after each batch and then goes on by itself.
func TestRecordingRunsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(24 * time.Hour)
		b := open(t)
		defer b.close()
		b.configure(figure)
		at := func(line, stamp string) string {
			return strings.Replace(line, `"severity"`, `"arrival":"1999-05-01T10:00:`+stamp+`Z","severity"`, 1)
		}
		b.report(at(down("1", "P1", "eth1", "link-down"), "00"))
		time.Sleep(time.Second) // in between two batches
		b.report(at(down("2", "P2", "eth0", "igp-peer-abnormal"), "00.5"))
		if b.incident("inc-1") != nil {
			t.Error("an incident before its soak was over")
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if got, want := b.incident("inc-1").Leaf("raise-time"), "1999-05-01T10:00:03Z"; got != want {
			t.Errorf("raise-time = %q, want %s", got, want)
		}
	})
}

// TestEveryIncidentIsValid reports a recording without any topology, which is the
// hardest to make sense of: whatever the correlator makes of it, merged incidents
// included, is as the schema wants it.
func TestEveryIncidentIsValid(t *testing.T) {
	lines, _ := recording(t, "dev")
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)))
		b := open(t)
		defer b.close()
		b.report(lines...)
		b.valid()
		merged := 0
		for e := range b.store.Snapshot().State.Child("incidents").Entries("incident") {
			if e.Leaf("merged-into") != "" {
				merged++
			}
		}
		if merged == 0 {
			t.Error("no incident was merged: the test proves little")
		}
	})
}

// TestCorrelationIsConfigured: the configuration of the correlator holds from its commit
// on, for what is under way too, and after a crash.
func TestCorrelationIsConfigured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t)
		defer func() { b.close() }()
		patient := func(ms int) {
			b.configure(fmt.Sprintf(`<correlation xmlns="urn:incidentd:yang:correlation"><timing><soak-single>%d</soak-single></timing></correlation>`, ms))
		}
		patient(60_000)
		b.report(down("1", "A", "eth1", "link-down"))
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if n := len(b.notices()); n != 0 {
			t.Errorf("%d notices before the time that is configured", n)
		}
		b.crash()
		time.Sleep(40 * time.Second)
		synctest.Wait()
		if n := len(b.notices()); n != 1 {
			t.Errorf("%d notices after it", n)
		}
		patient(10_000)
		b.report(down("2", "B", "eth1", "link-down"))
		time.Sleep(15 * time.Second)
		synctest.Wait()
		if n := len(b.notices()); n != 2 {
			t.Errorf("%d notices with less patience", n)
		}
		b.valid()
	})
}

// TestIncidentsKeepAlarms: an alarm of an open incident is not purged; what a cleared one
// refers to may go, and its events keep all else. One that goes to a shelf leaves its
// incidents, which learn of it again when it is back.
func TestIncidentsKeepAlarms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t)
		defer func() { b.close() }()
		b.configure(figure)
		b.report(down("1", "P1", "eth1", "link-down"), down("2", "P2", "eth0", "igp-peer-abnormal"), down("3", "P1", "eth1", "igp-down"))
		time.Sleep(time.Minute)
		synctest.Wait()
		refers := func() (out []string) {
			for e := range b.incident("inc-1").Child("events").Entries("event") {
				text := e.Leaf("event-id") + " " + e.Child("detail").Leaf("text")
				if a := e.Child("alarm"); a != nil {
					text += ": " + a.Leaf("resource")
				}
				out = append(out, text)
			}
			return out
		}
		all := []string{"1 it is down: P1/eth1", "2 it is down: P2/eth0", "3 it is down: P1/eth1"}
		want := func(what string, wanted ...string) {
			t.Helper()
			if d := cmp.Diff(wanted, refers()); d != "" {
				t.Errorf("%s (-want +got):\n%s", what, d)
			}
			b.valid()
		}
		want("raised", all...)
		const alarms = `<alarms xmlns="urn:ietf:params:xml:ns:yang:ietf-alarms"><control>%s</control></alarms>`
		kept := func(retention string) int {
			b.configure("<data>" + figure + fmt.Sprintf(alarms, retention) + "</data>")
			time.Sleep(11 * time.Minute)
			synctest.Wait()
			return len(b.alarms())
		}
		// Nothing may purge what is in use: the retention of an hour is long over.
		b.report(up("4", "P1", "eth1", "igp-down"))
		time.Sleep(2 * time.Hour)
		if n := kept(`<retention xmlns="urn:incidentd:yang:alarms">1</retention>`); n != 3 {
			t.Errorf("%d alarms are left of three in an open incident", n)
		}
		b.configure("<data>" + figure + fmt.Sprintf(alarms, `<alarm-shelving><shelf><name>s</name><resource>P2/.*</resource></shelf></alarm-shelving>`) + "</data>")
		want("shelved", "1 it is down: P1/eth1", "2 it is down", "3 it is down: P1/eth1")
		b.configure(figure)
		b.report(up("5", "P1", "eth1", "link-down"), up("6", "P2", "eth0", "igp-peer-abnormal"))
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if got := b.incident("inc-1").Leaf("status"); got != "cleared" {
			t.Fatalf("the incident is %s", got)
		}
		want("back and cleared", all...)
		time.Sleep(2 * time.Hour)
		if n := kept(`<retention xmlns="urn:incidentd:yang:alarms">1</retention>`); n != 0 {
			t.Errorf("%d alarms are left of a cleared incident", n)
		}
		want("purged", "1 it is down", "2 it is down", "3 it is down")
		b.crash()
		want("after a crash", "1 it is down", "2 it is down", "3 it is down")
	})
}

// TestAcknowledgeAlarms: where it is configured, acknowledging an incident acknowledges its
// alarms.
func TestAcknowledgeAlarms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t)
		defer b.close()
		b.configure("<data>" + figure + `<incident-management xmlns="urn:incidentd:yang:management"><acknowledge-alarms>true</acknowledge-alarms></incident-management></data>`)
		b.report(down("1", "P1", "eth1", "link-down"), down("2", "P2", "eth0", "igp-peer-abnormal"), down("3", "PE1", "", "cpu-high"))
		time.Sleep(time.Minute)
		synctest.Wait()
		if err := b.ack("inc-1"); err != nil {
			t.Fatal(err)
		}
		var got []string
		for a := range b.store.Snapshot().Operational().Descend("alarms", "alarm-list").Entries("alarm") {
			text := a.Leaf("resource")
			for c := range a.Entries("operator-state-change") {
				text += " " + c.Leaf("operator") + " " + c.Leaf("state") + ": " + c.Leaf("text")
			}
			got = append(got, text)
		}
		if d := cmp.Diff([]string{"P1/eth1 ann ack: the incident inc-1 was acknowledged", "P2/eth0 ann ack: the incident inc-1 was acknowledged", "PE1"}, got); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		b.valid()
	})
}
