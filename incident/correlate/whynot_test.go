package correlate

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestWhyNot(t *testing.T) {
	d := newDesk(t, layers, layersInventory, Config{})
	d.at(0, "OA:1 los critical", "OB:1 los critical", "A:e1 link-down")                                   // e1 e2 e3
	d.at(time.Second, "PC:x1 link-down", "stranger fan-broken", "B:e2 input-errors", "PB:t3 tunnel-down") // e4 e5 e6 e7
	d.at(2*time.Second, "B:config config-commit indeterminate", "PA:t1 tunnel-down")                      // e8 e9
	d.until(4 * time.Minute)
	d.at(4*time.Minute, "B:e1 bfd-down", "PB:t2 tunnel-down") // e10 e11
	d.until(5 * time.Minute)
	for _, c := range []struct {
		event string
		want  WhyNot
	}{
		{"e3", WhyNot{Lacking: LackingNothing, Rule: "link-down-edge", Path: []string{"link A:e1-B:e1", "channel OA:c1-OB:c1", "section OA:1-OB:1"}, Incident: 1,
			Sentence: "link-down at A e1 is in inc-1, by link-down-edge."}},
		{"e4", WhyNot{Lacking: LackingPath, Rule: "link-down-edge", Lag: time.Second, Incident: 3,
			Sentence: "By link-down-edge link-down at PC x1 could speak for a link failure, but from there the topology leads to none."}},
		{"e5", WhyNot{Lacking: LackingPlace, Lag: time.Second, Incident: 4,
			Sentence: "The topology does not have stranger, so nothing leads from it to the root, Link failure at fibre OA:1-OB:1."}},
		{"e6", WhyNot{Lacking: LackingRule, Lag: time.Second, Incident: 2,
			Sentence: "input-errors at B e2 says input-errors, and no rule has that speak for a cause such as Link failure at fibre OA:1-OB:1."}},
		{"e7", WhyNot{Lacking: LackingPath, Rule: "impact", Lag: time.Second, Incident: 2, Sentence: "tunnel-down at PB t3 rests on tunnel PB:t3-PC:t3r, none of which Link failure at fibre OA:1-OB:1 takes."}},
		{"e8", WhyNot{Lacking: LackingLast, Sentence: "config-commit at B config is context, which supports an explanation and needs none."}},
		{"e9", WhyNot{Lacking: LackingNothing, Rule: "tunnel-down-edge", Path: []string{"tunnel PA:t1-PB:t1r", "link A:e1-B:e1", "channel OA:c1-OB:c1", "section OA:1-OB:1"}, Lag: 2 * time.Second, Incident: 1, Sentence: "tunnel-down at PA t1 is in inc-1, by impact."}},
	} {
		got, err := d.e.WhyNot(c.event, 1)
		if err != nil {
			t.Errorf("%s: %v", c.event, err)
			continue
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.event, diff)
		}
	}
	for _, c := range []struct {
		event string
		no    uint64
	}{{"e1", 99}, {"nothing", 1}, {"e1", 0}} {
		if _, err := d.e.WhyNot(c.event, c.no); !errors.Is(err, ErrUnknown) {
			t.Errorf("WhyNot(%s, %d) = %v", c.event, c.no, err)
		}
	}
}
