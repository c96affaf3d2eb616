package incident_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"incidentd/datastore"
	"incidentd/datastore/kv"
	"incidentd/yang/data"
)

// TestAnew starts on directories that an older version has left: with no snapshot of the
// correlator, or with one that this version does not read. What lasts goes on under new
// numbers, once, with its acknowledgement; what is over stays as it was.
func TestAnew(t *testing.T) {
	for name, age := range map[string]func(w *kv.Writer) error{
		"no snapshot": func(w *kv.Writer) error {
			for _, row := range []string{"place", "number"} {
				if err := w.Delete("correlator", []byte(row)); err != nil {
					return err
				}
			}
			_, err := w.DeleteRange("correlator-parts", nil, nil)
			return err
		},
		"snapshot of another version": func(w *kv.Writer) error {
			var keys [][]byte
			for k := range w.Scan("correlator-parts", nil, nil) {
				keys = append(keys, slices.Clone(k))
			}
			for _, k := range keys {
				if err := w.Put("correlator-parts", k, []byte("other")); err != nil {
					return err
				}
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := open(t)
				b.configure(figure)
				b.report(down("1", "PE2", "cpu/0", "CPU_OVERLOAD"))
				time.Sleep(2 * time.Minute)
				b.report(up("2", "PE2", "cpu/0", "CPU_OVERLOAD"))
				time.Sleep(10 * time.Minute)
				b.report(down("3", "P1", "eth1", "link-down"), down("4", "P2", "eth0", "igp-peer-abnormal"), down("5", "X", "fan/1", "FAN_FAILURE"))
				time.Sleep(time.Minute)
				b.acknowledge(t, "inc-2")
				told := len(b.notices())
				b.close()
				b.age(age)
				b.open()
				got := map[string]string{}
				for e := range b.store.Snapshot().State.Child("incidents").Entries("incident") {
					got[e.Leaf("incident-id")] = strings.Join([]string{e.Leaf("status"), e.Leaf("ack-status"), e.Leaf("merged-into")}, " ")
				}
				// Numbers go on after the highest, 3, and the one that is over takes 4 again.
				want := map[string]string{
					"inc-1": "cleared unacknowledged ", "inc-2": "cleared acknowledged inc-5", "inc-3": "cleared unacknowledged inc-6",
					"inc-5": "raised acknowledged ", "inc-6": "raised unacknowledged ",
				}
				if !equalMaps(got, want) {
					t.Errorf("incidents %v, want %v", got, want)
				}
				if news := b.notices()[told:]; !slices.Equal(news, []string{"inc-5 raised", "inc-6 raised", "inc-2 cleared", "inc-3 cleared"}) {
					t.Errorf("told %v", news)
				}
				b.valid()
				b.report(up("6", "P1", "eth1", "link-down"), up("7", "P2", "eth0", "igp-peer-abnormal"))
				time.Sleep(5 * time.Minute)
				if s := b.incident("inc-5").Leaf("status"); s != "cleared" {
					t.Errorf("after its clears inc-5 is %s", s)
				}
				b.report(down("8", "PE2", "cpu/0", "CPU_OVERLOAD"))
				time.Sleep(time.Minute)
				if b.incident("inc-7") == nil {
					t.Error("the next incident is not inc-7")
				}
				b.crash() // and what was made anew is found again
				if s := b.incident("inc-7").Leaf("status"); s == "cleared" {
					t.Errorf("after a crash inc-7 is %s", s)
				}
				b.close()
			})
		})
	}
}

func equalMaps(a, b map[string]string) bool {
	for k, v := range a {
		if b[k] != v {
			return false
		}
	}
	return len(a) == len(b)
}

// age changes the closed store.
func (b *bench) age(change func(*kv.Writer) error) {
	b.t.Helper()
	db, err := kv.Open(b.dir+"/store.db", kv.Options{})
	if err != nil {
		b.t.Fatal(err)
	}
	if err := db.Update(change); err != nil {
		b.t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		b.t.Fatal(err)
	}
}

// acknowledge has admin acknowledge an incident.
func (b *bench) acknowledge(t *testing.T, id string) {
	t.Helper()
	rpc := b.schema.RPC("ietf-incident", "incident-acknowledge")
	if err := b.manager.Acknowledge(t.Context(), "admin", nil, data.Build(rpc.Children[0]).Leaf("incident-id", id).Node()); err != nil {
		t.Fatal(err)
	}
}

// TestReform changes the correlator's configuration and the network between events: a
// change holds from its commit on, whatever comes or crashes next, and nothing is lost.
func TestReform(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t)
		b.configure(figure)
		b.report(down("1", "P1", "eth1", "link-down"))
		time.Sleep(time.Minute)
		timing := func(name, value string) {
			t.Helper()
			err := b.store.Update(t.Context(), func(tx *datastore.Tx) error {
				c := data.Build(b.schema.Root.ChildNamed("correlation"))
				c.Container("timing").Leaf(name, value)
				tx.SetRunning(tx.Running().With(c.Node()))
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		timing("clear-hold", "600000")
		b.crash() // before any event or timer
		b.report(up("2", "P1", "eth1", "link-down"))
		time.Sleep(5 * time.Minute)
		if s := b.incident("inc-1").Leaf("status"); s == "cleared" {
			t.Error("it was cleared before the new hold")
		}
		time.Sleep(6 * time.Minute)
		if s := b.incident("inc-1").Leaf("status"); s != "cleared" {
			t.Errorf("after the new hold it is %s", s)
		}
		if n := len(b.notices()); n < 2 {
			t.Errorf("%d notifications", n)
		}
		b.close()
	})
}
