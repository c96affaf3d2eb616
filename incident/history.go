package incident

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"incidentd/datastore"
	"incidentd/datastore/kv"
	"incidentd/incident/correlate"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/xmltext"
)

// tableHistory has the cleared incidents, by their serial numbers.
const tableHistory = "incident-history"

// past is a row of the history: what queries ask for, in front, and the incident and its
// explanation as XML.
type past struct {
	raised, cleared    time.Time
	services, nodes    []string
	entry, explanation []byte
}

// append writes a row: two times in nanoseconds, and then each text with its length, a
// varint, before it; lists have their number of texts.
func (p *past) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(p.raised.UnixNano()))
	b = binary.BigEndian.AppendUint64(b, uint64(p.cleared.UnixNano()))
	for _, list := range [][]string{p.services, p.nodes} {
		b = binary.AppendUvarint(b, uint64(len(list)))
		for _, s := range list {
			b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
		}
	}
	for _, x := range [][]byte{p.entry, p.explanation} {
		b = append(binary.AppendUvarint(b, uint64(len(x))), x...)
	}
	return b
}

// errRow is for a row that nobody has written so.
var errRow = fmt.Errorf("%w: a row of the history of incidents is cut short", kv.ErrDamaged)

// parsePast reads a row. It keeps parts of it.
func parsePast(b []byte) (p past, err error) {
	if len(b) < 16 {
		return p, errRow
	}
	p.raised, p.cleared, b = unixNano(b), unixNano(b[8:]), b[16:]
	text := func() (t []byte) {
		n, w := binary.Uvarint(b)
		if w <= 0 || n > uint64(len(b)-w) {
			err = errRow
			return nil
		}
		t, b = b[w:w+int(n)], b[w+int(n):]
		return t
	}
	for _, list := range []*[]string{&p.services, &p.nodes} {
		n, w := binary.Uvarint(b)
		if w <= 0 || n > uint64(len(b)) {
			return p, errRow
		}
		b = b[w:]
		for range n {
			*list = append(*list, string(text()))
			if err != nil {
				return p, err
			}
		}
	}
	p.entry, p.explanation = text(), text()
	return p, err
}

// remember puts a cleared incident into the history, with what explains it, nil to leave
// that as it is.
func (m *Manager) remember(tx *datastore.Tx, inc *data.Node, explanation *data.Node) {
	key := place(serialOf(inc.Leaf("csn")))
	row := past{services: inc.Values("service-instance"), nodes: m.schema.nodesIn(inc)}
	row.raised, _ = parseTime(inc.Leaf("raise-time"))
	row.cleared, _ = parseTime(inc.Leaf("clear-time"))
	row.entry = data.AppendXML(nil, data.New(m.schema.incidents).With(inc), "")
	before := tx.Get(tableHistory, key)
	switch {
	case explanation != nil:
		row.explanation = data.AppendChildrenXML(nil, explanation, "")
	case before != nil:
		if p, err := parsePast(before); err == nil {
			row.explanation = p.explanation
		}
	}
	tx.Put(tableHistory, key, row.append(nil))
	if before == nil {
		m.count(tx, func(f *figures) { f.history++ })
	}
}

// adopt puts the cleared incidents of a server without a history into the history.
func (m *Manager) adopt(tx *datastore.Tx) {
	for inc := range tx.State().Get(m.schema.incidents).EntriesOf(m.schema.list) {
		if inc.Leaf("status") == "cleared" && tx.Get(tableHistory, place(serialOf(inc.Leaf("csn")))) == nil {
			m.remember(tx, inc, m.schema.explainEntry(inc))
		}
	}
}

// count changes the figures with a transaction.
func (m *Manager) count(tx *datastore.Tx, change func(*figures)) {
	before := m.figures.Load()
	after := *before
	change(&after)
	m.figures.Store(&after)
	tx.OnAbort(func() { m.figures.Store(before) })
}

// nodesIn are the nodes among the sources and root causes of an incident, sorted.
func (s *schema) nodesIn(inc *data.Node) []string {
	var nodes []string
	for e := range inc.Child("sources").Entries("source") {
		nodes = append(nodes, e.Leaf("node"))
	}
	for e := range inc.Child("root-causes").Entries("root-cause") {
		nodes = append(nodes, e.Leaf("node"))
	}
	slices.Sort(nodes)
	return slices.Compact(nodes)
}

// remembered is the incident of a row.
func (m *Manager) remembered(p *past) (*data.Node, error) {
	n, err := m.parse(p.entry, m.schema.incidents)
	if err != nil {
		return nil, fmt.Errorf("an incident of the history: %w", err)
	}
	for e := range n.EntriesOf(m.schema.list) {
		return e, nil
	}
	return nil, fmt.Errorf("an incident of the history: %w", errRow)
}

// parse reads an element as a schema node has it.
func (m *Manager) parse(text []byte, as *yang.Node) (*data.Node, error) {
	d := xmltext.NewDecoder(text, xmltext.Limits{})
	if _, err := d.Next(); err != nil {
		return nil, err
	}
	p := data.Parser{Schema: m.store.Schema(), State: true}
	return p.Parse(d, as)
}

// inHistory finds the row of an incident-id; false if there is none.
func (m *Manager) inHistory(id string) (p past, ok bool, err error) {
	no, ok := numberOf(id)
	if !ok {
		return p, false, nil
	}
	found := false
	scan := m.store.Read(tableHistory, place(no), place(no+1), func(_, v []byte) bool {
		found = true
		p, err = parsePast(slices.Clone(v))
		return false
	})
	return p, found, errors.Join(err, scan)
}

// numberOf is the serial number of an incident-id; false for what is none.
func numberOf(id string) (uint64, bool) {
	no := serialOf(trimID(id))
	return no, no > 0 && ID(no) == id
}

// purge removes what the history need not keep, some at a time: it looks at a piece of it
// each time it is called, and at the oldest beyond the limit.
func (m *Manager) purge(tx *datastore.Tx, keep settings) {
	const most = 2000
	excess := int(m.figures.Load().history) - keep.historyLimit
	gone, n := 0, 0
	remove := func(k []byte) {
		tx.Delete(tableHistory, slices.Clone(k))
		gone++
	}
	from := m.purged
	if excess > 0 {
		from = nil // the lowest go first
	}
	var last []byte
	for k, v := range tx.Scan(tableHistory, from, nil) {
		if n++; n > most {
			break
		}
		last = slices.Clone(k)
		if gone < excess || len(v) < 16 || tx.Now().Sub(unixNano(v[8:])) > keep.history {
			remove(k)
		}
	}
	before := m.purged
	tx.OnAbort(func() { m.purged = before })
	m.purged = nil // from the beginning again
	if n > most && last != nil {
		m.purged = append(last, 0)
	}
	if gone > 0 {
		m.count(tx, func(f *figures) { f.history -= uint64(gone); f.purged += uint64(gone) })
	}
}

// remembers counts the rows of the history.
func (m *Manager) remembers() (n uint64, err error) {
	err = m.store.Read(tableHistory, nil, nil, func(_, _ []byte) bool { n++; return true })
	return n, err
}

// cause writes a possible cause as the grouping cause of incidentd-management.
func cause(b *data.Builder, c correlate.RootCause) *data.Builder {
	return b.Text("node", c.Node).Text("resource", c.Resource).Text("cause-name", c.CauseName).Text("detail", c.Detail)
}
