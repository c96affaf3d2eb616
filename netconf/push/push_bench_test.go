package push_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"incidentd/datastore"
	"incidentd/netconf/netconftest"
	"incidentd/yang/data"
)

// BenchmarkOnChange changes a leaf among 100,000 nodes of incidents, with 200 on-change
// subscriptions to all of them. An operation is a change, up to when all receivers have
// it; p99 is that of single receivers.
func BenchmarkOnChange(b *testing.B) {
	const incidents, receivers = 10_000, 200
	bench := netconftest.New(b, netconftest.Config{})
	fill(b, bench, incidents)
	got := make(chan time.Time, receivers)
	for range receivers {
		p := netconftest.NewPeer(bench.Dial(b.Context(), "u", 1<<20))
		if _, err := p.Open("1.1"); err != nil {
			b.Fatal(err)
		}
		m, err := p.Ask(fmt.Sprintf(establish, "operational", subtree(`<incidents xmlns="urn:ietf:params:xml:ns:yang:ietf-incident"/>`), "<yp:on-change><yp:sync-on-start>false</yp:sync-on-start></yp:on-change>"))
		if err != nil || !strings.Contains(m, "<id") {
			b.Fatal(m, err)
		}
		go func() {
			for {
				if _, err := p.R.ReadMessage(); err != nil {
					return
				}
				got <- time.Now()
			}
		}()
	}
	var times []time.Duration
	for i := 0; b.Loop(); i++ {
		set(b, bench, i%incidents, "x"+strconv.Itoa(i))
		begin := time.Now()
		for range receivers {
			times = append(times, (<-got).Sub(begin))
		}
	}
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)*99/100].Microseconds()), "p99-us")
	b.ReportMetric(float64(times[len(times)/2].Microseconds()), "p50-us")
}

const establish = `<rpc message-id="1" xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><establish-subscription xmlns="urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications" ` +
	`xmlns:yp="urn:ietf:params:xml:ns:yang:ietf-yang-push" xmlns:ds="urn:ietf:params:xml:ns:yang:ietf-datastores"><yp:datastore>ds:%s</yp:datastore>%s%s</establish-subscription></rpc>`

// fill stores incidents of ten nodes each.
func fill(t testing.TB, bench *netconftest.Bench, n int) {
	t.Helper()
	root := bench.Schema.Root
	b := data.Build(root)
	list := b.Container("incidents")
	for i := range n {
		list.Entry("incident", "inc-"+strconv.Itoa(i)).Uint("csn", uint64(i)).Leaf("name", "interface down").Leaf("type", "fault").
			Leaf("priority", "high").Leaf("status", "raised").Leaf("ack-status", "unacknowledged").Leaf("detail", "x").Leaf("category", "device")
	}
	tree := b.Node()
	err := bench.Store.Update(t.Context(), func(tx *datastore.Tx) error {
		tx.SetState(tree)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// set changes the detail of an incident.
func set(t testing.TB, bench *netconftest.Bench, i int, detail string) {
	t.Helper()
	err := bench.Store.Update(t.Context(), func(tx *datastore.Tx) error {
		top := tx.State().Child("incidents")
		e := top.EntryNamed("incident", "inc-"+strconv.Itoa(i))
		e = e.With(data.NewLeaf(e.Schema().ChildNamed("detail"), detail))
		tx.SetState(tx.State().With(top.With(e)))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
