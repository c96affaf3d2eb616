package supervision_test

import (
	"context"
	"flag"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"incidentd/incident"
	"incidentd/incident/event"
	"incidentd/incident/ingest/supervision"
	"incidentd/netconf/netconftest"
	"incidentd/oam"
	"incidentd/yang/data"
)

var update = flag.Bool("update", false, "rewrite the dialogues with what is received")

// A path that works for ten minutes, loses a third of the packets for ten, all of them for ten,
// and works again. A test takes a second.
type path struct{}

func (path) Demand() oam.Demand {
	return oam.Demand{Target: "192.0.2.1", Packets: 30, PacketRate: 30, BitRate: 8 * 84 * 30, Duration: time.Second}
}

func (path) Check(context.Context, *oam.Env) error { return nil }

func (path) Run(ctx context.Context, env *oam.Env) (*oam.Measurement, error) {
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	m := &oam.Measurement{Packets: &oam.Packets{Sent: 30, Received: 30}, Errors: &oam.Errors{}, Verdict: oam.Pass}
	switch minute := time.Now().UTC().Hour()*60 + time.Now().UTC().Minute(); {
	case minute >= 10 && minute < 20:
		m.Packets.Received, m.Verdict, m.Crossed = 20, oam.Fail, []string{"max-loss-ratio: 33.3 > 1"}
	case minute >= 20 && minute < 30:
		m.Packets.Received, m.Verdict, m.Crossed = 0, oam.Fail, []string{"max-loss-ratio: 100 > 1"}
	}
	return m, nil
}

// TestDialogues plays the dialogues of testdata.
func TestDialogues(t *testing.T) {
	netconftest.Play(t, "testdata/*.txt", *update, netconftest.Config{Setup: func(b *netconftest.Bench) {
		m, err := incident.New(incident.Config{Store: b.Store})
		if err != nil {
			t.Fatal(err)
		}
		m.Start()
		in := m.Inlet("supervision")
		tests, err := oam.New(oam.Config{Store: b.Store, DB: b.DB, Strict: true, Supervise: supervision.New(b.Store, in).Supervise,
			Engines: map[string]oam.Engine{"icmp-echo": func(oam.Params) (oam.Test, error) { return path{}, nil }}})
		if err != nil {
			t.Fatal(err)
		}
		if err := tests.Start(); err != nil {
			t.Fatal(err)
		}
		b.OnEnd(func() {
			tests.Stop()
			in.Close()
			if err := m.Stop(); err != nil {
				t.Error(err)
			}
		})
		if err := m.Register(b.Server); err != nil {
			t.Fatal(err)
		}
	}})
}

// What a test stands for is where its events are; one node of an unknown network is unknown.
func TestEvents(t *testing.T) {
	s, err := netconftest.Schema()
	if err != nil {
		t.Fatal(err)
	}
	running, err := (&data.Parser{Schema: s}).ParseDocument([]byte(`<networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network">
		<network><network-id>ip</network-id><node><node-id>PE1</node-id></node><node><node-id>a/b</node-id></node></network>
		<network><network-id>VPN-A</network-id><node><node-id>PE2</node-id></node></network></networks>`))
	if err != nil {
		t.Fatal(err)
	}
	type want struct{ ID, Node, Resource, Type, Severity, Value, Threshold, Text string }
	for _, tt := range []struct {
		name string
		in   oam.Crossing
		want []want
	}{
		{"a resource and a service", oam.Crossing{Test: "t", RunID: "r", Raised: true, Crossed: []string{"max-loss-ratio: 2.5 > 1", "x"}, Resources: []string{"PE1/eth1/0"}, Services: []string{"VPN-A"}}, []want{
			{"r", "PE1", "eth1/0", "oam-threshold-crossing", "major", "2.5", "1", "The test t fails: max-loss-ratio: 2.5 > 1, x"},
			{"r/2", "PE1", "VPN-A", "oam-threshold-crossing", "major", "2.5", "1", "The test t fails: max-loss-ratio: 2.5 > 1, x"}}},
		{"a service", oam.Crossing{Test: "t", RunID: "r", Services: []string{"VPN-A"}}, []want{{"r", "PE2", "VPN-A", "oam-threshold-crossing", "cleared", "", "", "The test t passes again"}}},
		{"nodes, one with a slash, one unknown", oam.Crossing{Test: "t", RunID: "r", Removed: true, Resources: []string{"PE1", "a/b", "Q/eth0"}}, []want{
			{"r/removed", "PE1", "", "oam-threshold-crossing", "cleared", "", "", "The test t supervises it no longer"},
			{"r/removed/2", "a/b", "", "oam-threshold-crossing", "cleared", "", "", "The test t supervises it no longer"},
			{"r/removed/3", "unknown", "Q/eth0", "oam-threshold-crossing", "cleared", "", "", "The test t supervises it no longer"}}},
		{"nothing arrives", oam.Crossing{Test: "t", RunID: "r", Raised: true, Lost: true, Resources: []string{"PE1"}}, []want{
			{"r", "PE1", "", "oam-total-loss", "critical", "", "", "Nothing of the test t arrives"},
			{"r/2", "PE1", "", "oam-threshold-crossing", "major", "", "", "The test t fails: "}}},
		{"something arrives again", oam.Crossing{Test: "t", RunID: "r", Raised: true, WasLost: true, Resources: []string{"PE1"}}, []want{
			{"r", "PE1", "", "oam-threshold-crossing", "major", "", "", "The test t fails: "},
			{"r/2", "PE1", "", "oam-total-loss", "cleared", "", "", "The test t passes again"}}},
		{"it stands for nothing", oam.Crossing{Test: "t", RunID: "r", Raised: true}, []want{{"r", "unknown", "t", "oam-threshold-crossing", "major", "", "", "The test t fails: "}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []want
			for _, e := range supervision.Events(running, tt.in) {
				if e.Kind != event.KPI || e.AlarmTypeQualifier != "t" {
					t.Errorf("%+v", e)
				}
				got = append(got, want{e.ID, e.Node, e.Resource, e.AlarmTypeID, e.Severity.String(), e.Value, e.Threshold, e.Text})
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}
