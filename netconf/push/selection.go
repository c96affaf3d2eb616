package push

import (
	"runtime"
	"slices"
	"sync"
	"weak"

	"incidentd/datastore"
	"incidentd/netconf/nacm"
	"incidentd/yang"
	"incidentd/yang/data"
)

// selectionKey says which subscriptions see the same.
type selectionKey struct {
	datastore datastore.Name
	onChange  bool
	text      string
	access    *nacm.Access // the same for the same user as long as the rules are
}

// selection is what some subscriptions see of a datastore. What it makes is kept for a
// while, as they come for it at about the same time.
type selection struct {
	publisher *publisher
	criteria  criteria
	access    *nacm.Access

	mu      sync.Mutex
	inUse   *data.Filler       // mu: puts the defaults in use into trees; nil: they have none
	roams   bool               // mu: these can change with what the filter does not touch
	source  *data.Node         // mu: the datastore that tree is of
	tree    *data.Node         // mu
	full    *contents          // mu: of a tree
	changes map[between]*patch // mu
}

// between is what a patch is made of.
type between struct {
	from, to *data.Node
	excluded changeTypes
}

// keptPatches is how many patches a selection keeps.
const keptPatches = 32

// selection returns the one of criteria and rights, which lives as long as somebody has
// it.
func (p *publisher) selection(c *criteria, access *nacm.Access) *selection {
	key := selectionKey{c.datastore, c.onChange, c.text, access}
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.selections[key].Value(); s != nil {
		return s
	}
	s := &selection{publisher: p, criteria: *c, access: access, changes: map[between]*patch{}}
	s.begin()
	p.selections[key] = weak.Make(s)
	runtime.AddCleanup(s, p.forget, key)
	return s
}

// begin prepares for the defaults in use, which the operational datastore has [RFC 8342
// section 5.3].
func (s *selection) begin() {
	if s.criteria.datastore != datastore.Operational {
		return
	}
	s.inUse = &data.Filler{Schema: s.publisher.schema}
	if s.access != nil {
		s.inUse.Readable = func(parent *data.Loc, child *yang.Node) bool { return s.access.MayRead(parent.Down(data.New(child))) }
	}
	if s.criteria.onChange {
		silent := s.publisher.provided()
		s.inUse.Ignore = func(n *yang.Node) bool { return silent[n] }
	}
	s.roams = slices.ContainsFunc(s.criteria.tops, s.inUse.Roams)
}

// forget takes out a selection that nobody has any more.
func (p *publisher) forget(key selectionKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.selections[key].Value() == nil {
		delete(p.selections, key)
	}
}

// at is what is selected of a snapshot; empty, not nil, when that is nothing. The error is
// that of data.Filter.Select.
func (s *selection) at(snap *datastore.Snapshot) (*data.Node, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	source := snap.Datastore(s.criteria.datastore)
	if s.criteria.datastore == datastore.Operational && !s.criteria.onChange {
		source = s.publisher.store.InUse(snap, s.criteria.filter)
	}
	if s.tree != nil && s.unchanged(source) {
		return s.tree, nil
	}
	visible := source
	if s.access != nil {
		visible = s.access.Read(s.criteria.filter.Narrow(source))
	}
	tree, err := s.selected(visible, source)
	if err != nil {
		return nil, err
	}
	s.source, s.tree = source, tree
	return tree, nil
}

// selected applies the filter to what may be read of a source, nil for nothing.
func (s *selection) selected(tree, source *data.Node) (*data.Node, error) {
	mode, empty := data.Explicit, data.New(s.publisher.schema.Root)
	if s.inUse != nil {
		mode = data.ReportAll
	}
	if tree == nil {
		tree = empty // which may have defaults
	}
	tree, err := s.criteria.filter.Select(tree, mode)
	switch {
	case err != nil:
		return nil, err
	case tree == nil:
		return empty, nil
	case s.inUse != nil:
		return s.inUse.Fill(tree, source), nil
	}
	return tree, nil
}

// unchanged reports whether a state of the datastore has all that the selection depends on
// in common with the last one.
func (s *selection) unchanged(source *data.Node) bool {
	if source == s.source || s.roams {
		return source == s.source
	}
	for _, top := range s.criteria.tops {
		if top.Multiple() || s.source.Get(top) != source.Get(top) {
			return false
		}
	}
	return true
}

// contents is a tree as it is sent.
func (s *selection) contents(tree *data.Node) *contents {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full == nil || s.full.tree != tree {
		s.full = newContents(tree)
	}
	return s.full
}

// patch is how one tree becomes another.
func (s *selection) patch(from, to *data.Node, excluded changeTypes) *patch {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := between{from, to, excluded}
	if p := s.changes[key]; p != nil {
		return p
	}
	if len(s.changes) >= keptPatches {
		clear(s.changes)
	}
	edits, withheld := difference(from, to).without(excluded)
	p := s.publisher.newPatch(edits)
	p.withheld = withheld
	s.changes[key] = p
	return p
}
