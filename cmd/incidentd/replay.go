package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"incidentd/cmd/internal/server"
	"incidentd/incident/correlate"
	"incidentd/incident/event"
	"incidentd/incident/topology"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/validate"
)

var replayCommand = command{
	name:    "replay",
	summary: "run the correlator over a recording",
	text: `
Runs the server's own correlator over recorded events, in the recording's time, and
writes one JSON object for each incident in its final state. Two runs over the same
files write the same bytes.

The topology is an XML document as an edit-config would carry it: the element
networks of ietf-network, or a <config> with it inside. The networks of --config
join those of --topology; one of the two must be given.`,
	define: func(f *flag.FlagSet) func(context.Context, *app) error {
		var r replay
		f.StringVar(&r.topology, "topology", "", "a `FILE` with the networks, in XML")
		f.StringVar(&r.config, "config", "", "a `FILE` with a configuration, in XML, of which the networks are used")
		f.StringVar(&r.events, "events", "", "a `FILE` of events as JSON Lines, in their order of arrival; - for standard input")
		f.StringVar(&r.inventory, "inventory", "", "a `FILE` that tells sites, roles and line cards of nodes, in JSON")
		f.StringVar(&r.alarmTypes, "alarm-types", "", "a `FILE` with the alarm inventory, in JSON")
		f.StringVar(&r.marks, "marks", "", "a `FILE` with maintenance marks, in JSON")
		f.StringVar(&r.out, "out", "", "the `FILE` to write, which is replaced if it is there; - for standard output")
		return func(ctx context.Context, a *app) error {
			if err := required("replay", "events", &r.events, "out", &r.out); err != nil {
				return err
			}
			if r.topology == "" && r.config == "" {
				return misuse("replay", "--topology is missing, or --config in its place")
			}
			return r.run(ctx, a)
		}
	},
}

// replay is a run over a recording.
type replay struct {
	topology, config, events, inventory, alarmTypes, marks, out string
}

// figures are what the last line of a run tells.
type figures struct{ events, repeated, incidents, cleared, silent int }

func (r *replay) run(ctx context.Context, a *app) error {
	engine, err := r.engine(a.stderr)
	if err != nil {
		return err
	}
	events := a.stdin
	if r.events != "-" {
		f, err := os.Open(r.events)
		if err != nil {
			return err
		}
		defer f.Close()
		events = f
	}
	begin := time.Now()
	var fig figures
	err = a.output(r.out, true, func(w io.Writer) error {
		fig, err = correlateAll(ctx, engine, events, w, a.stderr)
		if err != nil {
			return fmt.Errorf("%s: %w", r.events, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	took := time.Since(begin)
	fmt.Fprintf(a.stderr, "replay: %d events, %d incidents (%d cleared, %d without a ticket) in %s, %.0f events/s",
		fig.events, fig.incidents, fig.cleared, fig.silent, took.Round(time.Millisecond), float64(fig.events)/max(took.Seconds(), 1e-9))
	if fig.repeated > 0 {
		fmt.Fprintf(a.stderr, "; %d events with an id that came before were passed over", fig.repeated)
	}
	fmt.Fprintln(a.stderr)
	return nil
}

// progressEvery is how often a long run says where it is.
const progressEvery = 2 * time.Second

// correlateAll feeds the events and writes the incidents.
func correlateAll(ctx context.Context, engine *correlate.Engine, events io.Reader, w, progress io.Writer) (fig figures, err error) {
	run := correlate.NewReplay(engine, nil)
	seen := map[string]bool{}
	told := time.Now()
	in := event.NewScanner(events)
	for in.Scan() {
		e := in.Event()
		// An id is an event's own, here as in the server.
		if seen[e.ID] {
			fig.repeated++
			continue
		}
		seen[e.ID] = true
		run.Feed(e)
		if fig.events++; fig.events%1000 != 0 {
			continue
		}
		if err := ctx.Err(); err != nil {
			return fig, errors.New("interrupted")
		}
		if now := time.Now(); now.Sub(told) >= progressEvery {
			told = now
			fmt.Fprintf(progress, "replay: %d events, at %s of the recording\n", fig.events, engine.Now().Format(time.RFC3339))
		}
	}
	if err := in.Err(); err != nil {
		return fig, err
	}
	var line []byte
	for _, inc := range run.Finish() {
		fig.incidents++
		if inc.Status == correlate.Cleared {
			fig.cleared++
		}
		if !inc.Ticket {
			fig.silent++
		}
		line = append(correlate.AppendJSON(line[:0], inc), '\n')
		if _, err := w.Write(line); err != nil {
			return fig, err
		}
	}
	return fig, nil
}

// engine makes the correlator from the files beside the recording.
func (r *replay) engine(warn io.Writer) (*correlate.Engine, error) {
	var c correlate.Config
	var inventory *topology.Inventory
	err := errors.Join(
		load(r.alarmTypes, func(f io.Reader) (err error) { c.AlarmTypes, err = correlate.ReadAlarmTypes(f); return }),
		load(r.marks, func(f io.Reader) (err error) { c.Marks, err = correlate.ReadMarks(f); return }),
		load(r.inventory, func(f io.Reader) (err error) { inventory, err = topology.ReadInventory(f); return }),
	)
	if err != nil {
		return nil, err
	}
	networks, err := r.networks()
	if err != nil {
		return nil, err
	}
	c.ApplyLearned = true // a recording has nobody to ask
	engine := correlate.New(c)
	index := topology.Build(topology.FromData(networks), joinInventories(inventory, topology.InventoryFromData(networks)))
	// RFC 8345 lets references dangle, yet in a file that is whole they are mistakes.
	if n := index.Stats().Dangling; n > 0 {
		fmt.Fprintf(warn, "replay: %s in the topology to what is not there\n", count(n, "reference"))
	}
	engine.SetTopology(index)
	return engine, nil
}

// load reads a file that was named.
func load(path string, read func(io.Reader) error) error {
	if path == "" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := read(f); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// networks reads, joins and validates the configurations.
func (r *replay) networks() (*data.Node, error) {
	schema, err := server.Schema()
	if err != nil {
		return nil, err
	}
	var tree *data.Node
	var files []string
	for _, path := range []string{r.topology, r.config} {
		if path == "" {
			continue
		}
		next, err := readConfig(schema, path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, few(err))
		}
		tree = data.Merge(tree, next)
		files = append(files, path)
	}
	networks := tree.Child("networks")
	if networks == nil {
		return nil, fmt.Errorf("%s: there are no networks in it", strings.Join(files, ", "))
	}
	// Users and what else a configuration has are not this command's business.
	alone := data.New(schema.Root).With(networks)
	if err := validate.New(schema).Tree(alone, true); err != nil {
		return nil, fmt.Errorf("%s: not valid: %w", strings.Join(files, ", "), few(err))
	}
	return networks, nil
}

func readConfig(schema *yang.Schema, path string) (*data.Node, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	p := data.Parser{Schema: schema}
	return p.ParseDocument(text)
}
