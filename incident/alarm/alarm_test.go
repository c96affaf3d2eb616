package alarm_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"incidentd/datastore"
	"incidentd/datastore/journal"
	"incidentd/datastore/kv"
	"incidentd/incident/alarm"
	"incidentd/incident/event"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/modules"
)

var schema = sync.OnceValues(func() (*yang.Schema, error) {
	return yang.Compile(modules.FS, yang.Options{
		Implemented: []string{"ietf-alarms", "ietf-alarms-x733", "incidentd-alarms", "incidentd-alarm-types", "incidentd-correlation"}, Features: alarm.Features()})
})

// bench is a store with alarms.
type bench struct {
	t       testing.TB
	dir     string
	schema  *yang.Schema
	db      *kv.DB
	journal *journal.Journal
	store   *datastore.Store
	alarms  *alarm.Alarms
	config  alarm.Config
	told    uint64 // the notification that notices goes on with
}

func open(t testing.TB) *bench {
	t.Helper()
	s, err := schema()
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, dir: t.TempDir(), schema: s}
	b.open()
	t.Cleanup(b.close)
	return b
}

func (b *bench) open() {
	b.t.Helper()
	var err error
	if b.db, err = kv.Open(filepath.Join(b.dir, "store.db"), kv.Options{}); err != nil {
		b.t.Fatal(err)
	}
	if b.journal, err = journal.Open(b.db, journal.Options{}); err != nil {
		b.t.Fatal(err)
	}
	if b.store, err = datastore.Open(b.db, b.journal, b.schema, datastore.Options{}); err != nil {
		b.t.Fatal(err)
	}
	b.config.Store = b.store
	if b.alarms, err = alarm.New(b.config); err != nil {
		b.t.Fatal(err)
	}
	b.alarms.Start()
}

func (b *bench) close() {
	b.alarms.Stop()
	b.store.Close()
	if err := b.db.Close(); err != nil {
		b.t.Error(err)
	}
}

// edit does something to the alarms in a transaction of the user ann.
func (b *bench) edit(f func(*alarm.Edit)) {
	b.t.Helper()
	err := b.store.Update(context.Background(), func(tx *datastore.Tx) error {
		tx.By(datastore.Author{User: "ann"})
		e := b.alarms.Begin(tx)
		f(e)
		return e.Done()
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) report(events ...*event.Event) {
	b.t.Helper()
	b.edit(func(e *alarm.Edit) { e.Report(events) })
}

// configure makes a configuration all that running has.
func (b *bench) configure(text string) error {
	b.t.Helper()
	n, err := (&data.Parser{Schema: b.schema}).ParseDocument([]byte(text))
	if err != nil {
		b.t.Fatal(err)
	}
	return b.store.Update(context.Background(), func(tx *datastore.Tx) error {
		tx.By(datastore.Author{User: "ann"})
		tx.SetRunning(n)
		return nil
	})
}

// top is /al:alarms of the operational datastore.
func (b *bench) top() *data.Node { return b.store.Snapshot().Operational().Child("alarms") }

// notices are the notifications since the last call, as name and what tells them apart.
func (b *bench) notices() (out []string) {
	b.t.Helper()
	c := b.journal.Cursor(b.told, alarm.Stream)
	for {
		r, err := c.TryNext()
		if err != nil {
			b.t.Fatal(err)
		}
		if r == nil {
			return out
		}
		b.told = r.Seq + 1
		top, err := (&data.Parser{Schema: b.schema}).ParseNotification(r.Body)
		if err != nil {
			b.t.Fatal(err)
		}
		_, n := data.Notified(b.schema.Root, top)
		switch n.Name() {
		case "alarm-notification":
			out = append(out, n.Leaf("resource")+" "+n.Leaf("perceived-severity")+" "+n.Leaf("alarm-text"))
		case "operator-action":
			out = append(out, n.Leaf("operator")+" "+n.Leaf("state")+" "+n.Leaf("text"))
		default:
			out = append(out, n.Name())
		}
	}
}

// valid checks that the operational datastore is as its schema wants it.
func (b *bench) valid() {
	b.t.Helper()
	snap := b.store.Snapshot()
	if err := b.store.Validator().Tree(b.store.With(snap, snap.Operational(), nil), false); err != nil {
		b.t.Errorf("operational is not valid: %v", err)
	}
}

func TestKeyOf(t *testing.T) {
	a := open(t).alarms
	for _, c := range []struct {
		node, resource, typ, qualifier string
		want                           alarm.Key
	}{
		{"P1", "eth1", "link-down", "", alarm.Key{"P1/eth1", "incidentd-alarm-types:link-down", ""}},
		{"P1", "", "incidentd-alarm-types:cpu-high", "core 3", alarm.Key{"P1", "incidentd-alarm-types:cpu-high", "core 3"}},
		{"P1", "eth1", "ETH_LINK_DOWN", "", alarm.Key{"P1/eth1", "incidentd-alarm-types:reported", "ETH_LINK_DOWN"}},
		{"P1", "eth1", "vc:0x2001", "q", alarm.Key{"P1/eth1", "incidentd-alarm-types:reported", "vc:0x2001/q"}},
		{"P1", "", "reported", "", alarm.Key{"P1", "incidentd-alarm-types:reported", "reported"}},
	} {
		e := event.Event{Node: c.node, Resource: c.resource, AlarmTypeID: c.typ, AlarmTypeQualifier: c.qualifier}
		if got := a.KeyOf(&e); got != c.want {
			t.Errorf("KeyOf(%s %s %s %s) = %v, want %v", c.node, c.resource, c.typ, c.qualifier, got, c.want)
		}
	}
}

// TestReport follows one alarm, and with it the summary, the history and what is notified.
func TestReport(t *testing.T) {
	b := open(t)
	b.notices()
	start := time.Now().Add(-time.Hour)
	for i, c := range []struct {
		severity event.Severity
		text     string
		minute   int
		notices  string
		alarm    string // is-cleared, perceived-severity, alarm-text, last-raised and newest status-change as minutes
		summary  string // of major: total, not-cleared, cleared
	}{
		{event.Cleared, "up", 0, "", "", "0 0 0"},
		{event.Major, "down", 1, "P1/eth1 major down, alarm-inventory-changed", "false major down 1 1", "1 1 0"},
		{event.Major, "down", 2, "", "false major down 1 1", "1 1 0"},
		{event.Minor, "flaps", 3, "P1/eth1 minor flaps, alarm-inventory-changed", "false minor flaps 1 3", "0 0 0"},
		{event.Cleared, "up", 4, "P1/eth1 cleared up", "true minor up 1 4", "0 0 0"},
		{event.Cleared, "up", 5, "", "true minor up 1 4", "0 0 0"},
		{event.Major, "", 6, "P1/eth1 major up", "false major up 6 6", "1 1 0"},
		{event.Cleared, "late", 3, "", "false major up 6 6", "1 1 0"},
		{event.Cleared, "overtaken", 5, "P1/eth1 cleared overtaken", "true major overtaken 6 6", "1 0 1"},
	} {
		at := start.Add(time.Duration(c.minute) * time.Minute)
		b.report(&event.Event{ID: "x", Node: "P1", Resource: "eth1", AlarmTypeID: "link-down", Severity: c.severity, Text: c.text, Time: at},
			&event.Event{ID: "k", Node: "P1", Resource: "eth1", Kind: event.KPI, AlarmTypeID: "packet-loss", Severity: event.Major, Time: at})
		got := ""
		if e := b.top().Child("alarm-list").EntryNamed("alarm", "P1/eth1", "incidentd-alarm-types:link-down", ""); e != nil {
			minute := func(text string) string {
				at, err := time.Parse(time.RFC3339Nano, text)
				if err != nil {
					t.Fatal(err)
				}
				return fmt.Sprint(int(at.Sub(start) / time.Minute))
			}
			newest := ""
			for s := range e.Entries("status-change") {
				newest = minute(s.Leaf("time"))
				break
			}
			got = strings.Join([]string{e.Leaf("is-cleared"), e.Leaf("perceived-severity"), e.Leaf("alarm-text"), minute(e.Leaf("last-raised")), newest}, " ")
		}
		sum := b.top().Child("summary").EntryNamed("alarm-summary", "major")
		summary := sum.Leaf("total") + " " + sum.Leaf("not-cleared") + " " + sum.Leaf("cleared")
		if d := cmp.Diff([]string{c.notices, c.alarm, c.summary}, []string{strings.Join(b.notices(), ", "), got, summary}); d != "" {
			t.Errorf("step %d (-want +got):\n%s", i, d)
		}
		b.valid()
	}
}
