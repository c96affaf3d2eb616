package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"incidentd/incident/event"
	"incidentd/incident/learn"
	"incidentd/incident/topology"
)

var learnCommand = command{
	name:    "learn",
	summary: "find out from a recording which types of alarms cause which",
	text: `
Reads recorded events and writes one JSON object for each pair of alarm types of which
one causes the other, the strongest first: how many effects an alarm of the cause has on
average (share), how many it had in all (times), the part of them at nodes beside its own
(beside), and the quartiles of the time from the cause to the effect in seconds (lags).

With a topology, effects are looked for at the nodes that a link joins to that of the
cause too; without, only there. Nothing is changed by it: what is right of it belongs into
the rules of incidentd-correlation, or its co-occurrences, which a server proposes of itself.`,
	define: func(f *flag.FlagSet) func(context.Context, *app) error {
		var l learner
		f.StringVar(&l.events, "events", "", "a `FILE` of events as JSON Lines; - for standard input")
		f.StringVar(&l.topology, "topology", "", "a `FILE` with the networks, in XML")
		f.StringVar(&l.out, "out", "-", "the `FILE` to write, which is replaced if it is there; - for standard output")
		f.DurationVar(&l.options.Window, "window", 5*time.Minute, "how `LONG` after its cause an effect may come")
		f.Float64Var(&l.options.LeastShare, "share", 0.05, "the `SHARE` of the alarms of a type that must have an effect")
		f.Float64Var(&l.options.LeastTimes, "times", 3, "how `OFTEN` the effect must have been seen")
		return func(ctx context.Context, a *app) error {
			if err := required("learn", "events", &l.events); err != nil {
				return err
			}
			if l.options.Window <= 0 || l.options.LeastShare <= 0 || l.options.LeastTimes <= 0 {
				return misuse("learn", "--window, --share and --times must be more than nothing")
			}
			return l.run(a)
		}
	},
}

// learner is a run over a recording.
type learner struct {
	events, topology, out string
	options               learn.Options

	types, nodes table
	alarms       []learn.Alarm
}

// table gives numbers to names.
type table struct {
	names []string
	at    map[string]int
}

func (t *table) number(name string) int {
	n, ok := t.at[name]
	if !ok {
		if t.at == nil {
			t.at = map[string]int{}
		}
		n = len(t.names)
		t.at[name], t.names = n, append(t.names, name)
	}
	return n
}

func (l *learner) run(a *app) error {
	in := a.stdin
	if l.events != "-" {
		f, err := os.Open(l.events)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	if err := l.read(in); err != nil {
		return fmt.Errorf("%s: %w", l.events, err)
	}
	if l.topology != "" {
		networks, err := (&replay{topology: l.topology}).networks()
		if err != nil {
			return err
		}
		l.options.Beside = l.beside(topology.Build(topology.FromData(networks), nil))
	}
	links := learn.Links(l.alarms, l.options)
	fmt.Fprintf(a.stderr, "learn: %d alarms of %d types at %d nodes, %d pairs\n", len(l.alarms), len(l.types.names), len(l.nodes.names), len(links))
	return a.output(l.out, true, func(w io.Writer) error { return l.write(w, links) })
}

// read takes the raises; a type is its id and, where there is one, its qualifier.
func (l *learner) read(in io.Reader) error {
	s := event.NewScanner(in)
	for s.Scan() {
		e := s.Event()
		if e.Severity == event.Cleared {
			continue
		}
		name := e.AlarmTypeID
		if e.AlarmTypeQualifier != "" {
			name += " " + e.AlarmTypeQualifier
		}
		at := e.Time
		if at.IsZero() {
			at = e.Arrival
		}
		l.alarms = append(l.alarms, learn.Alarm{Type: l.types.number(name), Device: l.nodes.number(e.Node), At: at})
	}
	return s.Err()
}

// beside returns the nodes that links join to one.
func (l *learner) beside(x *topology.Index) func(int) []int {
	return func(device int) (out []int) {
		n, ok := x.Node(l.nodes.names[device])
		if !ok {
			return nil
		}
		for _, ed := range x.NodeEdges(n) {
			far, _ := x.Far(ed, n)
			if d, ok := l.nodes.at[x.NodeName(far)]; ok && x.Edge(ed).Kind <= topology.AccessEdge {
				out = append(out, d)
			}
		}
		return out
	}
}

func (l *learner) write(w io.Writer, links []learn.Link) error {
	round := func(v float64) float64 { return float64(int(v*1000+0.5)) / 1000 }
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, k := range links {
		lags := [3]float64{}
		for j := range lags {
			lags[j] = round(k.Lags[j].Seconds())
		}
		err := enc.Encode(struct {
			Cause  string     `json:"cause"`
			Effect string     `json:"effect"`
			Share  float64    `json:"share"`
			Times  float64    `json:"times"`
			Beside float64    `json:"beside"`
			Lags   [3]float64 `json:"lags"`
		}{l.types.names[k.Cause], l.types.names[k.Effect], round(k.Share), round(k.Times), round(k.Beside), lags})
		if err != nil {
			return err
		}
	}
	return nil
}
