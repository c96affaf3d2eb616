package correlate

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"incidentd/incident/event"
	"incidentd/incident/topology"
)

// story is a network with what happens in it.
type story struct {
	config   Config
	index    *topology.Index
	events   []event.Event
	commands map[int]Command // what operators do before an event
}

func (s *story) engine() *Engine {
	e := New(s.config)
	e.SetTopology(s.index)
	return e
}

// render writes decisions with everything that they say.
func render(ds []Decision) string {
	var b []byte
	for _, d := range ds {
		b = fmt.Appendf(b, "%d %s %s %s %v ", d.Serial, d.At.Format(time.RFC3339Nano), d.Op, d.Incident.LastUpdated.Format(time.RFC3339Nano), d.Incident.ServiceStates)
		b = AppendJSON(b, d.Incident)
		for _, r := range d.Incident.Events() {
			b = fmt.Appendf(b, " %s/%v/%s", r.ID, r.Cleared, r.Reason)
		}
		b = append(b, '\n')
	}
	return string(b)
}

// run feeds a story and returns all decisions. between is called before each event.
func (s *story) run(t testing.TB, between func(e *Engine, k int) (*Engine, []Decision)) []string {
	e := s.engine()
	var out []string
	for k := range s.events {
		if between != nil {
			var ds []Decision
			if e, ds = between(e, k); len(ds) > 0 {
				out = append(out, render(ds))
			}
		}
		if c, ok := s.commands[k]; ok {
			c.At = s.events[k].Arrival
			ds, err := e.Command(c)
			if err != nil && !errors.Is(err, ErrUnknown) && !errors.Is(err, ErrCommand) {
				t.Fatalf("%+v: %v", c, err)
			}
			if out = append(out, render(ds)); err == nil {
				out = append(out, fmt.Sprintln("command", c))
			}
		}
		ev := s.events[k]
		if ds := e.Feed(&ev); len(ds) > 0 {
			out = append(out, render(ds))
		}
	}
	out = append(out, render(e.Advance(e.Now().Add(time.Hour))))
	return bytesOf(out)
}

// bytesOf joins calls, for how decisions are spread over calls does not matter.
func bytesOf(calls []string) (lines []string) {
	for _, c := range calls {
		for l := range bytes.Lines([]byte(c)) {
			lines = append(lines, string(l))
		}
	}
	return lines
}

func restored(t testing.TB, s *story, e *Engine) *Engine {
	t.Helper()
	b := e.Snapshot()
	f := s.engine()
	if err := f.Restore(b); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(f.Snapshot(), b) {
		t.Fatal("a restored engine writes another snapshot")
	}
	return f
}

// changed keeps the state in parts, as a store would, and goes on from them again and
// again.
func changed(t *testing.T, s *story) func(e *Engine, k int) (*Engine, []Decision) {
	rows := map[string][]byte{}
	return func(e *Engine, k int) (*Engine, []Decision) {
		if k%3 != 0 {
			return e, nil
		}
		for _, p := range e.Changes() {
			if p.Value == nil {
				delete(rows, string(p.Key))
			} else {
				rows[string(p.Key)] = p.Value
			}
		}
		if k%30 != 0 {
			return e, nil
		}
		var parts []Part
		for key, v := range rows {
			parts = append(parts, Part{[]byte(key), v})
		}
		f := s.engine()
		if err := f.RestoreParts(parts); err != nil {
			t.Fatalf("before event %d: %v", k, err)
		}
		if !bytes.Equal(f.Snapshot(), e.Snapshot()) {
			t.Fatalf("before event %d: the parts are not the whole", k)
		}
		return f, nil
	}
}

// invented makes a story by chance: alarms of all kinds come, clear, repeat, arrive
// late and with wrong stamps, on the objects of the layers; operators meddle.
func invented(seed uint64, n int) *story {
	r := rand.New(rand.NewPCG(seed, 1))
	places := []string{"OA:1", "OB:1", "OB:2", "OC:1", "OA:2", "OC:2", "OA:c1", "OB:c1", "OC:c2", "A:e1", "A:e2", "A:e3", "B:e1", "B:e2", "B:e3", "C:e1", "C:e2", "C:e3",
		"PA:e0", "PB:e0", "PC:e0", "PA:x1", "PB:x1", "A:slot/0", "A", "B", "PB", "CE1", "CE2", "PA:bgp/PB", "PB:bgp/PA", "PA:bgp/CE1", "PA:t1", "PB:t2", "PB:t3", "PA:vpn/red", "PB:vpn/blue",
		"A:power", "OA:power", "B:cpu/0", "A:config", "stranger", "stranger:x"}
	types := []string{"los", "och-ssf", "client-los", "protection-switched", "link-down", "transceiver-fault", "bfd-down", "isis-adjacency-down", "isis-auth-fail", "ldp-down",
		"card-failure", "mains-failure", "battery-low", "last-gasp", "cpu-high", "input-errors", "packet-loss", "utilisation-high", "queue-drops", "node-unreachable", "ce-unreachable", "bgp-down",
		"tunnel-down", "frr-active", "path-delay", "path-loss", "service-down", "service-degraded", "config-commit", "strange", "rx-power-low", "osnr", "process-restart", "holdover"}
	s := &story{config: Config{ApplyLearned: true, Marks: []Mark{{ID: "M", Object: MarkObject{Network: "fibre", Link: "OA:1-OB:1"}, Start: start.Add(10 * time.Minute), End: start.Add(time.Hour)}}},
		index: topology.Build(network(layers), layersInventory)}
	now := start
	var before []event.Event
	s.commands = map[int]Command{}
	for k := range n {
		if k > 0 && r.IntN(12) == 0 {
			c := Command{Action: []Action{Merge, Split, Move}[r.IntN(3)], Incident: uint64(1 + r.IntN(1+k/5)), Events: []string{fmt.Sprintf("i%d", r.IntN(k)), fmt.Sprintf("i%d", r.IntN(k))}[:1+r.IntN(2)]}
			if c.Action == Merge {
				c.Others, c.Events = []uint64{uint64(1 + r.IntN(1+k/5))}, nil
			}
			s.commands[k] = c
		}
		switch r.IntN(10) {
		case 0:
			now = now.Add(time.Duration(r.IntN(600)) * time.Second)
		case 1, 2:
			now = now.Add(time.Duration(r.IntN(40)) * time.Second)
		default:
			now = now.Add(time.Duration(r.IntN(1500)) * time.Millisecond)
		}
		var ev event.Event
		if len(before) > 0 && r.IntN(5) < 2 {
			ev = before[r.IntN(len(before))]
			if r.IntN(4) > 0 {
				ev.Severity = event.Cleared
			}
		} else {
			ev = parseAlarm(places[r.IntN(len(places))]+" "+types[r.IntN(len(types))], "", now)
			ev.Severity = event.Severity(2 + r.IntN(5))
			ev.Kind = event.Kind(r.IntN(3))
			if r.IntN(10) == 0 {
				ev.Kind, ev.Resource, ev.AlarmTypeID, ev.Text = event.Log, "", "unmapped", ev.AlarmTypeID
			}
			ev.Shelved = ev.Kind == event.Alarm && r.IntN(12) == 0
			if r.IntN(40) == 0 {
				ev.TraceID = fmt.Sprintf("%032x", r.IntN(3))
			}
			before = append(before, ev)
		}
		ev.ID, ev.Arrival, ev.Time = fmt.Sprintf("i%d", k), now, now.Add(-time.Duration(r.IntN(300))*time.Millisecond)
		switch r.IntN(20) {
		case 0:
			ev.Time = now.Add(-time.Duration(r.IntN(30)) * time.Second)
		case 1:
			ev.Time = now.Add(time.Duration(r.IntN(100000)-50000) * time.Second)
		case 2:
			ev.Time = time.Time{}
		case 3:
			ev.Arrival = now.Add(-5 * time.Second)
		}
		s.events = append(s.events, ev)
	}
	return s
}

// TestPure checks on invented stories that a second run, ticks in between, a snapshot
// before every event, and a new epoch with the same topology change nothing; and that
// the invariants hold after every event.
func TestPure(t *testing.T) {
	seeds, n := 12, 400
	if testing.Short() {
		seeds = 3
	}
	for seed := range uint64(seeds) {
		s := invented(seed, n)
		want := s.run(t, nil)
		for _, c := range []struct {
			name    string
			between func(e *Engine, k int) (*Engine, []Decision)
		}{
			{"again", nil},
			{"ticks", func(e *Engine, k int) (*Engine, []Decision) {
				var ds []Decision
				at := s.events[k].Arrival
				for step := e.Now().Add(700 * time.Millisecond); k > 0 && step.Before(at); step = step.Add(7 * time.Second) {
					ds = append(ds, e.Advance(step)...)
				}
				return e, ds
			}},
			{"timers one by one", func(e *Engine, k int) (*Engine, []Decision) {
				var ds []Decision
				for {
					next, ok := e.Next()
					if !ok || next.After(s.events[k].Arrival) {
						return e, ds
					}
					ds = append(ds, e.Advance(next)...)
				}
			}},
			{"snapshots", func(e *Engine, k int) (*Engine, []Decision) { return restored(t, s, e), nil }},
			{"changes", changed(t, s)},
			{"epochs", func(e *Engine, k int) (*Engine, []Decision) {
				if err := e.check(); err != nil {
					t.Fatalf("seed %d, before event %d: %v", seed, k, err)
				}
				return e, nil
			}},
		} {
			if d := cmp.Diff(want, s.run(t, c.between)); d != "" {
				t.Fatalf("seed %d, %s (-want +got)\n%s", seed, c.name, d)
			}
		}
	}
}

// TestEpochs checks that new epochs, of the same topology and of another, keep the
// invariants, and the incidents but for those whose end is told.
func TestEpochs(t *testing.T) {
	other := topology.Build(network(layers)[:5], nil)
	for seed := range uint64(6) {
		s := invented(seed+100, 300)
		s.run(t, func(e *Engine, k int) (*Engine, []Decision) {
			before := len(e.Open())
			if k%17 == 0 {
				e.SetTopology(other)
			}
			if k%17 == 9 {
				e.SetTopology(s.index)
			}
			if err := e.check(); err != nil {
				t.Fatalf("seed %d, before event %d: %v", seed, k, err)
			}
			for _, d := range e.out { // what the new topology lets be part of another is told
				if d.Op == Cleared {
					before--
				}
			}
			if after := len(e.Open()); before != after {
				t.Fatalf("seed %d, event %d: %d incidents were open, %d are", seed, k, before, after)
			}
			return e, nil
		})
	}
}

// TestRecordingsPure replays the recorded networks twice, and with snapshots.
func TestRecordingsPure(t *testing.T) {
	for _, c := range []struct {
		name  string
		every int
	}{{"dev-small", 1}, {"dev", 97}} {
		t.Run(c.name, func(t *testing.T) {
			r := load(t, c.name)
			want := r.replay()
			if !bytes.Equal(want, r.replay()) {
				t.Error("two replays differ")
			}
			s := &story{config: r.config, index: r.index, events: r.events}
			e := s.engine()
			p := NewReplay(e, nil)
			for k, ev := range r.events {
				if k%c.every == 0 {
					p.e = restored(t, s, p.e)
				}
				p.Feed(ev)
			}
			if d := cmp.Diff(string(want), string(lines(p.Finish()))); d != "" {
				t.Errorf("with snapshots (-want +got)\n%s", d)
			}
			if err := p.e.check(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestRestoreRefuses(t *testing.T) {
	s := invented(7, 300)
	e := s.engine()
	for k := range s.events {
		e.Feed(&s.events[k])
	}
	b := e.Snapshot()
	f := s.engine()
	f.Feed(&s.events[0])
	want := f.Snapshot()
	for _, bad := range [][]byte{nil, []byte("x"), b[:len(b)/2], append(bytes.Clone(b), 0), append([]byte("incidentd-correlate\x01"), b[len(snapshotMagic):]...)} {
		if err := f.Restore(bad); !errors.Is(err, ErrSnapshot) {
			t.Errorf("Restore of %d bytes = %v", len(bad), err)
		}
	}
	if got := f.Snapshot(); !bytes.Equal(got, want) {
		t.Error("a refused snapshot changed the engine")
	}
}

func FuzzRestore(f *testing.F) {
	s := invented(3, 120)
	e := s.engine()
	for k := range s.events {
		e.Feed(&s.events[k])
		if k%40 == 0 {
			b := e.Snapshot()
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		e := s.engine()
		if err := e.Restore(in); err != nil {
			if !errors.Is(err, ErrSnapshot) {
				t.Fatalf("an error of no kind: %v", err)
			}
			return
		}
		b := e.Snapshot()
		g := s.engine()
		if err := g.Restore(b); err != nil {
			t.Fatalf("what was written is not read: %v", err)
		}
		if again := g.Snapshot(); !bytes.Equal(again, b) {
			t.Fatal("what was read is written otherwise")
		}
	})
}
