package correlate

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"incidentd/incident/event"
	"incidentd/incident/topology"
)

// TestDryRun: other rules over the same events, and what would differ.
func TestDryRun(t *testing.T) {
	var events []event.Event
	for k, s := range []string{"OA:1 los critical", "OB:1 los critical", "A:e1 link-down", "B:e1 link-down", "PC:x1 link-down"} {
		events = append(events, parseAlarm(s, string(rune('a'+k)), start.Add(time.Duration(k)*100*time.Millisecond)))
	}
	x := topology.Build(network(layers), layersInventory)
	run := func(change func(*Config)) (out []string) {
		after := Config{Knowledge: DefaultKnowledge()}
		change(&after)
		for _, d := range DryRun(x, Config{}, after, slices.Values(events)) {
			line := ""
			if d.Before != nil {
				line += d.Before.Name
			}
			line += " -> "
			if d.After != nil {
				line += d.After.Name
			}
			out = append(out, fmt.Sprint(line, " ", d.What))
		}
		return out
	}
	if got := run(func(*Config) {}); got != nil {
		t.Errorf("the same rules differ: %v", got)
	}
	got := run(func(c *Config) {
		for _, cause := range []Cause{EdgeFailure, PortFailure} {
			c.Knowledge.Set(Rule{Class: LinkDown, Via: BottomEdge, Cause: cause})
		}
		c.SoakSingle = time.Hour
	})
	want := []string{"red degradation -> red degradation [events]", "blue unavailable ->  []", " -> red degradation []"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}
