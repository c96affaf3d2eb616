package datastore

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"incidentd/datastore/kv"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// The stored state is written by the entry: the row of an outermost entry holds all that is
// in it. An incident of forty leafs and a few events is one row. Where that is large, or has
// what the user orders, entries below have rows of their own, so that an incident that grows
// by an event does not write all its events again.

// whole begins the row of an entry that has no rows below it. The rows of others begin with
// the length of a way, which is not 0.
const whole = 0

// entry gathers the change of an entry; was or is may be nil.
func (rw *rowWriter) entry(parent *data.Loc, key []byte, was, is *data.Node) {
	if is == nil {
		rw.deleteBelow(key)
		return
	}
	if was == nil {
		rw.putWhole(key, is)
		return
	}
	stored := rw.w.Get(rw.table, key)
	wasWhole := len(stored) > 0 && stored[0] == whole
	switch row, ok := rw.whole(is); {
	case ok && bytes.Equal(row, stored):
	case ok:
		if !wasWhole {
			rw.deleteBelow(key)
		}
		rw.set(key, row)
	case wasWhole:
		rw.putEntry(key, is)
	default:
		data.DiffWhole(parent.Down(is), was, rw.changed)
	}
}

// putWhole writes an entry that has no rows yet.
func (rw *rowWriter) putWhole(key []byte, n *data.Node) {
	if row, ok := rw.whole(n); ok && rw.fits(key, n) {
		rw.set(key, row)
		return
	}
	rw.putEntry(key, n)
}

// whole is the row that holds all of an entry; false without one.
func (rw *rowWriter) whole(n *data.Node) ([]byte, bool) {
	if len(n.Schema().Keys) == 0 {
		return nil, false
	}
	return n.AppendPacked([]byte{whole}, func(s *yang.Node) int {
		num, err := rw.names.of(rw.w, s)
		if err != nil && rw.err == nil {
			rw.err = err
		}
		return int(num)
	})
}

// packs reports whether what is below a place is written by the entry. Where the user
// orders entries, their rows tell the order.
func (rw *rowWriter) packs(parent *data.Loc, changed *data.Node) bool {
	if !rw.byEntry || changed.Schema().UserOrdered {
		return false
	}
	for l := parent; l != nil; l = l.Parent {
		if l.Node.Schema().UserOrdered {
			return false
		}
	}
	return true
}

// entryOf is the nearest entry of a list that a place is in, itself included; nil if it is
// in none.
func entryOf(l *data.Loc) *data.Loc {
	for ; l != nil; l = l.Parent {
		if l.Node.Schema().Kind == yang.List {
			return l
		}
	}
	return nil
}

// within notes a change of what the row of an entry holds, which is written in the end,
// and writes what is gone or new of entries below it.
func (rw *rowWriter) within(e *data.Loc, prefix []byte, was, is *data.Node) {
	key := rw.key(e, nil)
	if rw.entries == nil {
		rw.entries = map[string]*data.Node{}
	}
	rw.entries[string(key)] = e.Node
	if was != nil && !was.Schema().HasValue() {
		rw.deleteBelow(prefix)
	}
	if is != nil && !is.Schema().HasValue() {
		rw.putBelow(prefix, is)
	}
}

// rewrite writes the row of an entry of which something has changed. One whose row holds
// nothing yet may have its leafs in rows of their own, as layout 2 had them.
func (rw *rowWriter) rewrite(key []byte, n *data.Node) {
	if len(rw.w.Get(rw.table, key)) == 0 {
		rw.deleteBelow(key)
		rw.putEntry(key, n)
		return
	}
	rw.set(key, rw.pack(nil, nil, n))
}

// putEntry writes an entry and those below it.
func (rw *rowWriter) putEntry(key []byte, n *data.Node) {
	if s := n.Schema(); len(s.Keys) == 0 && rw.err == nil {
		rw.err = fmt.Errorf("%s has no key, so its entries cannot be stored", s)
	}
	if !rw.fits(key, n) {
		return
	}
	rw.set(key, rw.pack(nil, nil, n))
	rw.putBelow(key, n)
}

// fits reports whether a key is short enough for a row, and nothing has failed.
func (rw *rowWriter) fits(key []byte, n *data.Node) bool {
	if len(key) > kv.MaxKey && rw.err == nil {
		rw.err = rpcerr.TooBig("the keys on the way to a node of %s have more than %d bytes", n.Schema().Path(), kv.MaxKey)
	}
	return rw.err == nil
}

// putBelow writes the entries below a node, and what the user ordered.
func (rw *rowWriter) putBelow(key []byte, n *data.Node) {
	place := map[*yang.Node]uint32(nil)
	for c := range n.Children() {
		s := c.Schema()
		if s.Kind != yang.List && s.Kind != yang.Container && !s.UserOrdered {
			continue
		}
		below := rw.step(key[:len(key):len(key)], c)
		switch {
		case s.UserOrdered:
			if place == nil {
				place = map[*yang.Node]uint32{}
			}
			rw.set(below, binary.BigEndian.AppendUint32(nil, place[s]))
			place[s]++
			rw.byEntry = false
			rw.put(below, c)
			rw.byEntry = true
		case s.Kind == yang.List:
			rw.putWhole(below, c)
		default:
			rw.putBelow(below, c)
		}
	}
}

// pack appends what the row of an entry holds: of each node in it that would have a row,
// the way from the entry and the value, each with its length before it.
func (rw *rowWriter) pack(row, way []byte, n *data.Node) []byte {
	here := len(way)
	for c := range n.Children() {
		s := c.Schema()
		if s.IsKey() || s.Kind == yang.List || s.UserOrdered {
			continue
		}
		way = rw.step(way[:here], c)
		if s.Kind != yang.Container || s.Presence {
			row = append(binary.AppendUvarint(row, uint64(len(way))), way...)
			var value []byte
			switch s.Kind {
			case yang.Leaf:
				row = append(binary.AppendUvarint(row, uint64(len(c.Value()))), c.Value()...)
				continue
			case yang.AnyData, yang.AnyXML:
				value = encodeRaw(c.Raw())
			}
			row = append(binary.AppendUvarint(row, uint64(len(value))), value...)
		}
		if s.Kind == yang.Container {
			row = rw.pack(row, way, c)
		}
	}
	return row
}

// unpack reads the row of an entry that the way leads to.
func (n *names) unpack(l *data.Loader, schema *yang.Schema, way []data.Step, row []byte) error {
	entry := way[len(way)-1].Schema
	if len(row) > 0 && row[0] == whole {
		e, err := data.ParsePacked(entry, way[len(way)-1].Key, string(row[1:]), func(parent *yang.Node, number int) (*yang.Node, error) {
			return n.child(schema, parent, number)
		})
		if err != nil {
			return fmt.Errorf("an entry of %s: %w", entry.Path(), err)
		}
		return l.PutEntry(way, e)
	}
	if err := l.Put(way, "", 0); err != nil {
		return err
	}
	depth := len(way)
	for len(row) > 0 {
		var key, value []byte
		for _, part := range []*[]byte{&key, &value} {
			size, k := binary.Uvarint(row)
			if k <= 0 || size > uint64(len(row)-k) {
				return fmt.Errorf("the row of an entry of %s ends too early", entry.Path())
			}
			*part, row = row[k:k+int(size)], row[k+int(size):]
		}
		var err error
		if way, err = n.steps(way[:depth], schema, entry, key); err != nil {
			return err
		}
		if len(way) == depth {
			return fmt.Errorf("the row of an entry of %s holds something without a name", entry.Path())
		}
		if err := putRow(l, way, value); err != nil {
			return err
		}
	}
	return nil
}
