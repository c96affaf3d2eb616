package correlate

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"incidentd/incident/correlate/internal/simulation"
	"incidentd/incident/topology"
)

// simulated makes what an engine needs of a simulated recording.
func simulated(p simulation.Params) (*simulation.Recording, *recording) {
	s := simulation.New(p)
	r := &recording{events: s.Events, networks: s.Networks, inventory: s.Inventory, index: topology.Build(s.Networks, s.Inventory)}
	r.config.ApplyLearned = true
	for _, t := range s.Types {
		r.config.AlarmTypes = append(r.config.AlarmTypes, AlarmType{ID: t.ID, ResourceClass: t.ResourceClass, WillClear: t.WillClear, Description: t.Description})
	}
	for _, m := range s.Marks {
		r.config.Marks = append(r.config.Marks, Mark{ID: m.ID, Reason: m.Reason, Object: MarkObject{Network: m.Network, Link: m.Link}, Start: m.Start, End: m.End})
	}
	return s, r
}

func (r *recording) incidents() []*Incident {
	p := NewReplay(r.engine(), nil)
	for _, ev := range r.events {
		p.Feed(ev)
	}
	return p.Finish()
}

// outcomes tells what is scored of incidents.
func outcomes(is []*Incident) (out []simulation.Outcome) {
	for _, i := range is {
		o := simulation.Outcome{Raised: i.RaiseTime, Cleared: i.ClearTime, Services: i.ServiceInstances, Ticket: i.Ticket, Merged: i.MergedInto != 0}
		for _, e := range i.Events() {
			o.Events = append(o.Events, e.ID)
		}
		for _, e := range i.RootEvents() {
			o.RootEvents = append(o.RootEvents, e.ID)
		}
		for _, c := range i.RootCauses {
			o.Roots = append(o.Roots, [2]string{c.Node, c.Resource})
		}
		out = append(out, o)
	}
	return out
}

// ordinary is a network in which everything is known, and what happens is usual.
func ordinary(seed uint64) simulation.Params {
	return simulation.Params{Seed: seed, Domains: 2, Sites: 24, Services: 40, Days: 6, Faults: 70, Cutovers: 4, Nights: 3, Noise: 60,
		Lost: .03, Doubled: .01, Late: .01, Skewed: .1, Polled: .1}
}

// hardships are what makes a network harder to judge, each alone and all together, with
// the score that must be reached.
var hardships = []struct {
	name  string
	add   func(p *simulation.Params)
	floor float64
}{
	{"ordinary", func(*simulation.Params) {}, .98},
	{"missing", func(p *simulation.Params) { p.Missing = .15 }, .97},
	{"stale", func(p *simulation.Params) { p.Stale = .05 }, .97},
	{"cardless", func(p *simulation.Params) { p.Cardless = true }, .96},
	{"mute", func(p *simulation.Params) { p.Mute = .15 }, .96},
	{"ducts", func(p *simulation.Params) { p.Ducts = 3 }, .96},
	{"crashes", func(p *simulation.Params) { p.Crashes = 8 }, .97},
	{"surges", func(p *simulation.Params) { p.Surges = 8 }, .93},
	{"syncs", func(p *simulation.Params) { p.Syncs = 8 }, .93},
	{"all", func(p *simulation.Params) {
		p.Missing, p.Stale, p.Cardless, p.Mute, p.Ducts, p.Crashes, p.Surges, p.Syncs = .08, .03, true, .08, 2, 4, 4, 4
	}, .92},
}

// TestQuality scores simulated networks. SCORE_SEEDS says how many of each kind, and
// SCORE_DIR where to write them with what the engine made of them.
func TestQuality(t *testing.T) {
	seeds, err := strconv.ParseUint(os.Getenv("SCORE_SEEDS"), 10, 64)
	if err != nil {
		seeds = 1
	}
	for _, h := range hardships {
		for seed := range seeds {
			t.Run(fmt.Sprint(h.name, "-", seed+1), func(t *testing.T) {
				p := ordinary(seed + 1)
				h.add(&p)
				rec, r := simulated(p)
				is := r.incidents()
				s := rec.Measure(outcomes(is))
				t.Logf("%s\n%s", s, s.Table())
				keep(t, rec, is)
				if s.S < h.floor {
					t.Errorf("S = %.3f, below %.3f", s.S, h.floor)
				}
			})
		}
	}
}

// keep writes a recording and what was made of it, for a look by other means.
func keep(t *testing.T, rec *simulation.Recording, is []*Incident) {
	dir := os.Getenv("SCORE_DIR")
	if dir == "" {
		return
	}
	dir = filepath.Join(dir, filepath.Base(t.Name()))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := rec.Write(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "out.jsonl"), lines(is), 0o600); err != nil {
		t.Fatal(err)
	}
}
