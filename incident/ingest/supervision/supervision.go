// Package supervision is the source of events of tests that supervise something [package
// oam]: what their crossings are in the words of incidents.
//
// A crossing is an event of kind kpi and of the type oam-threshold-crossing at each thing that the
// test stands for, and one of oam-total-loss when nothing arrives; the name of the test is the
// qualifier, by which the correlator knows that they have one cause. The id of the first event is
// the run-id.
package supervision

import (
	"context"
	"strconv"
	"strings"
	"time"

	"incidentd/datastore"
	"incidentd/incident"
	"incidentd/incident/event"
	"incidentd/oam"
	"incidentd/yang/data"
)

// The types of the events.
const (
	ThresholdCrossing = "oam-threshold-crossing"
	TotalLoss         = "oam-total-loss"
)

// unknownNode is where what belongs to no node of the network is, as for other sources.
const unknownNode = "unknown"

// Inlet takes events.
type Inlet interface {
	Report(context.Context, []event.Event) (incident.Reported, error)
}

// Source turns crossings into events.
type Source struct {
	store *datastore.Store
	in    Inlet
}

// New makes the source of the tests of a store.
func New(store *datastore.Store, in Inlet) *Source { return &Source{store, in} }

// Supervise is an oam.Supervise.
func (s *Source) Supervise(ctx context.Context, c oam.Crossing) error {
	_, err := s.in.Report(ctx, Events(s.store.Snapshot().Running, c))
	return err
}

// place is a node and a part of it.
type place struct{ node, resource string }

// Events are the events of a crossing, in a network as configured.
func Events(running *data.Node, c oam.Crossing) []event.Event {
	networks := running.Child("networks")
	var list []event.Event
	add := func(p place, typ string, severity event.Severity) {
		e := event.Event{ID: c.RunID, Time: c.Time, Arrival: time.Now(), Kind: event.KPI, Node: p.node, Resource: p.resource,
			AlarmTypeID: typ, AlarmTypeQualifier: c.Test, Severity: severity, Text: text(c, typ)}
		if c.Removed {
			e.ID += "/removed"
		}
		if n := len(list); n > 0 {
			e.ID += "/" + strconv.Itoa(n+1)
		}
		if len(c.Crossed) > 0 && c.Raised {
			e.Value, e.Threshold = measured(c.Crossed[0])
		}
		list = append(list, e)
	}
	for _, p := range places(networks, c) {
		switch {
		case c.Raised && c.Lost:
			add(p, TotalLoss, event.Critical)
			add(p, ThresholdCrossing, event.Major)
		case c.Raised:
			add(p, ThresholdCrossing, event.Major)
		default:
			add(p, ThresholdCrossing, event.Cleared)
		}
		if c.WasLost && !c.Lost {
			add(p, TotalLoss, event.Cleared)
		}
	}
	return list
}

// places are what a test stands for: its resources, then its services.
func places(networks *data.Node, c oam.Crossing) (out []place) {
	for _, r := range c.Resources {
		node, part, _ := strings.Cut(r, "/")
		if !knows(networks, node) && !knows(networks, r) {
			node, part = unknownNode, r
		} else if knows(networks, r) {
			node, part = r, ""
		}
		out = append(out, place{node, part})
	}
	for _, service := range c.Services {
		node := unknownNode
		if len(out) > 0 {
			node = out[0].node
		} else {
			for n := range networks.EntryNamed("network", service).Entries("node") {
				node = n.Key()
				break
			}
		}
		out = append(out, place{node, service})
	}
	if len(out) == 0 {
		out = append(out, place{unknownNode, c.Test})
	}
	return out
}

// knows reports whether a network has a node.
func knows(networks *data.Node, node string) bool {
	for n := range networks.Entries("network") {
		if n.EntryNamed("node", node) != nil {
			return true
		}
	}
	return false
}

// text is a crossing in words.
func text(c oam.Crossing, typ string) string {
	switch {
	case c.Removed:
		return "The test " + c.Test + " supervises it no longer"
	case !c.Raised, typ == TotalLoss && !c.Lost:
		return "The test " + c.Test + " passes again"
	case typ == TotalLoss:
		return "Nothing of the test " + c.Test + " arrives"
	}
	return "The test " + c.Test + " fails: " + strings.Join(c.Crossed, ", ")
}

// measured are the value and the threshold of one that was crossed, such as
// "max-loss-ratio: 2.5 > 1".
func measured(crossed string) (value, threshold string) {
	_, figures, ok := strings.Cut(crossed, ": ")
	if !ok {
		return "", ""
	}
	if words := strings.Fields(figures); len(words) == 3 {
		return words[0], words[2]
	}
	return "", ""
}
