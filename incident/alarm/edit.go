package alarm

import (
	"maps"
	"slices"
	"strconv"

	"incidentd/datastore"
	"incidentd/incident/event"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/xpath"
)

// Edit is what a transaction does to alarms. It begins with Alarms.Begin and ends with
// Done, which must come before the function of the transaction returns; in between nobody
// else may change the alarms in it. It belongs to the writer of the store.
type Edit struct {
	a     *Alarms
	tx    *datastore.Tx
	rules *rules
	held  *holds
	base  *data.Node // /al:alarms as it was, nil for none
	nodes func(*xpath.Expr, string) bool

	touched map[Key]*touched
	order   []*touched // in which they were touched
	notices []notice
	back    map[string][]Alarm // what came back from shelves
	fresh   bool               // nothing is counted yet

	newHolds         *data.Node // as changed, nil for as they were
	inventory        *data.Node // as changed, nil for as it was
	inventoryChanged bool
}

// touched is an alarm that was looked at or changed.
type touched struct {
	key        Key
	was, is    *data.Node // nil: it is not there
	onShelf    bool       // is
	wasOnShelf bool
}

// notice is a notification that waits for Done.
type notice struct {
	of   *touched
	node *data.Node
}

// Begin begins to change the alarms in a transaction.
func (a *Alarms) Begin(tx *datastore.Tx) *Edit {
	base := tx.State().Get(a.nodes.top)
	return &Edit{a: a, tx: tx, rules: a.rulesOf(tx.Running()), held: a.holdsOf(base), base: base,
		nodes: selects(a.schema, tx.Operational), touched: map[Key]*touched{}}
}

// alarm finds an alarm, wherever it is.
func (e *Edit) alarm(k Key) *touched {
	if t := e.touched[k]; t != nil {
		return t
	}
	t := &touched{key: k}
	text := k.text()
	if n := e.base.Get(e.a.nodes.list).Entry(e.a.nodes.listed.entry, text); n != nil {
		t.was = n
	} else if n := e.base.Get(e.a.nodes.shelf).Entry(e.a.nodes.shelved.entry, text); n != nil {
		t.was, t.wasOnShelf = n, true
	}
	t.is, t.onShelf = t.was, t.wasOnShelf
	e.touched[k] = t
	e.order = append(e.order, t)
	return t
}

// at are the schema nodes of where an alarm is.
func (e *Edit) at(t *touched) *entryNodes { return e.a.nodes.of(t.onShelf) }

// isCleared reports whether an alarm is over.
func (e *Edit) isCleared(t *touched) bool { return value(t.is, e.at(t).isCleared) == "true" }

// notify adds a notification of an alarm.
func (e *Edit) notify(t *touched, n *data.Node) { e.notices = append(e.notices, notice{t, n}) }

// Done puts what was done into the transaction: the alarms, what is counted of them, and
// the notifications that tell of it. Those of alarms that are on a shelf now are left out
// [RFC 8632 section 4.3].
func (e *Edit) Done() error {
	n := e.a.nodes
	list, shelf := e.base.Get(n.list), e.base.Get(n.shelf)
	in, on := placed{nodes: &n.listed}, placed{nodes: &n.shelved}
	sum := newCounts(n, e.base.Get(n.summary))
	for _, t := range e.order {
		if t.was == t.is && !e.fresh {
			continue
		}
		from, to := &in, &in
		if t.wasOnShelf {
			from = &on
		}
		if t.onShelf {
			to = &on
		}
		if t.was != nil && (t.is == nil || from != to) {
			from.gone = append(from.gone, t.was)
		}
		if t.is != nil {
			to.put = append(to.put, t.is.Packed())
		}
		if !e.fresh && !t.wasOnShelf {
			sum.add(t.was, -1)
		}
		if !t.onShelf {
			sum.add(t.is, +1)
		}
	}
	now := data.FormatTime(e.tx.Now())
	var parts []*data.Node
	if !in.empty() || e.fresh {
		parts = append(parts, in.into(list, n.list, "number-of-alarms", "last-changed", now))
	}
	if !on.empty() || e.fresh {
		shelf = on.into(shelf, n.shelf, "number-of-shelved-alarms", "shelved-alarms-last-changed", now)
		parts = append(parts, shelf)
	}
	if !in.empty() || !on.empty() || e.fresh {
		parts = append(parts, sum.node(shelf.Count(n.shelved.entry) > 0))
	}
	for _, part := range []*data.Node{e.inventory, e.newHolds} {
		if part != nil {
			parts = append(parts, part)
		}
	}
	if len(parts) > 0 {
		top := e.base
		if top == nil {
			top = data.New(n.top)
		}
		e.tx.SetState(e.tx.State().With(top.With(parts...)))
	}
	e.tell()
	return e.hand(in.gone)
}

// placed is what changes of one of the two lists.
type placed struct {
	nodes     *entryNodes
	put, gone []*data.Node
}

func (p *placed) empty() bool { return len(p.put)+len(p.gone) == 0 }

// into returns the container of the list with the changes, its count, and the time of its
// change, if there is one.
func (p *placed) into(c *data.Node, schema *yang.Node, number, changed, now string) *data.Node {
	if c == nil {
		c = data.New(schema)
	}
	for _, e := range p.gone {
		c = c.Without(p.nodes.entry, e.Key())
	}
	if !p.empty() {
		c = c.With(append(p.put, data.NewLeaf(schema.ChildNamed(changed), now))...)
	}
	return c.With(data.NewLeaf(schema.ChildNamed(number), strconv.Itoa(c.Count(p.nodes.entry))))
}

// tell adds the notifications to the transaction.
func (e *Edit) tell() {
	for _, x := range e.notices {
		if !x.of.onShelf {
			e.tx.Notify(Stream, x.node)
		}
	}
	if e.inventoryChanged {
		e.tx.Notify(Stream, data.New(e.a.nodes.inventoryChanged))
	}
}

// hand tells others of alarms that are not in the list any more, and of those that are back.
func (e *Edit) hand(gone []*data.Node) error {
	if len(gone) > 0 {
		keys := make([]Key, len(gone))
		for i, n := range gone {
			keys[i] = keyOf(n)
		}
		if err := e.a.c.Left(e.tx, keys); err != nil {
			return err
		}
	}
	for _, shelf := range slices.Sorted(maps.Keys(e.back)) {
		if err := e.a.c.Returned(e.tx, shelf, e.back[shelf]); err != nil {
			return err
		}
	}
	return nil
}

// adopt gives a store its summary when it has none: an empty one, or one of a version that
// had no histories, whose alarms get them.
func (e *Edit) adopt() {
	if e.base.Get(e.a.nodes.summary) != nil {
		return
	}
	e.fresh = true
	n := &e.a.nodes.listed
	for old := range e.base.Get(e.a.nodes.list).EntriesOf(n.entry) {
		t := e.alarm(keyOf(old))
		if first(old, n.status) != nil {
			continue
		}
		severity := value(old, n.severity)
		if value(old, n.isCleared) == "true" {
			severity = event.Cleared.String()
		}
		t.is = old.With(e.statusChange(n, value(old, n.lastChanged), severity, value(old, n.text)))
	}
}
