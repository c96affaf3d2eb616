package correlate

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
	{"ordinary", func(*simulation.Params) {}, .96},
	{"missing", func(p *simulation.Params) { p.Missing = .15 }, .95},
	{"stale", func(p *simulation.Params) { p.Stale = .05 }, .95},
	{"cardless", func(p *simulation.Params) { p.Cardless = true }, .95},
	{"mute", func(p *simulation.Params) { p.Mute = .15 }, .95},
	{"ducts", func(p *simulation.Params) { p.Ducts = 3 }, .95},
	{"crashes", func(p *simulation.Params) { p.Crashes = 8 }, .95},
	{"surges", func(p *simulation.Params) { p.Surges = 8 }, .92},
	{"syncs", func(p *simulation.Params) { p.Syncs = 8 }, .95},
	{"all", everything, .94},
}

func everything(p *simulation.Params) {
	p.Missing, p.Stale, p.Cardless, p.Mute, p.Ducts, p.Crashes, p.Surges, p.Syncs = .08, .03, true, .08, 2, 4, 4, 4
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
				if s.S < h.floor || s.F1 < .88 {
					t.Errorf("S = %.3f, F1 = %.3f, below %.3f and 0.88", s.S, s.F1, h.floor)
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

// TestHardPure: on the hardest network too, a second run and a restart in the middle, from a
// snapshot or from what has changed, give the same bytes, and the invariants hold.
func TestHardPure(t *testing.T) {
	p := ordinary(2)
	everything(&p)
	p.Faults, p.Days = 30, 4
	_, r := simulated(p)
	want := r.replay()
	if !bytes.Equal(want, r.replay()) {
		t.Error("two replays differ")
	}
	s := &story{config: r.config, index: r.index, events: r.events}
	run := NewReplay(s.engine(), nil)
	for k, ev := range r.events {
		if k%61 == 60 {
			if err := run.e.check(); err != nil {
				t.Fatalf("before event %d: %v", k, err)
			}
			run.e = restored(t, s, run.e)
		}
		run.Feed(ev)
	}
	if d := cmp.Diff(string(want), string(lines(run.Finish()))); d != "" {
		t.Errorf("with restarts (-want +got)\n%s", d)
	}
	between := changed(t, s)
	run = NewReplay(s.engine(), nil)
	for k, ev := range r.events {
		run.e, _ = between(run.e, k)
		run.Feed(ev)
	}
	if d := cmp.Diff(string(want), string(lines(run.Finish()))); d != "" {
		t.Errorf("from what has changed (-want +got)\n%s", d)
	}
}

// TestMaps scores networks over maps of real ones. SCORE_LARGE makes it one of thousands of
// nodes and hundreds of thousands of events.
func TestMaps(t *testing.T) {
	names := []string{"Garr201201", "Uninett2011"}
	p := ordinary(11)
	p.Faults, p.Services = 90, 50
	if os.Getenv("SCORE_LARGE") != "" {
		names = []string{"Kdl", "Cogentco", "UsCarrier", "TataNld", "Deltacom", "GtsCe", "DialtelecomCz", "Colt"}
		p.Faults, p.Services, p.Days, p.Noise, p.Nights, p.Cutovers = 4000, 1200, 14, 2000, 20, 60
		p.Missing, p.Stale, p.Cardless, p.Mute, p.Ducts, p.Crashes, p.Surges, p.Syncs = .05, .02, true, .05, 20, 60, 60, 60
	} else {
		everything(&p)
	}
	for _, n := range names {
		f, err := os.Open(filepath.Join(shared(t), "data", "topologyzoo", n+".graphml"))
		if err != nil {
			t.Skip("no map: ", err)
		}
		g, err := simulation.ReadGraphML(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		p.Graphs = append(p.Graphs, g)
	}
	rec, r := simulated(p)
	begin := time.Now()
	is := r.incidents()
	took := time.Since(begin)
	s := rec.Measure(outcomes(is))
	t.Logf("%d events of %d nodes in %s: %s\n%s", len(rec.Events), r.index.Stats().Nodes, took.Round(time.Millisecond), s, s.Table())
	if s.S < .94 || s.F1 < .88 {
		t.Errorf("S = %.3f, F1 = %.3f, below 0.94 and 0.88", s.S, s.F1)
	}
}
