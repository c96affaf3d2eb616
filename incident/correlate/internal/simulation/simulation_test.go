package simulation

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var small = Params{Seed: 5, Domains: 2, Sites: 12, Services: 12, Days: 5, Faults: 25, Cutovers: 2, Nights: 1, Noise: 30, Lost: .03, Doubled: .02, Late: .02, Skewed: .1, Polled: .1,
	Missing: .1, Stale: .05, Mute: .1, Ducts: 1, Crashes: 2, Surges: 2, Syncs: 2}

// perfect are outcomes that are the truth.
func perfect(rec *Recording) []Outcome {
	outs := make([]Outcome, len(rec.Truth))
	for k, f := range rec.Truth {
		outs[k] = Outcome{Raised: f.First.Add(3 * time.Second), Roots: f.Roots[:1], Ticket: f.Ticket, RootEvents: f.RootEvents}
		for v := range f.Services {
			outs[k].Services = append(outs[k].Services, v)
		}
	}
	for k, f := range rec.Of {
		if f >= 0 {
			outs[f].Events = append(outs[f].Events, rec.Events[k].ID)
		}
	}
	return outs
}

func TestSameParamsSameRecording(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	for _, dir := range []string{a, b} {
		if err := New(small).Write(dir); err != nil {
			t.Fatal(err)
		}
	}
	files, err := os.ReadDir(a)
	if err != nil || len(files) != 8 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		x, _ := os.ReadFile(filepath.Join(a, f.Name()))
		y, _ := os.ReadFile(filepath.Join(b, f.Name()))
		if len(x) == 0 || string(x) != string(y) {
			t.Errorf("%s: %d and %d bytes, not the same", f.Name(), len(x), len(y))
		}
	}
}

func TestRecording(t *testing.T) {
	rec := New(small)
	kinds := map[string]int{}
	for _, f := range rec.Truth {
		kinds[f.Kind]++
		if f.Events == 0 || f.First.IsZero() || len(f.Roots) == 0 || f.First.Before(f.Start.Add(-time.Minute)) {
			t.Errorf("fault without substance: %+v", f)
		}
	}
	for _, k := range []string{"conduit-cut", "routing-crash", "traffic-surge", "sync-loss", "cutover", "nightly"} {
		if kinds[k] == 0 {
			t.Errorf("no %s in %v", k, kinds)
		}
	}
	for k := 1; k < len(rec.Events); k++ {
		if rec.Events[k].Arrival.Before(rec.Events[k-1].Arrival) {
			t.Fatalf("event %d arrives before the one before it", k)
		}
	}
}

func TestMeasure(t *testing.T) {
	rec := New(small)
	truth := perfect(rec)
	one := func(change func(o []Outcome) []Outcome) *Score { return rec.Measure(change(perfect(rec))) }
	if s := rec.Measure(truth); s.F1 != 1 || s.Root != 1 || s.ServicePrecision != 1 || s.ServiceRecall != 1 || s.Missed != 0 || s.FalseMarked != 0 || s.FalsePeriodic != 0 || s.V < .99 {
		t.Errorf("the truth itself scores %s", s)
	}
	all := one(func(o []Outcome) []Outcome {
		for _, x := range o[1:] {
			o[0].Events = append(o[0].Events, x.Events...)
		}
		return o[:1]
	})
	if all.S > .2 || all.V > .5 {
		t.Errorf("all in one scores %s", all)
	}
	if s := one(func(o []Outcome) []Outcome {
		for k := range o {
			o[k].Ticket = !o[k].Ticket
		}
		return o
	}); s.Missed != 1 || s.FalseMarked != 1 {
		t.Errorf("tickets where none should be score %s", s)
	}
	if s := one(func(o []Outcome) []Outcome {
		for k := range o {
			o[k].Roots = [][2]string{{"elsewhere", ""}}
		}
		return o
	}); s.Root != 0 {
		t.Errorf("wrong roots score %s", s)
	}
}

// TestMeasureIsTheScore compares with the score that the recorded networks are judged by.
func TestMeasureIsTheScore(t *testing.T) {
	script, err := filepath.Abs("../../../../../shared/tools/score.py")
	if err != nil {
		t.Fatal(err)
	}
	python, err := exec.LookPath("python3")
	if _, missing := os.Stat(script); missing != nil || err != nil {
		t.Skip("no python3, or no reference material beside the repository")
	}
	rec, dir := New(small), t.TempDir()
	outs := perfect(rec)
	outs[0].Events, outs[1].Events = append(outs[0].Events, outs[1].Events...), []string{} // something to find fault with
	outs[2].Ticket, outs[3].Roots = false, [][2]string{{"elsewhere", ""}}
	outs[4].Events = outs[4].Events[:1+len(outs[4].Events)/2]
	var b []byte
	for k, o := range outs {
		m := map[string]any{"incident-id": fmt.Sprint(k), "raise-time": o.Raised, "events": o.Events, "root-events": append([]string{}, o.RootEvents...), "service-instances": append([]string{}, o.Services...), "ticket": o.Ticket,
			"root-causes": []map[string]string{{"node": o.Roots[0][0], "resource": o.Roots[0][1]}}}
		line, _ := json.Marshal(m)
		b = append(append(b, line...), '\n')
	}
	out, res := filepath.Join(dir, "out.jsonl"), filepath.Join(dir, "res.json")
	if err := cmp.Or(rec.Write(dir), os.WriteFile(out, b, 0o600)); err != nil {
		t.Fatal(err)
	}
	if text, err := exec.Command(python, script, dir, out, "--json", res).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	text, err := os.ReadFile(res)
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]any
	if err := json.Unmarshal(text, &rows); err != nil {
		t.Fatal(err)
	}
	s := rec.Measure(outs)
	for name, got := range map[string]float64{"S": s.S, "V": s.V, "ARI": s.ARI, "P": s.Precision, "R": s.Recall, "F1": s.F1, "rc@1": s.Root, "svcP": s.ServicePrecision,
		"svcR": s.ServiceRecall, "FTRm": s.FalseMarked, "miss": s.Missed, "lat95": s.Latency95.Seconds()} {
		if want := rows[0][name].(float64); math.Abs(got-want) > 1e-9 {
			t.Errorf("%s = %.6f, want %.6f", name, got, want)
		}
	}
}

func TestReadGraphML(t *testing.T) {
	const doc = `<graphml><key attr.name="label" for="edge" id="e"/><key attr.name="label" for="node" id="l"/><graph>
		<node id="0"><data key="l">Alpha Town</data></node><node id="1"><data key="l">Beta</data></node><node id="2"/><node id="3"><data key="l">Beta</data></node>
		<edge source="0" target="1"/><edge source="1" target="0"/><edge source="1" target="1"/><edge source="1" target="3"/></graph></graphml>`
	g, err := ReadGraphML(strings.NewReader(doc))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(*g), "{[AlphaTown Beta Beta2] [[0 1] [1 2]]}"; got != want {
		t.Errorf("ReadGraphML = %s, want %s", got, want)
	}
	if _, err := ReadGraphML(strings.NewReader("<graphml")); err == nil {
		t.Error("half a map is read")
	}
}
