package audit

import (
	"hash/maphash"
	"sync/atomic"

	"incidentd/yang"
	"incidentd/yang/xmltext"
)

// memo remembers what subtree filters name: who polls sends the same one again and again.
type memo struct {
	seed  maphash.Seed
	slots [64]atomic.Pointer[named]
}

// maxRemembered is how long a filter may be, with its namespaces, that is remembered.
const maxRemembered = 1 << 10

// named is the places that a filter names. It does not change.
type named struct {
	filter string // with its namespaces
	paths  []string
	untold int // places beyond those
}

func newMemo() memo { return memo{seed: maphash.MakeSeed()} }

// places are those of a filter: the ways to its innermost elements.
func (m *memo) places(schema *yang.Schema, filter xmltext.Raw) *named {
	if len(filter.Content) > maxRemembered {
		return nameAll(schema, filter)
	}
	key := append(make([]byte, 0, 2*maxRemembered), filter.Content...)
	for _, b := range filter.Bindings {
		key = append(append(append(append(key, 0), b.Prefix...), 0), b.Space...)
	}
	if len(key) > 2*maxRemembered {
		return nameAll(schema, filter)
	}
	slot := &m.slots[maphash.Bytes(m.seed, key)%uint64(len(m.slots))]
	if n := slot.Load(); n != nil && n.filter == string(key) {
		return n
	}
	n := nameAll(schema, filter)
	n.filter = string(key)
	slot.Store(n)
	return n
}

// nameAll reads a filter.
func nameAll(schema *yang.Schema, filter xmltext.Raw) *named {
	n := new(named)
	d := filter.Decoder(xmltext.Limits{})
	var way []byte // to the element that is open
	var ends []int // of way, for each element that is open
	inner := false // the last tag was a start
	for n.untold < maxCounted {
		t, err := d.Next()
		switch {
		case err != nil || t.Kind == xmltext.EOF:
			return n
		case t.Kind == xmltext.Start:
			inner = true
			ends = append(ends, len(way))
			if len(way) > 2*maxText {
				break // deep beyond what is told
			}
			way = append(way, '/')
			if m := schema.ByNamespace(t.Space); m != nil {
				way = append(append(way, m.Prefix...), ':')
			}
			way = append(way, t.Local...)
		case t.Kind == xmltext.End:
			switch {
			case inner && len(n.paths) < maxTouched:
				n.paths = append(n.paths, bounded(string(way), maxText))
			case inner:
				n.untold++
			}
			inner = false
			way, ends = way[:ends[len(ends)-1]], ends[:len(ends)-1]
		}
	}
	return n
}
