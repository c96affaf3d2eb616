package datastore

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"incidentd/datastore/kv"
	"incidentd/yang"
	"incidentd/yang/data"
)

// What a step of a delta does; the values are stored.
const (
	deltaRemove byte = iota // the node that a key leads to
	deltaPut                // the node, as its rows say
	deltaOrder              // the entries of a collection, in the order that follows
)

// deltaWriter gathers how an old tree is made from the new one: nodes in the reverse
// order of the steps, then the orders of entries.
//
// A key is written as the number of bytes that it shares with the key before, and
// the rest. A step is its kind and its key; deltaPut has the number of its rows and
// for each its key and value; deltaOrder, whose key is the parent's, has the name of
// the entries, their number, and for each its key.
type deltaWriter struct {
	b    []byte
	last []byte
	// orders are the steps deltaOrder.
	orders []byte
}

func (d *deltaWriter) key(key []byte) {
	same := 0
	for same < len(key) && same < len(d.last) && key[same] == d.last[same] {
		same++
	}
	d.b = binary.AppendUvarint(d.b, uint64(same))
	d.b = appendText(d.b, string(key[same:]))
	d.last = key
}

// replaced says that the node of a key has had these rows, or none.
func (d *deltaWriter) replaced(key []byte, rows []change) {
	if rows == nil {
		d.b = append(d.b, deltaRemove)
		d.key(key)
		return
	}
	d.b = append(d.b, deltaPut)
	d.key(key)
	d.b = binary.AppendUvarint(d.b, uint64(len(rows)))
	for _, r := range rows {
		d.key(r.key)
		d.b = appendText(d.b, string(r.value))
	}
}

// ordered says in which order the entries of a collection have stood.
func (d *deltaWriter) ordered(parent []byte, name uint16, keys []string) {
	d.orders = append(d.orders, deltaOrder)
	d.orders = appendText(binary.AppendUvarint(d.orders, 0), string(parent))
	d.orders = binary.AppendUvarint(d.orders, uint64(name))
	d.orders = binary.AppendUvarint(d.orders, uint64(len(keys)))
	for _, k := range keys {
		d.orders = appendText(d.orders, k)
	}
}

func (d *deltaWriter) bytes() []byte { return append(d.b, d.orders...) }

// deltaStep is a step that is read.
type deltaStep struct {
	kind byte
	way  []data.Step
	// of deltaOrder
	schema *yang.Node
	keys   []string
}

// deltaReader reads a delta.
type deltaReader struct {
	decoder
	names  *names
	schema *yang.Schema
	last   []byte
	err    error
}

// key reads a key and finds its way; the root's is empty.
func (d *deltaReader) key() []data.Step {
	same := d.uint()
	rest := d.bytes()
	if same > uint64(len(d.last)) {
		d.fault()
	}
	if d.bad {
		return nil
	}
	d.last = append(d.last[:same:same], rest...)
	if len(d.last) == 0 {
		return nil
	}
	way, err := d.names.way(nil, d.last, d.schema)
	if err != nil && d.err == nil {
		d.err = err
	}
	return way
}

// goBack makes the tree before a change from the tree after it.
func (n *names) goBack(tree *data.Node, delta []byte, schema *yang.Schema) (*data.Node, error) {
	d := deltaReader{decoder: decoder{b: delta}, names: n, schema: schema}
	old := data.NewLoader(schema.Root)
	var steps, orders []deltaStep
	for len(d.b) > 0 && d.err == nil {
		s := deltaStep{kind: d.byte()}
		s.way = d.key()
		switch s.kind {
		case deltaPut:
			for range d.count() {
				way, value := d.key(), d.bytes()
				if len(way) == 0 {
					d.fault()
				}
				if d.bad || d.err != nil {
					break
				}
				if err := putRow(old, way, value); err != nil {
					return nil, fmt.Errorf("%w: %w", kv.ErrDamaged, err)
				}
			}
			steps = append(steps, s)
		case deltaRemove:
			steps = append(steps, s)
		case deltaOrder:
			s.schema = d.collection(s.way)
			for range d.count() {
				s.keys = append(s.keys, d.text())
			}
			orders = append(orders, s)
		default:
			d.fault()
		}
		if (s.kind != deltaOrder && len(s.way) == 0) && d.err == nil {
			d.fault()
		}
		if d.bad {
			return nil, fmt.Errorf("%w: a change cannot be read", kv.ErrDamaged)
		}
	}
	if d.err != nil {
		return nil, d.err
	}
	slices.Reverse(steps)
	p := patch{old: old.Tree()}
	tree = p.node(tree, p.old, steps, 0)
	for _, o := range orders {
		tree = p.order(tree, o, 0)
	}
	if p.lost {
		return nil, fmt.Errorf("%w: a change does not fit the configuration after it", kv.ErrDamaged)
	}
	return tree, nil
}

// collection reads the name of a list or leaf-list below a way.
func (d *deltaReader) collection(way []data.Step) *yang.Node {
	at := d.schema.Root
	if len(way) > 0 {
		at = way[len(way)-1].Schema
	}
	module, local, _ := strings.Cut(d.names.name[uint16(d.uint())], ":")
	if m := d.schema.Module(module); m != nil {
		if s := at.Child(m, local); s != nil && s.UserOrdered {
			return s
		}
	}
	d.fault()
	return nil
}

// patch makes steps in a tree.
type patch struct {
	old  *data.Node // a tree that has what is put back
	lost bool       // a step led nowhere
}

// node makes the steps below a node, whose counterpart among what is put back is
// old, nil without one. Steps to the same child stand together mostly, so that most
// parents are copied once.
func (p *patch) node(n, old *data.Node, steps []deltaStep, depth int) *data.Node {
	var puts []*data.Node
	flush := func() {
		if len(puts) > 0 {
			n, puts = n.With(puts...), puts[:0]
		}
	}
	for i, j := 0, 0; i < len(steps); i = j {
		step := steps[i].way[depth]
		var back *data.Node
		if old != nil {
			back = child(old, step.Schema, step.Key)
		}
		if len(steps[i].way) == depth+1 {
			j = i + 1
			switch {
			case steps[i].kind == deltaRemove:
				flush()
				if child(n, step.Schema, step.Key) == nil {
					p.lost = true
				}
				n = n.Without(step.Schema, step.Key)
			case back == nil:
				p.lost = true
			default:
				puts = append(puts, back)
			}
			continue
		}
		for j = i + 1; j < len(steps) && len(steps[j].way) > depth+1 && steps[j].way[depth] == step; j++ {
		}
		have := child(n, step.Schema, step.Key)
		if have == nil {
			p.lost = true
			continue
		}
		puts = append(puts, p.node(have, back, steps[i:j], depth+1))
	}
	flush()
	return n
}

// order puts the entries of a collection into their order.
func (p *patch) order(n *data.Node, o deltaStep, depth int) *data.Node {
	if depth < len(o.way) {
		step := o.way[depth]
		have := child(n, step.Schema, step.Key)
		if have == nil {
			p.lost = true
			return n
		}
		return n.With(p.order(have, o, depth+1))
	}
	if n.Count(o.schema) != len(o.keys) {
		p.lost = true
		return n
	}
	i, same := 0, true
	for e := range n.EntriesOf(o.schema) {
		same = same && e.Key() == o.keys[i]
		i++
	}
	if same {
		return n
	}
	var b *data.Builder
	if s := n.Schema(); s.Kind == yang.List {
		b = data.BuildEntry(s, n.Keys()...)
	} else {
		b = data.Build(s)
	}
	for c := range n.Children() {
		if s := c.Schema(); s != o.schema && !s.IsKey() {
			b.Add(c)
		}
	}
	for _, k := range o.keys {
		e := n.Entry(o.schema, k)
		if e == nil {
			p.lost = true
			return n
		}
		b.Add(e)
	}
	return b.Node()
}
