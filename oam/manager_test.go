package oam

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"incidentd/datastore"
	"incidentd/datastore/journal"
	"incidentd/datastore/kv"
	"incidentd/netconf/netconftest"
)

// node is a bench whose manager is started and ended by the test.
type node struct {
	*netconftest.Bench
	t *testing.T
	m *Manager
}

func newNode(t *testing.T) *node {
	return &node{Bench: netconftest.New(t, netconftest.Config{}), t: t}
}

func (n *node) start() {
	n.t.Helper()
	m, err := New(Config{Store: n.Store, DB: n.DB, Strict: true, Engines: map[string]Engine{"icmp-echo": stageEngine()}})
	if err != nil {
		n.t.Fatal(err)
	}
	if err := m.Start(); err != nil {
		n.t.Fatal(err)
	}
	n.m = m
}

// configure makes running one test alone, of some leafs.
func (n *node) configure(leafs string) {
	n.t.Helper()
	err := n.Configure(fmt.Sprintf(`<oam-unitary-tests xmlns="urn:ietf:params:xml:ns:yang:ietf-oam-unitary-test"><oam-unitary-test>
		<name>echo</name><icmp-echo xmlns="urn:incidentd:yang:oam-tests"><target>192.0.2.1</target></icmp-echo>%s</oam-unitary-test></oam-unitary-tests>`, leafs))
	if err != nil {
		n.t.Fatal(err)
	}
	synctest.Wait()
}

// results are the runs of the test.
func (n *node) results() []string {
	n.t.Helper()
	synctest.Wait()
	var list []string
	tree := n.Store.InUse(n.Store.Snapshot(), nil)
	for r := range tree.Child("oam-unitary-tests").EntryNamed("oam-unitary-test", "echo").Entries("result") {
		list = append(list, fmt.Sprintf("%s %s %s", r.Leaf("occurrence"), r.Leaf("trigger"), r.Leaf("outcome")))
	}
	return list
}

func (n *node) state() string {
	n.t.Helper()
	synctest.Wait()
	e := n.Store.InUse(n.Store.Snapshot(), nil).Child("oam-unitary-tests").EntryNamed("oam-unitary-test", "echo")
	s := e.Child("run-state")
	return fmt.Sprintf("%s, %s runs, %s missed, next %s", e.Leaf("unitary-test-status"), s.Leaf("counter"), s.Leaf("missed-counter"), s.Leaf("upcoming-occurrence"))
}

const (
	hourly   = `<period-start>2000-01-01T01:00:00Z</period-start><frequency xmlns:s="urn:ietf:params:xml:ns:yang:ietf-schedule">s:hourly</frequency>`
	runOnce  = `<execution xmlns="urn:incidentd:yang:oam-tests"><misfire>run-once</misfire></execution>`
	oneShot  = `<period-start>2000-01-01T01:00:00Z</period-start><period-end>2000-01-01T01:30:00Z</period-end><frequency xmlns:s="urn:ietf:params:xml:ns:yang:ietf-schedule">s:hourly</frequency>`
	validity = `<execution xmlns="urn:incidentd:yang:oam-tests"><period-role>validity</period-role></execution>`
)

// What was due while the server did not run is counted, and left out or run once.
func TestMissed(t *testing.T) {
	netconftestSchema(t)
	tests := []struct {
		name, leafs string
		up, down    time.Duration
		state       string
		results     []string
	}{
		{"left out", hourly, 90 * time.Minute, 3 * time.Hour, "ready, 1 runs, 3 missed, next 2000-01-01T05:00:00Z", []string{"2000-01-01T01:00:00Z schedule finished"}},
		{"run once", hourly + runOnce, 90 * time.Minute, 3 * time.Hour, "ready, 2 runs, 3 missed, next 2000-01-01T05:00:00Z",
			[]string{"2000-01-01T01:00:00Z schedule finished", "2000-01-01T04:00:00Z catch-up finished"}},
		{"nothing was due", hourly + runOnce, 65 * time.Minute, 10 * time.Minute, "ready, 1 runs, 0 missed, next 2000-01-01T02:00:00Z", []string{"2000-01-01T01:00:00Z schedule finished"}},
		{"just now", hourly, 90 * time.Minute, 30*time.Minute + 5*time.Second, "ready, 2 runs, 0 missed, next 2000-01-01T03:00:00Z",
			[]string{"2000-01-01T01:00:00Z schedule finished", "2000-01-01T02:00:00Z schedule finished"}},
		{"never run", hourly, 10 * time.Minute, time.Hour, "ready, 0 runs, 1 missed, next 2000-01-01T02:00:00Z", nil},
		{"the only one", oneShot + validity, 10 * time.Minute, 2 * time.Hour, "error, 0 runs, 1 missed, next ", nil},
		{"it was over", oneShot + validity, 80 * time.Minute, 2 * time.Hour, "finish, 1 runs, 0 missed, next ", []string{"2000-01-01T01:00:00Z schedule finished"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNode(t)
				n.start()
				n.configure(tt.leafs)
				time.Sleep(tt.up)
				n.m.Stop()
				time.Sleep(tt.down)
				n.Restart()
				n.start()
				time.Sleep(time.Minute)
				if got := n.state(); got != tt.state {
					t.Errorf("the test is %s, want %s", got, tt.state)
				}
				if got := n.results(); fmt.Sprint(got) != fmt.Sprint(tt.results) {
					t.Errorf("the results are %q, want %q", got, tt.results)
				}
				n.m.Stop()
			})
		})
	}
}

// netconftestSchema compiles the schema outside of the bubbles.
func netconftestSchema(t *testing.T) {
	t.Helper()
	if _, err := netconftest.Schema(); err != nil {
		t.Fatal(err)
	}
}

// A full disk lets no run begin whose record could not be written; when there is room, it
// begins, and nothing is lost.
func TestFullDisk(t *testing.T) {
	netconftestSchema(t)
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t)
		n.start()
		n.configure(hourly)
		time.Sleep(59 * time.Minute)
		n.DiskFull.Store(true)
		time.Sleep(2 * time.Minute)
		if got := n.results(); got != nil {
			t.Errorf("there are results on a full disk: %q", got)
		}
		n.DiskFull.Store(false)
		time.Sleep(time.Minute)
		if got := n.results(); len(got) != 1 || got[0] != "2000-01-01T01:00:00Z schedule finished" {
			t.Errorf("the results are %q", got)
		}
		n.m.Stop()
	})
}

// The history keeps the last results alone, also when its size changes.
func TestHistorySize(t *testing.T) {
	netconftestSchema(t)
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t)
		n.start()
		size := func(k int) string {
			return hourly + fmt.Sprintf(`<execution xmlns="urn:incidentd:yang:oam-tests"><history-size>%d</history-size></execution>`, k)
		}
		n.configure(size(3))
		time.Sleep(5*time.Hour + time.Minute)
		want := []string{"2000-01-01T03:00:00Z schedule finished", "2000-01-01T04:00:00Z schedule finished", "2000-01-01T05:00:00Z schedule finished"}
		if got := n.results(); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("the results are %q, want %q", got, want)
		}
		n.configure(size(2))
		time.Sleep(time.Hour)
		want = []string{"2000-01-01T05:00:00Z schedule finished", "2000-01-01T06:00:00Z schedule finished"}
		if got := n.results(); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("the results are %q, want %q", got, want)
		}
		n.m.Stop()
	})
}

// crashed is what a server finds that begins with what another had on disk when it was
// killed: the results of the test, after so many starts.
func (n *node) crashed(starts int) (results []string, told int) {
	n.t.Helper()
	path := filepath.Join(n.t.TempDir(), "store.db")
	f, err := os.Create(path)
	if err != nil {
		n.t.Fatal(err)
	}
	if _, err := n.DB.Backup(f); err != nil {
		n.t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		n.t.Fatal(err)
	}
	for range starts {
		db, err := kv.Open(path, kv.Options{})
		if err != nil {
			n.t.Fatal(err)
		}
		j, err := journal.Open(db, journal.Options{})
		if err != nil {
			n.t.Fatal(err)
		}
		store, err := datastore.Open(db, j, n.Schema, datastore.Options{})
		if err != nil {
			n.t.Fatal(err)
		}
		other := &node{Bench: &netconftest.Bench{Store: store, DB: db}, t: n.t}
		other.start()
		time.Sleep(time.Second)
		results = other.results()
		other.m.Stop()
		told = 0
		for cursor := j.Cursor(1, Stream); ; told++ {
			r, err := cursor.TryNext()
			if err != nil {
				n.t.Fatal(err)
			}
			if r == nil {
				break
			}
			if !strings.HasSuffix(r.Name, "oam-test-completed") {
				told--
			}
		}
		store.Close()
		if err := db.Close(); err != nil {
			n.t.Fatal(err)
		}
	}
	return results, told
}

// A server that is killed at any moment leaves one record of each run, and one notification
// that it is over: as it ended, or as the restart has ended it.
func TestCrash(t *testing.T) {
	netconftestSchema(t)
	const running, done = "2000-01-01T01:00:00Z schedule error", "2000-01-01T01:00:00Z schedule finished"
	for _, tt := range []struct {
		name string
		at   time.Duration
		want string
	}{
		{"before", time.Hour - time.Minute, ""},
		{"at its begin", time.Hour, running},
		{"in the midst", time.Hour + 500*time.Millisecond, running},
		{"afterwards", time.Hour + time.Second, done},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNode(t)
				n.start()
				n.configure(hourly)
				time.Sleep(tt.at)
				synctest.Wait()
				results, told := n.crashed(3)
				if strings.Join(results, ", ") != tt.want || told != len(results) {
					t.Errorf("the results are %q, of which %d were told, want %q", results, told, tt.want)
				}
				n.m.Stop()
			})
		})
	}
}
