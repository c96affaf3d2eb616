package incident

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"incidentd/datastore"
	"incidentd/incident/alarm"
	"incidentd/incident/event"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// recorded is how far an event's own time must be back to be taken for its
// arrival when the reporter gave none.
const recorded = time.Hour

// Reported says what became of a batch of events.
type Reported struct {
	Accepted, Duplicates int
}

// Report gives events in their order of arrival by the inlet without name; see
// Inlet.Report. An event whose id is known already is the same event and changes nothing.
func (m *Manager) Report(ctx context.Context, events []event.Event) (Reported, error) {
	in := m.Inlet("")
	defer in.Close()
	return in.Report(ctx, events)
}

// take writes the events of a batch to the log and the alarm list, and leaves the rest to
// judge.
func (m *Manager) take(tx *datastore.Tx, b *batch) error {
	alarms := m.alarms.Begin(tx)
	fresh, recording := m.admit(tx, alarms, b.events, &b.result)
	if len(fresh) == 0 {
		return nil
	}
	nodes := make([]string, len(fresh))
	for i, e := range fresh {
		nodes[i] = e.Node
	}
	m.ensureNodes(tx, nodes)
	alarms.Report(fresh)
	if err := alarms.Done(); err != nil {
		return err
	}
	m.takeUp(fresh, b.since)
	m.setClock(tx, fresh[len(fresh)-1].Arrival, recording)
	return nil
}

// admit sorts out repeated events, stamps the others with their arrival and whether a shelf
// takes them, and writes them to the log.
func (m *Manager) admit(tx *datastore.Tx, alarms *alarm.Edit, events []event.Event, r *Reported) (fresh []*event.Event, recording bool) {
	clk := m.clock.Load()
	stream := clk.now(tx.Now())
	next := m.next
	tx.OnAbort(func() { m.next = next })
	for i := range events {
		e := &events[i]
		if tx.Get(tableEventIDs, []byte(e.ID)) != nil {
			r.Duplicates++
			continue
		}
		arrival := e.Arrival
		if arrival.IsZero() {
			arrival = tx.Now()
			if !e.Time.IsZero() && tx.Now().Sub(e.Time) > recorded {
				arrival = e.Time
			}
		}
		if arrival.After(tx.Now()) {
			// Stream time never goes back, so nobody may send it ahead.
			arrival = tx.Now()
		}
		recording = tx.Now().Sub(arrival) > recorded
		if arrival.Before(stream) {
			arrival = stream
		}
		// To the millisecond, as the log's lines have it.
		e.Arrival = arrival.UTC().Truncate(time.Millisecond)
		if e.Arrival.Before(stream) {
			e.Arrival = stream
		}
		stream = e.Arrival
		if e.Time.IsZero() {
			e.Time = e.Arrival
		}
		e.Time = e.Time.UTC()
		e.Shelved = alarms.Takes(e)
		row := binary.BigEndian.AppendUint64(nil, uint64(tx.Now().UnixNano()))
		tx.Put(tableEvents, place(m.next), event.AppendJSON(row, e))
		tx.Put(tableEventIDs, []byte(e.ID), place(m.next))
		m.next++
		r.Accepted++
		fresh = append(fresh, e)
	}
	return fresh, recording
}

// ReportEvents is the rpc report-events of incidentd-events: its input to its
// output, for a user, by whose name its inlet is called.
func (m *Manager) ReportEvents(ctx context.Context, user string, input *data.Node) (*data.Node, error) {
	events := make([]event.Event, 0, input.Len())
	for n := range input.Entries("event") {
		e, err := eventOf(n)
		if err != nil {
			return nil, rpcerr.InvalidValue("%v", err).At((&data.Loc{Node: input}).Down(n).Path())
		}
		events = append(events, e)
	}
	in := m.Inlet("user " + user)
	defer in.Close()
	r, err := in.Report(ctx, events)
	if err != nil {
		return nil, err
	}
	out := data.Build(m.schema.reportOutput)
	out.Uint("accepted", uint64(r.Accepted)).Uint("duplicates", uint64(r.Duplicates))
	return out.Node(), nil
}

// eventOf reads an event of the rpc. Its values are checked by the schema.
func eventOf(n *data.Node) (event.Event, error) {
	e := event.Event{ID: n.Leaf("id"), Node: n.Leaf("node"), Resource: n.Leaf("resource"), AlarmTypeID: n.Leaf("alarm-type-id"),
		AlarmTypeQualifier: n.Leaf("alarm-type-qualifier"), Text: n.Leaf("text"), Value: n.Leaf("value"), Threshold: n.Leaf("threshold"), TraceID: n.Leaf("trace-id")}
	for _, t := range []struct {
		leaf string
		to   *time.Time
	}{{"time", &e.Time}, {"arrival", &e.Arrival}} {
		if text := n.Leaf(t.leaf); text != "" {
			at, ok := parseTime(text)
			if !ok {
				return e, fmt.Errorf("%q is no time of the calendar", text)
			}
			*t.to = at
		}
	}
	if k := n.Leaf("kind"); k != "" {
		e.Kind, _ = event.ParseKind(k) // the enumeration has the same names
	}
	e.Severity, _ = event.ParseSeverity("indeterminate")
	if s := n.Leaf("severity"); s != "" {
		e.Severity, _ = event.ParseSeverity(s)
	}
	return e, nil
}

// parseTime reads a date-and-time; a leap second is the second before.
func parseTime(text string) (time.Time, bool) {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil && len(text) > 19 && text[17:19] == "60" {
		at, err = time.Parse(time.RFC3339Nano, text[:17]+"59"+text[19:])
	}
	return at, err == nil
}
