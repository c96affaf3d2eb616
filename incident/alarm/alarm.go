// Package alarm keeps the alarm list of RFC 8632: what resources reported of
// themselves, before any correlation.
//
// The list is part of the stored state tree, /al:alarms/alarm-list. This package
// turns events into changes of it and into alarm-notifications; its summary is
// counted when somebody asks.
//
// A reported type that names an identity derived from alarm-type-id is that
// identity, with or without its module. Any other becomes the identity
// incidentd-alarm-types:reported with the reporter's word as qualifier, followed
// by a slash and the reporter's qualifier if there is one: the dynamic types of
// RFC 8632 section 3.2.
package alarm

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"incidentd/incident/event"
	"incidentd/yang"
	"incidentd/yang/data"
)

// Stream is the stream of alarm-notifications.
const Stream = "alarms"

// Key names an alarm in the list.
type Key struct{ Resource, TypeID, Qualifier string }

// Alarms works on the alarm lists of one schema. It is safe for concurrent use.
type Alarms struct {
	schema       *yang.Schema
	top          *yang.Node // /al:alarms
	notification *yang.Node
	types        map[string]string // reported word to identity

	mu      sync.Mutex
	counted *data.Node // the alarm-list that summary was made of
	summary *data.Node
}

// New prepares the alarm types of a schema.
func New(s *yang.Schema) *Alarms {
	m := s.Module("ietf-alarms")
	a := &Alarms{schema: s, top: s.Root.Child(m, "alarms"), notification: s.Notification("ietf-alarms", "alarm-notification"), types: map[string]string{}}
	base := s.Identity("ietf-alarms:alarm-type-id")
	ambiguous := map[string]bool{}
	for id := range s.Identities() {
		if !id.DerivedFrom(base) {
			continue
		}
		a.types[id.QName()] = id.QName()
		if _, taken := a.types[id.Name]; taken {
			ambiguous[id.Name] = true
		}
		a.types[id.Name] = id.QName()
	}
	for name := range ambiguous {
		delete(a.types, name)
	}
	delete(a.types, "reported")
	delete(a.types, reported)
	return a
}

const reported = "incidentd-alarm-types:reported"

// Top is the schema node of /al:alarms, for a provider.
func (a *Alarms) Top() *yang.Node { return a.top }

// KeyOf names the alarm that an event is about.
func (a *Alarms) KeyOf(e *event.Event) Key {
	return a.key(e.Node, e.Resource, e.AlarmTypeID, e.AlarmTypeQualifier)
}

// KeyFor names the alarm of a node, resource, reported type and qualifier.
func (a *Alarms) KeyFor(node, resource, typeID, qualifier string) Key {
	return a.key(node, resource, typeID, qualifier)
}

func (a *Alarms) key(node, resource, typeID, qualifier string) Key {
	k := Key{Resource: node, Qualifier: qualifier}
	if resource != "" {
		k.Resource += "/" + resource
	}
	if id, ok := a.types[typeID]; ok {
		k.TypeID = id
		return k
	}
	k.TypeID, k.Qualifier = reported, typeID
	if qualifier != "" {
		k.Qualifier += "/" + qualifier
	}
	return k
}

// Change is one change of an alarm.
type Change struct {
	Key Key
	// Notification is the alarm-notification that tells of it.
	Notification *data.Node
}

// Report applies events of the kind alarm, in order, to the state tree, and
// returns the new tree with what changed. An event that says what is known already
// changes nothing, and neither does one that clears an alarm nobody raised. now is
// the time of the alarms' own changes.
func (a *Alarms) Report(state *data.Node, events []*event.Event, now time.Time) (*data.Node, []Change) {
	list := state.Child("alarms").Child("alarm-list")
	listSchema := a.top.ChildNamed("alarm-list")
	alarmSchema := listSchema.ChildNamed("alarm")
	if list == nil {
		list = data.New(listSchema)
	}
	touched := map[Key]*data.Node{}
	var order []Key
	var changes []Change
	for _, e := range events {
		if e.Kind != event.Alarm {
			continue
		}
		k := a.KeyOf(e)
		old, seen := touched[k]
		if !seen {
			old = list.Entry(alarmSchema, data.Key(k.Resource, k.TypeID, k.Qualifier))
		}
		fresh := a.apply(alarmSchema, k, old, e, now)
		if fresh == nil {
			continue
		}
		if !seen {
			order = append(order, k)
		}
		touched[k] = fresh
		changes = append(changes, Change{k, a.notify(k, e)})
	}
	if len(changes) == 0 {
		return state, nil
	}
	entries := make([]*data.Node, len(order))
	for i, k := range order {
		entries[i] = touched[k]
	}
	alarms := state.Child("alarms")
	if alarms == nil {
		alarms = data.New(a.top)
	}
	return state.With(alarms.With(list.With(entries...))), changes
}

// apply returns the alarm after an event, nil when it changes nothing.
func (a *Alarms) apply(s *yang.Node, k Key, old *data.Node, e *event.Event, now time.Time) *data.Node {
	cleared := e.Severity == event.Cleared
	if old == nil && cleared {
		return nil
	}
	if old != nil {
		wasCleared := old.Leaf("is-cleared") == "true"
		if cleared && wasCleared || !cleared && !wasCleared && old.Leaf("perceived-severity") == e.Severity.String() && old.Leaf("alarm-text") == e.Text {
			return nil
		}
	}
	b := data.BuildEntry(s, k.Resource, k.TypeID, k.Qualifier)
	created, raised, severity := now, e.Time, e.Severity.String()
	b.Bool("is-cleared", cleared).Time("last-changed", now).Leaf("alarm-text", e.Text)
	if old == nil {
		b.Time("time-created", created).Time("last-raised", raised)
	} else {
		b.Leaf("time-created", old.Leaf("time-created"))
		if cleared {
			severity = old.Leaf("perceived-severity")
		}
		if !cleared && old.Leaf("is-cleared") == "true" {
			b.Time("last-raised", raised)
		} else {
			b.Leaf("last-raised", old.Leaf("last-raised"))
		}
		if e.Text == "" {
			b.Leaf("alarm-text", old.Leaf("alarm-text"))
		}
	}
	return b.Leaf("perceived-severity", severity).Node()
}

func (a *Alarms) notify(k Key, e *event.Event) *data.Node {
	return data.Build(a.notification).Leaf("resource", k.Resource).Leaf("alarm-type-id", k.TypeID).
		Leaf("alarm-type-qualifier", k.Qualifier).Time("time", e.Time).
		Leaf("perceived-severity", e.Severity.String()).Leaf("alarm-text", e.Text).Node()
}

// severities in the order of RFC 8632.
var severities = []string{"indeterminate", "minor", "warning", "major", "critical"}

// Summary makes what the alarm list tells of itself: how many alarms there are, by
// severity, and when it last changed. It counts the list once after each change.
func (a *Alarms) Summary(state *data.Node) *data.Node {
	list := state.Child("alarms").Child("alarm-list")
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.summary != nil && a.counted == list {
		return a.summary
	}
	type counts struct{ total, cleared int }
	by := map[string]*counts{}
	last, total := "", 0
	for e := range list.Entries("alarm") {
		total++
		c := by[e.Leaf("perceived-severity")]
		if c == nil {
			c = &counts{}
			by[e.Leaf("perceived-severity")] = c
		}
		c.total++
		if e.Leaf("is-cleared") == "true" {
			c.cleared++
		}
		last = later(last, e.Leaf("last-changed"))
	}
	b := data.Build(a.top)
	summary := b.Container("summary")
	for _, s := range severities {
		c := by[s]
		if c == nil {
			c = &counts{}
		}
		summary.Entry("alarm-summary", s).Leaf("total", strconv.Itoa(c.total)).
			Leaf("not-cleared", strconv.Itoa(c.total-c.cleared)).Leaf("cleared", strconv.Itoa(c.cleared))
	}
	b.Container("alarm-list").Leaf("number-of-alarms", strconv.Itoa(total)).Text("last-changed", last)
	a.counted, a.summary = list, b.Node()
	return a.summary
}

// Summarized are the nodes that Summary makes.
func (a *Alarms) Summarized() []*yang.Node {
	list := a.top.ChildNamed("alarm-list")
	return []*yang.Node{a.top.ChildNamed("summary"), list.ChildNamed("number-of-alarms"), list.ChildNamed("last-changed")}
}

// later returns the later of two times as FormatTime writes them, which are in
// UTC but of different precision.
func later(a, b string) string {
	if strings.TrimSuffix(b, "Z") > strings.TrimSuffix(a, "Z") {
		return b
	}
	return a
}
