package datastore

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"

	"incidentd/datastore/kv"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
	"incidentd/yang/xmltext"
)

const tableNames = "names"

// names are the numbers that stand for schema nodes in keys. The writer alone
// adds to them.
type names struct {
	number map[string]uint16
	name   map[uint16]string
	known  map[*yang.Node]uint16 // numbers that were looked up
}

// forget takes back the names that were added since there were count of them.
func (n *names) forget(count int) {
	for num := len(n.name); num > count; num-- {
		delete(n.number, n.name[uint16(num)])
		delete(n.name, uint16(num))
	}
	clear(n.known)
}

func newNames() *names {
	return &names{number: map[string]uint16{}, name: map[uint16]string{}, known: map[*yang.Node]uint16{}}
}

func loadNames(r *kv.Reader) (*names, error) {
	n := newNames()
	for k, v := range r.Scan(tableNames, nil, nil) {
		if len(k) != 2 {
			return nil, fmt.Errorf("%w: a name's number has %d bytes", kv.ErrDamaged, len(k))
		}
		num := binary.BigEndian.Uint16(k)
		n.number[string(v)], n.name[num] = num, string(v)
	}
	return n, nil
}

// of returns the number of a schema node, a new one when it has none.
func (n *names) of(w *kv.Writer, s *yang.Node) (uint16, error) {
	if num, ok := n.known[s]; ok {
		return num, nil
	}
	name := s.QName()
	if num, ok := n.number[name]; ok {
		n.known[s] = num
		return num, nil
	}
	if len(n.number) >= 0xFFFF {
		return 0, fmt.Errorf("no number is left for the name %s", name)
	}
	num := uint16(len(n.number) + 1)
	if err := w.Put(tableNames, binary.BigEndian.AppendUint16(nil, num), []byte(name)); err != nil {
		return 0, err
	}
	n.number[name], n.name[num] = num, name
	return num, nil
}

// rowWriter gathers the difference of two trees as changes of a table, so that
// what is refused has written nothing.
type rowWriter struct {
	names   *names
	w       *kv.Writer
	table   string
	byEntry bool // see pack.go
	changes []change
	// entries are those whose rows hold something that has changed, by their keys.
	entries map[string]*data.Node
	err     error
	// ordered are the collections whose entries the user ordered and that the
	// change touched, by the key of their parent and their name.
	ordered map[string]*orderedSet
	// back is how the old tree is made from the new one, nil when nobody asks.
	back *deltaWriter
}

// change puts a row, or deletes it and all below it.
type change struct {
	key, value []byte
	del        bool
}

// write makes the changes; an error is one of the store, and the whole
// transaction has failed.
func (rw *rowWriter) write() error {
	for _, c := range rw.changes {
		var err error
		if c.del {
			_, err = rw.w.DeleteRange(rw.table, c.key, successor(c.key))
		} else {
			err = rw.w.Put(rw.table, c.key, c.value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// orderedSet is a collection that the user ordered.
type orderedSet struct {
	parent *data.Loc // in the new tree
	schema *yang.Node
	put    map[string]bool // the keys of entries whose rows were put
}

// changes gathers what differs between two trees, and nothing else; with back, how
// to go back as well.
func (n *names) changes(w *kv.Writer, table string, old, new *data.Node, back bool) (*rowWriter, error) {
	rw := &rowWriter{names: n, w: w, table: table, byEntry: table == tableState, ordered: map[string]*orderedSet{}}
	if back {
		rw.back = &deltaWriter{}
	}
	if rw.byEntry {
		data.DiffWhole(&data.Loc{Node: new}, old, rw.changed)
	} else {
		data.Diff(old, new, rw.changed)
	}
	for _, key := range slices.Sorted(maps.Keys(rw.entries)) {
		rw.rewrite([]byte(key), rw.entries[key])
	}
	for _, id := range slices.Sorted(maps.Keys(rw.ordered)) {
		rw.rank(rw.ordered[id], old)
	}
	return rw, rw.err
}

// changed gathers a place at which two trees differ.
func (rw *rowWriter) changed(parent *data.Loc, was, is *data.Node) bool {
	changed := is
	if is == nil {
		changed = was
	}
	prefix := rw.key(parent, changed)
	if changed.Schema().Kind == yang.List && rw.packs(parent, changed) {
		rw.entry(parent, prefix, was, is)
		return rw.err == nil
	}
	if rw.back != nil {
		rw.back.replaced(prefix, rw.rows(prefix, was))
	}
	if e := entryOf(parent); e != nil && rw.packs(parent, changed) {
		rw.within(e, prefix, was, is)
		return rw.err == nil
	}
	if was != nil && (is == nil || !is.Schema().HasValue()) {
		rw.deleteBelow(prefix)
	}
	if is != nil {
		byEntry := rw.byEntry
		rw.byEntry = rw.packs(parent, changed)
		rw.put(prefix, is)
		rw.byEntry = byEntry
	}
	if s := changed.Schema(); s.UserOrdered && rw.err == nil {
		id := string(rw.key(parent, nil)) + s.QName()
		if rw.ordered[id] == nil {
			rw.ordered[id] = &orderedSet{parent, s, map[string]bool{}}
		}
		if is != nil {
			rw.ordered[id].put[is.Key()] = true
		}
	}
	return rw.err == nil
}

// rows are those of a node and all below it, nil for none.
func (rw *rowWriter) rows(key []byte, n *data.Node) []change {
	if n == nil || rw.err != nil {
		return nil
	}
	of := &rowWriter{names: rw.names, w: rw.w}
	if n.Schema().UserOrdered {
		of.set(key, binary.BigEndian.AppendUint32(nil, 0))
	}
	of.put(key, n)
	rw.err = of.err
	return of.changes
}

// key is the key of a child of a place, or of the place itself.
func (rw *rowWriter) key(parent *data.Loc, child *data.Node) []byte {
	var way []*data.Node
	for l := parent; l != nil; l = l.Parent {
		way = append(way, l.Node)
	}
	var key []byte
	for i := len(way) - 1; i >= 0; i-- {
		key = rw.step(key, way[i])
	}
	if child != nil {
		key = rw.step(key, child)
	}
	return key
}

func (rw *rowWriter) step(key []byte, n *data.Node) []byte {
	s := n.Schema()
	if s.Kind == yang.Root {
		return key
	}
	num, err := rw.names.of(rw.w, s)
	if err != nil && rw.err == nil {
		rw.err = err
	}
	key = binary.BigEndian.AppendUint16(key, num)
	if s.Multiple() {
		key = appendKey(key, n.Key())
	}
	return key
}

func appendKey(key []byte, text string) []byte {
	for {
		i := strings.IndexByte(text, 0)
		if i < 0 {
			return append(append(key, text...), 0, 0)
		}
		key = append(append(key, text[:i]...), 0, 1)
		text = text[i+1:]
	}
}

func (rw *rowWriter) deleteBelow(prefix []byte) {
	rw.changes = append(rw.changes, change{key: prefix, del: true})
}

func (rw *rowWriter) set(key, value []byte) {
	rw.changes = append(rw.changes, change{key: key, value: value})
}

// successor is the least key after all that start with the prefix, nil for none.
func successor(prefix []byte) []byte {
	out := append([]byte(nil), prefix...)
	for i := len(out) - 1; i >= 0; i-- {
		if out[i]++; out[i] != 0 {
			return out[:i+1]
		}
	}
	return nil
}

// put writes a node and all below it, but for the place of an entry that the user
// ordered, which is its row.
func (rw *rowWriter) put(key []byte, n *data.Node) {
	s := n.Schema()
	if rw.err != nil || s.IsKey() {
		return
	}
	if rw.byEntry && s.Kind == yang.List && !s.UserOrdered {
		rw.putWhole(key, n)
		return
	}
	value, row := []byte(nil), true
	switch s.Kind {
	case yang.Leaf:
		value = []byte(n.Value())
	case yang.AnyData, yang.AnyXML:
		value = encodeRaw(n.Raw())
	case yang.Container:
		row = s.Presence
	case yang.List:
		if len(s.Keys) == 0 {
			rw.err = fmt.Errorf("%s has no key, so its entries cannot be stored", s)
			return
		}
	}
	if row && len(key) > kv.MaxKey {
		rw.err = rpcerr.TooBig("the keys on the way to a node of %s have more than %d bytes", s.Path(), kv.MaxKey)
		return
	}
	if row && !s.UserOrdered {
		rw.set(key, value)
	}
	if s.HasValue() {
		return
	}
	ordered := map[*yang.Node]uint32{}
	for c := range n.Children() {
		below := rw.step(key[:len(key):len(key)], c)
		if c.Schema().UserOrdered && rw.err == nil {
			rw.set(below, binary.BigEndian.AppendUint32(nil, ordered[c.Schema()]))
			ordered[c.Schema()]++
			byEntry := rw.byEntry
			rw.byEntry = false
			rw.put(below, c)
			rw.byEntry = byEntry
			continue
		}
		rw.put(below, c)
	}
}

// rank writes the places of the entries of a collection that the user ordered, as
// far as they are others than in the old tree.
func (rw *rowWriter) rank(o *orderedSet, old *data.Node) {
	var before []string
	places := map[string]uint32{}
	if parent := locate(old, o.parent); parent != nil {
		for e := range parent.EntriesOf(o.schema) {
			places[e.Key()] = uint32(len(before))
			before = append(before, e.Key())
		}
	}
	place := uint32(0)
	for e := range o.parent.Node.EntriesOf(o.schema) {
		if was, ok := places[e.Key()]; !ok || was != place || o.put[e.Key()] {
			rw.set(rw.key(o.parent, e), binary.BigEndian.AppendUint32(nil, place))
		}
		place++
	}
	if rw.back == nil || len(before) < 2 {
		return
	}
	if num, err := rw.names.of(rw.w, o.schema); err == nil {
		rw.back.ordered(rw.key(o.parent, nil), num, before)
	}
}

// locate finds the place of another tree in a tree, nil when it is not there.
func locate(tree *data.Node, l *data.Loc) *data.Node {
	if l.Parent == nil {
		return tree
	}
	parent := locate(tree, l.Parent)
	if parent == nil {
		return nil
	}
	return child(parent, l.Node.Schema(), l.Node.Key())
}

// child is a child by its schema and, for an entry, its key.
func child(n *data.Node, s *yang.Node, key string) *data.Node {
	if s.Multiple() {
		return n.Entry(s, key)
	}
	return n.Get(s)
}

func encodeRaw(raw xmltext.Raw) []byte {
	b := binary.AppendUvarint(nil, uint64(len(raw.Bindings)))
	for _, x := range raw.Bindings {
		for _, s := range []string{x.Prefix, x.Space} {
			b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
		}
	}
	return append(b, raw.Content...)
}

func decodeRaw(b []byte) (raw xmltext.Raw, ok bool) {
	count, n := binary.Uvarint(b)
	if n <= 0 || count > uint64(len(b)) {
		return raw, false
	}
	b = b[n:]
	text := func() (string, bool) {
		l, n := binary.Uvarint(b)
		if n <= 0 || l > uint64(len(b)-n) {
			return "", false
		}
		s := string(b[n : n+int(l)])
		b = b[n+int(l):]
		return s, true
	}
	for range count {
		p, ok1 := text()
		s, ok2 := text()
		if !ok1 || !ok2 {
			return raw, false
		}
		raw.Bindings = append(raw.Bindings, xmltext.Binding{Prefix: p, Space: s})
	}
	raw.Content = append([]byte(nil), b...)
	return raw, true
}

// load reads a tree back.
func (n *names) load(r *kv.Reader, table string, schema *yang.Schema) (*data.Node, error) {
	l := data.NewLoader(schema.Root)
	if table == tableState {
		l.Pack()
	}
	var way []data.Step
	for k, v := range r.Scan(table, nil, nil) {
		var err error
		if way, err = n.way(way[:0], k, schema); err != nil {
			return nil, fmt.Errorf("table %s: %w", table, err)
		}
		if s := way[len(way)-1].Schema; table == tableState && s.Kind == yang.List && !s.UserOrdered {
			err = n.unpack(l, schema, way, v)
		} else {
			err = putRow(l, way, v)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: table %s: %w", kv.ErrDamaged, table, err)
		}
	}
	return l.Tree(), nil
}

func putRow(l *data.Loader, way []data.Step, v []byte) error {
	s := way[len(way)-1].Schema
	switch {
	case s.Kind == yang.AnyData || s.Kind == yang.AnyXML:
		raw, ok := decodeRaw(v)
		if !ok {
			return fmt.Errorf("the content of %s cannot be read", s.Path())
		}
		return l.PutAny(way, data.NewAny(s, raw))
	case s.UserOrdered:
		if len(v) != 4 {
			return fmt.Errorf("the place of an entry of %s has %d bytes", s.Path(), len(v))
		}
		return l.Put(way, "", int(binary.BigEndian.Uint32(v)))
	}
	return l.Put(way, string(v), 0)
}

// way reads a key.
func (n *names) way(way []data.Step, key []byte, schema *yang.Schema) ([]data.Step, error) {
	way, err := n.steps(way, schema, schema.Root, key)
	if err == nil && len(way) == 0 {
		err = fmt.Errorf("%w: an empty key", kv.ErrDamaged)
	}
	return way, err
}

// steps reads the part of a key that leads on from a schema node.
func (n *names) steps(way []data.Step, schema *yang.Schema, at *yang.Node, key []byte) ([]data.Step, error) {
	for len(key) > 0 {
		if len(key) < 2 {
			return nil, fmt.Errorf("%w: a key ends within a name", kv.ErrDamaged)
		}
		next, err := n.child(schema, at, int(binary.BigEndian.Uint16(key)))
		if err != nil {
			return nil, err
		}
		key = key[2:]
		step := data.Step{Schema: next}
		if next.Multiple() {
			text, rest, ok := cutKey(key)
			if !ok {
				return nil, fmt.Errorf("%w: the key of an entry of %s has no end", kv.ErrDamaged, next.Path())
			}
			step.Key, key = text, rest
		}
		way, at = append(way, step), next
	}
	return way, nil
}

// child is the child of a schema node that a number stands for.
func (n *names) child(schema *yang.Schema, at *yang.Node, number int) (*yang.Node, error) {
	name, ok := n.name[uint16(number)]
	if !ok || number > 0xFFFF {
		return nil, fmt.Errorf("%w: a key with an unknown name", kv.ErrDamaged)
	}
	module, local, _ := strings.Cut(name, ":")
	if m := schema.Module(module); m != nil {
		if next := at.Child(m, local); next != nil {
			return next, nil
		}
	}
	return nil, fmt.Errorf("the store holds %s below %s, which the schema of this version does not have", name, at.Path())
}

func cutKey(b []byte) (text string, rest []byte, ok bool) {
	var out []byte
	for i := 0; i+1 < len(b); i++ {
		if b[i] != 0 {
			continue
		}
		out = append(out, b[:i]...)
		switch b[i+1] {
		case 0:
			return string(out), b[i+2:], true
		case 1:
			out = append(out, 0)
			b = b[i+2:]
			i = -1
		default:
			return "", nil, false
		}
	}
	return "", nil, false
}
