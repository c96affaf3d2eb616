package device

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"time"

	"incidentd/incident/event"
	"incidentd/incident/ingest"
	"incidentd/incident/ingest/mapping"
)

const (
	// mostBatch is how many events are stored together at most.
	mostBatch = 1000
	// mostResource is the length of an event's resource, in bytes.
	mostResource = 255
)

// reporter turns what a device tells into events.
type reporter struct {
	feed  *ingest.Feed
	node  string // of the resources that do not tell one
	known *known
}

// place is where a resource of the device is: NODE and NODE/RESOURCE tell a node of the
// network, all else is of the device.
func (r *reporter) place(resource string) (node, part string) {
	node, part, _ = strings.Cut(resource, "/")
	if node == "" || !r.feed.Knows(node) {
		node, part = r.node, resource
	}
	if len(part) > mostResource {
		// Long names that begin alike stay different.
		hash := sha256.Sum256([]byte(part))
		end := "#" + hex.EncodeToString(hash[:8])
		part = strings.ToValidUTF8(part[:mostResource-len(end)], "") + end
	}
	return node, part
}

// message is the event of a state of an alarm.
func (s *state) message(arrival time.Time) *mapping.Message {
	return &mapping.Message{Arrival: arrival, Event: &event.Event{Time: s.time, Arrival: arrival, Kind: event.Alarm, Node: s.node, Resource: s.resource,
		AlarmTypeID: s.typeID, AlarmTypeQualifier: s.qualifier, Severity: s.severity, Text: s.text}}
}

// cleared is the state after one.
func (s state) cleared(at time.Time) state {
	s.severity, s.time = event.Cleared, at
	return s
}

// report reports the alarms that are not known to be as they are, in their order. It
// returns when they are on disk.
func (r *reporter) report(ctx context.Context, alarms []alarm) error {
	for batch := range slices.Chunk(alarms, mostBatch) {
		arrival := time.Now()
		next := map[key]state{}
		var messages []*mapping.Message
		for _, a := range batch {
			now := state{alarm: a}
			now.node, now.resource = r.place(a.resource)
			before, ok := next[a.key]
			if !ok {
				before, ok = r.known.active[a.key]
			}
			if ok && before.severity != event.Cleared && (before.node != now.node || before.resource != now.resource) {
				// The place has another name since.
				moved := before.cleared(arrival)
				messages, ok = append(messages, moved.message(arrival)), false
			}
			if old, was := r.known.left[a.key]; was && !ok && (old.node != now.node || old.resource != now.resource) {
				moved := old.cleared(arrival) // before the server began anew
				messages = append(messages, moved.message(arrival))
			}
			if ok && before.severity == a.severity && (before.text == a.text || a.severity == event.Cleared) {
				continue
			}
			messages = append(messages, now.message(arrival))
			next[a.key] = now
		}
		if err := r.store(ctx, messages, next); err != nil {
			return err
		}
	}
	return nil
}

// store stores events, and remembers what they say.
func (r *reporter) store(ctx context.Context, messages []*mapping.Message, next map[key]state) error {
	if len(messages) == 0 {
		return nil
	}
	if err := r.known.expect(next); err != nil {
		return err
	}
	if _, err := r.feed.Report(ctx, messages); err != nil {
		return err
	}
	r.known.remember(next)
	return nil
}

// mark reports an alarm list and, where all of it was understood, sweeps: alarms that are
// known and not in it are over.
func (r *reporter) mark(ctx context.Context, l list) error {
	has := map[key]bool{}
	var tell []alarm
	for _, a := range l.alarms {
		has[a.key] = true
		before, ok := r.known.active[a.key]
		switch {
		case a.severity == event.Cleared && !ok && r.known.whole:
			continue // it was over before
		case ok && a.time.Before(before.time):
			a.time = time.Now() // the list does not tell when the severity changed
		}
		tell = append(tell, a)
	}
	if err := r.report(ctx, tell); err != nil {
		return err
	}
	if !l.shown || len(l.faults) > 0 {
		return nil
	}
	sweep := maps.Clone(r.known.left)
	maps.Copy(sweep, r.known.active)
	maps.DeleteFunc(sweep, func(k key, _ state) bool { return has[k] })
	for batch := range slices.Chunk(slices.Collect(maps.Keys(sweep)), mostBatch) {
		arrival := time.Now()
		next := map[key]state{}
		var messages []*mapping.Message
		for _, k := range batch {
			s := sweep[k].cleared(arrival)
			next[k] = s
			messages = append(messages, s.message(arrival))
		}
		if err := r.store(ctx, messages, next); err != nil {
			return err
		}
	}
	// Alarms that are over, and those in the list that are nobody's rows any more, go now.
	for k := range r.known.left {
		if _, active := r.known.active[k]; !active {
			r.known.over[k] = true
		}
	}
	clear(r.known.left)
	if err := r.known.expect(nil); err != nil {
		return err
	}
	r.known.whole = len(r.known.active) < mostKnown
	r.known.see(l.changed)
	return nil
}
