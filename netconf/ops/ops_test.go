package ops_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"incidentd/datastore"
	"incidentd/netconf/netconftest"
	"incidentd/netconf/ops"
	"incidentd/yang/data"
	"incidentd/yang/modules"
)

func rpc(op string) string {
	return `<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="1">` + op + `</rpc>`
}

func open(t testing.TB, b *netconftest.Bench) *netconftest.Peer {
	t.Helper()
	p := netconftest.NewPeer(b.Dial(t.Context(), "u", 0))
	t.Cleanup(func() { p.Conn.Close() })
	if _, err := p.Open("1.1"); err != nil {
		t.Fatal(err)
	}
	return p
}

// Every module comes back as it is embedded.
func TestGetSchema(t *testing.T) {
	p := open(t, netconftest.New(t, netconftest.Config{}))
	for _, file := range modules.Names() {
		name, revision, ok := modules.Split(file)
		if !ok {
			t.Fatalf("the file %q", file)
		}
		want, err := modules.Source(name, revision)
		if err != nil {
			t.Fatal(err)
		}
		for _, version := range []string{"", "<version>" + revision + "</version>"} {
			m, err := p.Ask(rpc(`<get-schema xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"><identifier>` + name + `</identifier>` + version + `</get-schema>`))
			if err != nil {
				t.Fatal(err)
			}
			var reply struct {
				Data []byte `xml:"urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring data"`
			}
			if err := xml.Unmarshal([]byte(m), &reply); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(reply.Data, want) {
				t.Errorf("%s: %s", file, cmp.Diff(string(want), string(reply.Data)))
			}
		}
	}
}

// config-filter tells configuration of system origin, which stands among the state,
// from what is state.
func TestConfigFilter(t *testing.T) {
	b := netconftest.New(t, netconftest.Config{})
	alarms := b.Schema.Root.Child(b.Schema.Module("ietf-alarms"), "alarms")
	networks := b.Schema.Root.Child(b.Schema.Module("ietf-network"), "networks")
	err := b.Store.Update(t.Context(), func(tx *datastore.Tx) error {
		a := data.Build(alarms)
		a.Container("control").Leaf("max-alarm-status-changes", "5")
		a.Container("alarm-list").Uint("number-of-alarms", 0)
		n := data.Build(networks)
		n.Entry("network", "unmapped").Entry("node", "n1")
		tx.SetState(data.Build(b.Schema.Root).Add(n.Node(), a.Node()).Node())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	p := open(t, b)
	const head = `<rpc-reply xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="1"><data xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-nmda">`
	const tail = `</data></rpc-reply>`
	const nw = `<networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network">`
	const al = `<alarms xmlns="urn:ietf:params:xml:ns:yang:ietf-alarms">`
	const control, list = `<control><max-alarm-status-changes>5</max-alarm-status-changes></control>`, `<alarm-list><number-of-alarms>0</number-of-alarms></alarm-list>`
	const inUse = `<control><max-alarm-status-changes>5</max-alarm-status-changes><notify-status-changes>all-state-changes</notify-status-changes></control>`
	const unmapped = nw + `<network><network-id>unmapped</network-id><node><node-id>n1</node-id></node></network></networks>`
	for _, test := range []struct{ filter, want string }{
		{"<with-defaults>explicit</with-defaults>", al + inUse + list + `</alarms>` + unmapped},
		{"<config-filter>true</config-filter><with-defaults>explicit</with-defaults>", al + inUse + `</alarms>` + unmapped},
		{"<config-filter>false</config-filter>", al + list + `</alarms>`},
	} {
		got, err := p.Ask(rpc(`<get-data xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-nmda" xmlns:ds="urn:ietf:params:xml:ns:yang:ietf-datastores"><datastore>ds:operational</datastore>` +
			`<subtree-filter>` + nw + `</networks>` + al + `</alarms></subtree-filter>` + test.filter + `</get-data>`))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(netconftest.Indent(head+test.want+tail), netconftest.Indent(got)); diff != "" {
			t.Errorf("config-filter %q (-want +got):\n%s", test.filter, diff)
		}
	}
}

// A server whose schema lacks what the operations need does not start.
func TestRegisterTwice(t *testing.T) {
	b := netconftest.New(t, netconftest.Config{})
	if err := ops.Register(ops.Config{Server: b.Server}); err == nil || !strings.Contains(err.Error(), "has a handler already") {
		t.Errorf("Register = %v", err)
	}
}

// fill puts incidents into the state, and nodes of a network into the configuration.
func fill(t testing.TB, b *netconftest.Bench, n int) {
	t.Helper()
	incidents := b.Schema.Root.Child(b.Schema.Module("ietf-incident"), "incidents")
	networks := b.Schema.Root.Child(b.Schema.Module("ietf-network"), "networks")
	err := b.Store.Update(context.Background(), func(tx *datastore.Tx) error {
		i := data.Build(incidents)
		w := data.Build(networks)
		net := w.Entry("network", "net")
		for k := range n {
			i.Entry("incident", fmt.Sprintf("inc-%d", k)).Uint("csn", uint64(k)).Leaf("name", "interface down").Leaf("type", "fault").
				Leaf("priority", "high").Leaf("status", "raised").Leaf("detail", "The interface ge-0/0/1 of PE1 is down.")
			net.Entry("node", fmt.Sprintf("node-%d", k))
		}
		tx.SetState(data.Build(b.Schema.Root).Add(i.Node()).Node())
		tx.SetRunning(data.Build(b.Schema.Root).Add(w.Node()).Node())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func BenchmarkGetOneOf100000(b *testing.B) {
	bench := netconftest.New(b, netconftest.Config{})
	fill(b, bench, 100_000)
	p := open(b, bench)
	for i := 0; b.Loop(); i++ {
		id := fmt.Sprintf("inc-%d", i*7919%100_000)
		m, err := p.Ask(rpc(`<get><filter><incidents xmlns="urn:ietf:params:xml:ns:yang:ietf-incident"><incident><incident-id>` + id + `</incident-id></incident></incidents></filter></get>`))
		if err != nil || !strings.Contains(m, id) || len(m) > 1000 {
			b.Fatalf("%.200s, %v", m, err)
		}
	}
}

func BenchmarkGetAll100000(b *testing.B) {
	bench := netconftest.New(b, netconftest.Config{})
	fill(b, bench, 100_000)
	p := open(b, bench)
	for b.Loop() {
		m, err := p.Ask(rpc(`<get><filter><incidents xmlns="urn:ietf:params:xml:ns:yang:ietf-incident"/></filter></get>`))
		if err != nil || len(m) < 1<<20 {
			b.Fatalf("%.200s, %v", m, err)
		}
		b.SetBytes(int64(len(m)))
	}
}

func BenchmarkEditOneOf100000(b *testing.B) {
	bench := netconftest.New(b, netconftest.Config{})
	fill(b, bench, 100_000)
	p := open(b, bench)
	for i := 0; b.Loop(); i++ {
		m, err := p.Ask(rpc(fmt.Sprintf(`<edit-config><target><running/></target><config><networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network"><network><network-id>net</network-id>`+
			`<node xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0" nc:operation="replace"><node-id>node-%d</node-id><supporting-node><network-ref>x</network-ref><node-ref>y%d</node-ref></supporting-node></node>`+
			`</network></networks></config></edit-config>`, i*7919%100_000, i)))
		if err != nil || !strings.Contains(m, "<ok/>") {
			b.Fatalf("%.400s, %v", m, err)
		}
	}
}

// BenchmarkEditUnderPartialLocks edits one node among 100,000 while another session has
// partial locks of other nodes.
func BenchmarkEditUnderPartialLocks(b *testing.B) {
	for _, locks := range []int{0, 1000} {
		b.Run(fmt.Sprintf("locks=%d", locks), func(b *testing.B) {
			bench := netconftest.New(b, netconftest.Config{})
			fill(b, bench, 100_000)
			p, holder := open(b, bench), open(b, bench)
			ask := func(p *netconftest.Peer, op string) {
				if m, err := p.Ask(rpc(op)); err != nil || strings.Contains(m, "<rpc-error>") {
					b.Fatalf("%.400s, %v", m, err)
				}
			}
			for i := range locks {
				ask(holder, fmt.Sprintf(`<partial-lock xmlns="urn:ietf:params:xml:ns:netconf:partial-lock:1.0" xmlns:nw="urn:ietf:params:xml:ns:yang:ietf-network">`+
					`<select>/nw:networks/nw:network[nw:network-id='net']/nw:node[nw:node-id='node-%d']</select></partial-lock>`, i))
			}
			for i := 0; b.Loop(); i++ {
				ask(p, fmt.Sprintf(`<edit-config><target><running/></target><config><networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network"><network><network-id>net</network-id>`+
					`<node xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0" nc:operation="replace"><node-id>node-%d</node-id><supporting-node><network-ref>x</network-ref><node-ref>y%d</node-ref></supporting-node></node>`+
					`</network></networks></config></edit-config>`, 1000+i*7919%90_000, i))
			}
		})
	}
}
