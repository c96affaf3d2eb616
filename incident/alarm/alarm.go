package alarm

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"

	"incidentd/datastore"
	"incidentd/incident/event"
	"incidentd/yang"
	"incidentd/yang/data"
)

// Stream is the stream of the notifications of RFC 8632.
const Stream = "alarms"

// Features are the features of RFC 8632 that the server has, by module. Causes, impact and
// what belongs together are told by incidents.
func Features() map[string][]string {
	return map[string][]string{
		"ietf-alarms":      {"operator-actions", "alarm-shelving", "alarm-history", "alarm-summary", "alarm-profile", "severity-assignment"},
		"ietf-alarms-x733": {"configure-x733-mapping"},
	}
}

// Key names an alarm [RFC 8632 section 3.4.2].
type Key struct{ Resource, TypeID, Qualifier string }

// text is the key as the lists have it.
func (k Key) text() string { return data.Key(k.Resource, k.TypeID, k.Qualifier) }

// keyOf is the key of an entry of a list.
func keyOf(n *data.Node) Key {
	v := n.Keys()
	return Key{v[0], v[1], v[2]}
}

// Config of New. Store is required; the rest has defaults.
type Config struct {
	Store *datastore.Store
	// Open reports whether something that is open refers to an alarm, which then is not
	// purged; nil: nothing does. It is called in the writer.
	Open func(*datastore.Tx, Key) bool
	// Left is told the alarms that have left the list of alarms, for a shelf or for good,
	// so that nothing refers to them any more. It is called in the transaction that moves
	// them, which its error refuses.
	Left func(*datastore.Tx, []Key) error
	// Returned is told the alarms that came back from a hold: see Edit.Release. It is
	// called in the transaction that moves them, which its error refuses.
	Returned func(*datastore.Tx, string, []Alarm) error
	// Sources say which alarm types there are, besides the schema and
	// incidentd-correlation.
	Sources []Source
	// Log gets what nobody is answered; nil: nothing is logged.
	Log *slog.Logger
}

// Alarms keeps the alarms of a store.
type Alarms struct {
	c      Config
	store  *datastore.Store
	schema *yang.Schema
	nodes  *nodes
	log    *slog.Logger
	types  map[string]string // reported word to identity
	leafs  leafs

	// What was compiled last; each is made anew when what it was made of is another.
	rules atomic.Pointer[rules]
	held  atomic.Pointer[holds]
	known atomic.Pointer[catalogue]

	stop    context.CancelFunc
	running sync.WaitGroup
	wake    chan struct{} // one slot: alarms wait to be put where they belong

	sources []Source

	early int // clears that are kept for their raises; -1: not counted. It belongs to the writer.
}

// New makes the alarms of a store ready for use: the inventory is as the schema and the
// configuration have it, and a store of a version without histories gets them. From then on it
// takes part in the transactions of the store that change the configuration.
//
// A schema without ietf-alarms, ietf-alarms-x733 and incidentd-alarms, or without Features, is
// a bug and panics.
func New(c Config) (*Alarms, error) {
	if c.Open == nil {
		c.Open = func(*datastore.Tx, Key) bool { return false }
	}
	if c.Left == nil {
		c.Left = func(*datastore.Tx, []Key) error { return nil }
	}
	if c.Returned == nil {
		c.Returned = func(*datastore.Tx, string, []Alarm) error { return nil }
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := c.Store.Schema()
	a := &Alarms{c: c, store: c.Store, schema: s, nodes: newNodes(s), log: c.Log, types: map[string]string{},
		wake: make(chan struct{}, 1), early: -1, sources: append([]Source{correlation}, c.Sources...)}
	a.leafs.entries = make([]*data.Node, cachedLeafs)
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
	err := c.Store.Update(context.Background(), func(tx *datastore.Tx) error {
		e := a.Begin(tx)
		if e.adopt(); e.refreshInventory() {
			e.inventoryChanged = true
		}
		return e.Done()
	})
	if err != nil {
		return nil, err
	}
	c.Store.Join(participant{a})
	return a, nil
}

const reported = "incidentd-alarm-types:reported"

// KeyOf names the alarm that an event is about.
func (a *Alarms) KeyOf(e *event.Event) Key {
	return a.KeyFor(e.Node, e.Resource, e.AlarmTypeID, e.AlarmTypeQualifier)
}

// KeyFor names the alarm of a node, resource, reported type and qualifier.
func (a *Alarms) KeyFor(node, resource, typeID, qualifier string) Key {
	k := Key{Resource: node}
	if resource != "" {
		k.Resource += "/" + resource
	}
	k.TypeID, k.Qualifier = a.typeOf(typeID, qualifier)
	return k
}

// typeOf names the alarm type of a reported word and qualifier.
func (a *Alarms) typeOf(word, qualifier string) (typeID, typeQualifier string) {
	if id, ok := a.types[word]; ok {
		return id, qualifier
	}
	if qualifier != "" {
		word += "/" + qualifier
	}
	return reported, word
}

// Listed reports whether an alarm is in the list of alarms of a state tree, which has those
// that are on no shelf.
func (a *Alarms) Listed(state *data.Node, k Key) bool {
	return state.Get(a.nodes.top).Get(a.nodes.list).Entry(a.nodes.listed.entry, k.text()) != nil
}

// leafs keeps the leafs that were made last, so that alarms which say the same share them.
// It belongs to the writer of the store.
type leafs struct{ entries []*data.Node }

const cachedLeafs = 1 << 12

// leaf is a leaf of a value.
func (l *leafs) leaf(schema *yang.Node, value string) *data.Node {
	h := uint32(2166136261) ^ uint32(schema.Order)
	for i := range len(value) {
		h = (h ^ uint32(value[i])) * 16777619
	}
	at := &l.entries[h%cachedLeafs]
	if n := *at; n == nil || n.Schema() != schema || n.Value() != value {
		*at = data.NewLeaf(schema, value)
	}
	return *at
}
