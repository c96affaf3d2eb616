package mapping

import (
	"strconv"
	"strings"
	"sync/atomic"

	"incidentd/incident/event"
	"incidentd/yang/data"
)

// Outcome is what became of a message.
type Outcome uint8

// The outcomes.
const (
	Unmapped Outcome = iota // no rule fits
	Mapped
	Ignored // a rule says that it is no event
)

// String returns the enum name of test-mapping.
func (o Outcome) String() string { return [...]string{"unmapped", "mapped", "ignored"}[o] }

// Mapper turns messages into events. It never changes, so any number of goroutines may
// use it.
type Mapper struct {
	rules []*rule
	index *index
	names *names
	hits  map[[2]string]*atomic.Uint64 // by table and rule
}

// New makes a mapper of the container mapping, at its place in a configuration, and of
// the tables that come with the server. The container may be nil. The error, an
// rpcerr.Errors, names patterns and templates that are none.
func New(config *data.Loc, builtin []*data.Node) (*Mapper, error) {
	d := &decoder{}
	var n *data.Node
	if config != nil {
		n = config.Node
	}
	m := &Mapper{names: decodeNames(n), hits: map[[2]string]*atomic.Uint64{}}
	for _, t := range tables(n, builtin) {
		at := &data.Loc{Parent: config, Node: t}
		m.rules = append(m.rules, d.table(at)...)
	}
	if err := d.errs.Err(); err != nil {
		return nil, err
	}
	for _, r := range m.rules {
		m.hits[[2]string{r.table, r.name}] = &r.hits
	}
	m.index = newIndex(m.rules)
	return m, nil
}

// WithNodes returns a mapper that is the same but for the nodes it knows: those of a
// container networks of ietf-network. A name in another case, or with a domain, stands
// for the node.
func (m *Mapper) WithNodes(networks *data.Node) *Mapper {
	known := *m.names
	known.nodes = nodesOf(networks)
	return &Mapper{m.rules, m.index, &known, m.hits}
}

// Hits is how often a rule has decided, as a number in digits.
func (m *Mapper) Hits(table, rule string) string {
	if hits := m.hits[[2]string{table, rule}]; hits != nil {
		return strconv.FormatUint(hits.Load(), 10)
	}
	return "0" // its table is not enabled
}

// UnmappedType is the alarm-type-id of the events of messages that no rule fits and that
// do not say themselves what they are.
const UnmappedType = "unmapped"

// UnknownNode is the node of events whose node is not told.
const UnknownNode = "unknown"

// Bounds of the leafs of an event, in bytes.
const (
	mostName = 255
	mostText = 4096
)

// Map makes the event of a message. Its ID is that of the message. With the outcome
// Ignored there is none.
func (m *Mapper) Map(msg *Message) (event.Event, Outcome) {
	e, outcome, r := m.apply(&values{msg: msg, names: m.names})
	if r != nil {
		r.hits.Add(1)
	}
	return e, outcome
}

// Knows reports whether a node-id is that of a node of the network, or one that an alias
// stands for.
func (m *Mapper) Knows(node string) bool { return m.names.knows(node) }

// Explanation is how a message is mapped.
type Explanation struct {
	Outcome Outcome
	// Table and Rule are the names of the rule that decides, empty when none fits.
	Table, Rule string
	// Captures are what the named groups of its patterns found.
	Captures []Field
	// Event is that of the message, unless it is ignored.
	Event event.Event
}

// Explain says what Map makes of a message, and why. It counts nothing.
func (m *Mapper) Explain(msg *Message) Explanation {
	v := &values{msg: msg, names: m.names}
	e, outcome, r := m.apply(v)
	x := Explanation{Outcome: outcome, Event: e}
	if r != nil {
		x.Table, x.Rule, x.Captures = r.table, r.name, v.captures
	}
	return x
}

func (m *Mapper) apply(v *values) (event.Event, Outcome, *rule) {
	msg := v.msg
	if msg.Event != nil {
		e := *msg.Event
		e.Node = m.names.node(e.Node)
		e.Resource = m.names.resource(e.Node, e.Resource)
		return tidy(e), Mapped, nil
	}
	var by *rule
	m.index.candidates(msg, func(i int) bool {
		if m.rules[i].match.fits(v) {
			by = m.rules[i]
		}
		return by != nil
	})
	switch {
	case by == nil && msg.Type != "":
		v.captures = nil
		return tidy(m.ofItself(msg)), Mapped, nil
	case by == nil:
		v.captures = nil
		return tidy(m.unmapped(msg)), Unmapped, nil
	case by.event == nil:
		return event.Event{}, Ignored, by
	}
	return tidy(by.event.event(v)), Mapped, by
}

// ofItself makes the event that a message says itself to be.
func (m *Mapper) ofItself(msg *Message) event.Event {
	e := event.Event{ID: msg.ID, Time: msg.Time, Arrival: msg.Arrival, Kind: msg.Observed, Node: m.names.node(msg.system()),
		AlarmTypeID: msg.Type, AlarmTypeQualifier: msg.Qualifier, Severity: msg.Severity, Text: msg.Text}
	e.Resource = m.names.resource(e.Node, msg.Resource)
	return e
}

// unmapped makes the event of a message that no rule fits.
func (m *Mapper) unmapped(msg *Message) event.Event {
	e := m.ofItself(msg)
	e.AlarmTypeID, e.AlarmTypeQualifier = UnmappedType, msg.App
	if msg.OID != "" {
		e.AlarmTypeQualifier = msg.OID
	}
	if msg.MsgID != "" {
		e.AlarmTypeQualifier = strings.TrimPrefix(e.AlarmTypeQualifier+"/"+msg.MsgID, "/")
	}
	return e
}

// tidy makes an event one that can be stored.
func tidy(e event.Event) event.Event {
	e.ID, e.Node, e.Resource = clean(e.ID, mostName), clean(e.Node, mostName), clean(e.Resource, mostName)
	e.AlarmTypeID, e.AlarmTypeQualifier = clean(e.AlarmTypeID, mostName), clean(e.AlarmTypeQualifier, mostName)
	e.Text, e.Value, e.Threshold = clean(e.Text, mostText), clean(e.Value, mostName), clean(e.Threshold, mostName)
	if e.Node == "" {
		e.Node = UnknownNode
	}
	if e.AlarmTypeID == "" {
		e.AlarmTypeID = UnmappedType
	}
	if e.Severity == 0 {
		e.Severity = event.Indeterminate
	}
	return e
}
