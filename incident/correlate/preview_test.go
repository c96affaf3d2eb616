package correlate

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"incidentd/incident/topology"
)

// TestPreview: what a window will touch is known beforehand.
func TestPreview(t *testing.T) {
	d := newDesk(t, layers, layersInventory, Config{})
	for _, c := range []struct {
		o    MarkObject
		want Preview
	}{
		{MarkObject{Network: "fibre", Link: "OB:2-OC:1"}, Preview{
			Links:    []topology.LinkRef{{Network: "fibre", Link: "OB:2-OC:1"}, {Network: "wave", Link: "OB:c2-OC:c1"}, {Network: "ip", Link: "B:e2-C:e1"}, {Network: "te", Link: "PB:t3-PC:t3r"}},
			Services: []string{"blue"}, States: []ServiceState{Degraded}}},
		{MarkObject{Node: "C", Resource: "e3"}, Preview{
			Links: []topology.LinkRef{{Network: "ip", Link: "C:e3-PC:e0"}, {Network: "te", Link: "PB:t3-PC:t3r"}}, Nodes: []string{"PC"},
			Services: []string{"blue"}, States: []ServiceState{Outage}}},
		{MarkObject{Node: "A", Resource: "slot/0"}, Preview{
			Links: []topology.LinkRef{{Network: "ip", Link: "A:e1-B:e1"}, {Network: "ip", Link: "A:e2-C:e2"}, {Network: "te", Link: "PA:t1-PB:t1r"}, {Network: "te", Link: "PB:t2-PA:t2r"}},
			Nodes: []string{"A", "PA"}, Services: []string{"red"}, States: []ServiceState{Outage}}},
	} {
		got, err := d.e.Preview(c.o)
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%+v: %v (-want +got)\n%s", c.o, err, diff)
		}
	}
	for _, o := range []MarkObject{{}, {Network: "ip", Link: "gone"}, {Node: "gone"}, {Node: "A", Resource: "gone"}} {
		if _, err := d.e.Preview(o); !errors.Is(err, ErrUnknown) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
