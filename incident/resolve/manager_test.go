package resolve_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"incidentd/incident"
	"incidentd/incident/event"
	"incidentd/incident/resolve"
	"incidentd/netconf/client"
	"incidentd/netconf/netconftest"
)

// A cure is taken back in time although the disk is full, and the run ends when it no longer
// is. Nothing begins meanwhile, and no more runs begin than may be under way.
func TestFullDisk(t *testing.T) {
	if _, err := netconftest.Schema(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	hooks, undone := filepath.Join(dir, "hooks"), filepath.Join(dir, "undone")
	if err := os.Mkdir(hooks, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"cure": "#!/bin/sh\n", "undo": "#!/bin/sh\n: > " + undone + "\n"} {
		if err := os.WriteFile(filepath.Join(hooks, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		var incidents *incident.Manager
		b := netconftest.New(t, netconftest.Config{Setup: func(b *netconftest.Bench) {
			var err error
			if incidents, err = incident.New(incident.Config{Store: b.Store}); err != nil {
				t.Fatal(err)
			}
			incidents.Start()
			m, err := resolve.New(resolve.Config{Store: b.Store, Incidents: incidents, Hooks: hooks})
			if err != nil {
				t.Fatal(err)
			}
			if err := m.Register(b.Server); err != nil {
				t.Fatal(err)
			}
			m.Start()
			b.OnEnd(func() {
				m.Stop()
				if err := incidents.Stop(); err != nil {
					t.Error(err)
				}
			})
		}})
		if err := b.Configure(`<config xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><resolution xmlns="urn:incidentd:yang:resolution"><max-runs>1</max-runs>
			<procedure><name>x</name><clear-within>60</clear-within><hook><program>cure</program><roll-back><program>undo</program></roll-back></hook></procedure></resolution></config>`); err != nil {
			t.Fatal(err)
		}
		var events []event.Event
		for _, node := range []string{"A", "B"} {
			events = append(events, event.Event{ID: node, Node: node, Resource: "eth0", AlarmTypeID: "link-down", Severity: event.Critical})
		}
		if _, err := incidents.Report(t.Context(), events); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		c, err := client.New(t.Context(), b.Dial(t.Context(), "ann", 0), client.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		call := func(id string) error {
			_, err := c.Call(t.Context(), []byte(`<incident-resolve xmlns="urn:ietf:params:xml:ns:yang:ietf-incident"><incident-id>`+id+`</incident-id></incident-resolve>`))
			return err
		}
		if err := call("inc-1"); err != nil {
			t.Fatal(err)
		}
		if err := call("inc-2"); err == nil || !strings.Contains(err.Error(), "resource-denied") {
			t.Errorf("a second run = %v, want resource-denied", err)
		}
		time.Sleep(time.Second)
		b.DiskFull.Store(true)
		time.Sleep(2 * time.Minute)
		if _, err := os.Stat(undone); err != nil {
			t.Errorf("nothing was taken back while the disk is full: %v", err)
		}
		b.DiskFull.Store(false)
		time.Sleep(10 * time.Second)
		r, err := c.Get(t.Context(), client.Subtree(`<resolution xmlns="urn:incidentd:yang:resolution"/>`))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"<outcome>not-cleared</outcome>", "<running>0</running>", "<denied>1</denied>", "<text>the program undo has taken it back</text>"} {
			if !strings.Contains(string(r.Raw), want) {
				t.Errorf("no %s in %s", want, r.Raw)
			}
		}
		if err := call("inc-2"); err != nil {
			t.Errorf("a run when the first has ended: %v", err)
		}
	})
}
