package data

import (
	"slices"
	"strings"
	"sync"

	"incidentd/yang"
)

// set holds the entries of one list or leaf-list. It is immutable but for its
// owner: an edit passes one owner to all its changes, and what it made itself it
// changes in place.
type set struct {
	root   *page // sorted by key, see compare; nil in a sequence
	n      int
	seq    []*Node // where the user orders or there is no key
	byUser bool
	owner  *owner
	index  *seqIndex
}

// owner marks the pages that one edit made.
type owner struct{ _ byte }

// pageSize is the most entries or pages a page holds.
const pageSize = 64

// page is a page of a B+tree: entries in a leaf, pages above.
type page struct {
	owner *owner
	items []*Node
	pages []*page
	n     int // entries below pages
}

// count is the number of entries in a page and below it.
func (p *page) count() int {
	if len(p.pages) == 0 {
		return len(p.items)
	}
	return p.n
}

// branch makes a page of pages.
func branch(o *owner, pages []*page) *page {
	p := &page{owner: o, pages: pages}
	for _, c := range pages {
		p.n += c.count()
	}
	return p
}

// seqIndex finds the entries of a long sequence; it is made at the first search.
type seqIndex struct {
	once   sync.Once
	at     map[string]int // nil until it is made
	placed sync.Once
	places map[*Node]int // nil until it is made
}

func newSet(s *yang.Node) *set {
	if s.UserOrdered || keyless(s) {
		return &set{byUser: true, index: new(seqIndex)}
	}
	return &set{root: new(page)}
}

func (s *set) len() int {
	if s.byUser {
		return len(s.seq)
	}
	return s.n
}

func (s *set) each(yield func(*Node) bool) bool {
	if s.byUser {
		for _, e := range s.seq {
			if !yield(e) {
				return false
			}
		}
		return true
	}
	return s.root.each(yield)
}

func (p *page) each(yield func(*Node) bool) bool {
	for _, e := range p.items {
		if !yield(e) {
			return false
		}
	}
	for _, c := range p.pages {
		if !c.each(yield) {
			return false
		}
	}
	return true
}

// eachFrom yields the entries from a key on.
func (p *page) eachFrom(key string, yield func(*Node) bool) bool {
	if len(p.pages) == 0 {
		i, _ := p.item(key)
		for _, e := range p.items[i:] {
			if !yield(e) {
				return false
			}
		}
		return true
	}
	i := p.child(key)
	if !p.pages[i].eachFrom(key, yield) {
		return false
	}
	for _, c := range p.pages[i+1:] {
		if !c.each(yield) {
			return false
		}
	}
	return true
}

func (s *set) get(key string) *Node {
	if s.byUser {
		if i := s.find(key); i >= 0 {
			return s.seq[i]
		}
		return nil
	}
	p := s.root
	for len(p.pages) > 0 {
		p = p.pages[p.child(key)]
	}
	if i, ok := p.item(key); ok {
		return p.items[i]
	}
	return nil
}

// from yields the entries from a place on, of which the first is 0, or from there back
// to the first.
func (s *set) from(place int, backwards bool, yield func(*Node) bool) {
	switch {
	case place < 0 || place >= s.len():
	case !s.byUser:
		s.root.from(place, backwards, yield)
	case backwards:
		for ; place >= 0 && yield(s.seq[place]); place-- {
		}
	default:
		for ; place < len(s.seq) && yield(s.seq[place]); place++ {
		}
	}
}

// from skips whole pages by their count.
func (p *page) from(place int, backwards bool, yield func(*Node) bool) bool {
	if len(p.pages) == 0 {
		for step := direction(backwards); place >= 0 && place < len(p.items); place += step {
			if !yield(p.items[place]) {
				return false
			}
		}
		return true
	}
	i := 0
	for ; place >= p.pages[i].count(); i++ {
		place -= p.pages[i].count()
	}
	for step := direction(backwards); i >= 0 && i < len(p.pages); {
		if !p.pages[i].from(place, backwards, yield) {
			return false
		}
		if i, place = i+step, 0; backwards && i >= 0 {
			place = p.pages[i].count() - 1
		}
	}
	return true
}

func direction(backwards bool) int {
	if backwards {
		return -1
	}
	return 1
}

// rank is the place of a key, -1 without one.
func (s *set) rank(key string) int {
	if s.byUser {
		return s.find(key)
	}
	rank, p := 0, s.root
	for len(p.pages) > 0 {
		i := p.child(key)
		for _, before := range p.pages[:i] {
			rank += before.count()
		}
		p = p.pages[i]
	}
	if i, ok := p.item(key); ok {
		return rank + i
	}
	return -1
}

// find is the place of a key in a sequence, -1 without one.
func (s *set) find(key string) int {
	if len(s.seq) < 16 {
		return slices.IndexFunc(s.seq, func(e *Node) bool { return e.text == key })
	}
	s.index.once.Do(func() {
		s.index.at = make(map[string]int, len(s.seq))
		for i := len(s.seq) - 1; i >= 0; i-- {
			s.index.at[s.seq[i].text] = i
		}
	})
	if i, ok := s.index.at[key]; ok {
		return i
	}
	return -1
}

// place is the place of an entry in a sequence; one that is not in it comes last.
func (s *set) place(e *Node) int {
	s.index.placed.Do(func() {
		s.index.places = make(map[*Node]int, len(s.seq))
		for i, e := range s.seq {
			s.index.places[e] = i
		}
	})
	if i, ok := s.index.places[e]; ok {
		return i
	}
	return len(s.seq)
}

// first is the first entry of a page.
func (p *page) first() *Node {
	for len(p.pages) > 0 {
		p = p.pages[0]
	}
	return p.items[0]
}

// compare tells where an entry that the system orders stands beside a key: before it
// when the result is negative.
func (n *Node) compare(key string) int {
	if n.schema.NewestFirst {
		return compareTimes(key, n.text)
	}
	return strings.Compare(n.text, key)
}

// compareTimes compares two values of date-and-time in UTC, whose precision may differ.
func compareTimes(a, b string) int {
	return strings.Compare(strings.TrimSuffix(a, "Z"), strings.TrimSuffix(b, "Z"))
}

// child is the index of the page that holds a key, if any does.
func (p *page) child(key string) int {
	lo, hi := 0, len(p.pages)-1
	if p.pages[hi].first().compare(key) <= 0 { // as when entries come in order
		return hi
	}
	for lo < hi {
		mid := (lo + hi + 1) / 2
		if p.pages[mid].first().compare(key) <= 0 {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	return lo
}

func (p *page) item(key string) (int, bool) {
	if n := len(p.items); n > 0 && p.items[n-1].compare(key) < 0 {
		return n, false
	}
	return slices.BinarySearchFunc(p.items, key, (*Node).compare)
}

// own returns the page itself when the edit made it, else a copy.
func (p *page) own(o *owner) *page {
	if p.owner == o {
		return p
	}
	return &page{owner: o, items: slices.Clone(p.items), pages: slices.Clone(p.pages), n: p.n}
}

// put returns the set with an entry, which replaces one of the same key. In a
// sequence a new entry goes last; entries without a key are always new.
func (s *set) put(o *owner, e *Node) *set {
	if s.byUser {
		at := -1
		if !keyless(e.schema) {
			at = s.find(e.text)
		}
		if s.owner != o {
			s = &set{byUser: true, owner: o, seq: slices.Clone(s.seq), index: new(seqIndex)}
		}
		if at >= 0 {
			s.seq[at] = e
			return s
		}
		s.seq = append(s.seq, e)
		if s.index.at != nil {
			if _, ok := s.index.at[e.text]; !ok {
				s.index.at[e.text] = len(s.seq) - 1
			}
		}
		return s
	}
	if s.owner != o {
		s = &set{root: s.root, n: s.n, owner: o}
	}
	root, right, added := s.root.put(o, e)
	if right != nil {
		root = branch(o, []*page{root, right})
	}
	s.root = root
	if added {
		s.n++
	}
	return s
}

// put returns the changed page, and a second one when it had to be split.
func (p *page) put(o *owner, e *Node) (*page, *page, bool) {
	c := p.own(o)
	if len(c.pages) > 0 {
		i := c.child(e.text)
		left, right, added := c.pages[i].put(o, e)
		c.pages[i] = left
		if added {
			c.n++
		}
		if right == nil {
			return c, nil, added
		}
		c.pages = slices.Insert(c.pages, i+1, right)
		if len(c.pages) <= pageSize {
			return c, nil, added
		}
		at := splitAt(len(c.pages), i+1)
		r := branch(o, slices.Clone(c.pages[at:]))
		c.pages = slices.Clip(c.pages[:at])
		c.n -= r.n
		return c, r, added
	}
	i, ok := c.item(e.text)
	if ok {
		c.items[i] = e
		return c, nil, false
	}
	c.items = slices.Insert(c.items, i, e)
	if len(c.items) <= pageSize {
		return c, nil, true
	}
	at := splitAt(len(c.items), i)
	r := &page{owner: o, items: slices.Clone(c.items[at:])}
	c.items = slices.Clip(c.items[:at])
	return c, r, true
}

// splitAt splits in the middle, or near the end when the last was added, so that
// entries added in order fill their pages.
func splitAt(n, added int) int {
	if added == n-1 {
		return n - 1
	}
	return n / 2
}

// delete returns the set without a key.
func (s *set) delete(o *owner, key string) *set {
	if s.byUser {
		// Not find: its index would be made anew for each of many deletions.
		i := slices.IndexFunc(s.seq, func(e *Node) bool { return e.text == key })
		if i < 0 {
			return s
		}
		seq := s.seq
		if s.owner != o {
			seq = slices.Clone(seq)
		}
		return &set{byUser: true, owner: o, seq: slices.Delete(seq, i, i+1), index: new(seqIndex)}
	}
	if s.get(key) == nil {
		return s
	}
	root := s.root.delete(o, key)
	for len(root.pages) == 1 {
		root = root.pages[0]
	}
	return &set{root: root, n: s.n - 1, owner: o}
}

// delete removes a key that is there. Empty pages go; small ones are joined with
// their neighbour.
func (p *page) delete(o *owner, key string) *page {
	c := p.own(o)
	if len(c.pages) == 0 {
		i, _ := c.item(key)
		c.items = slices.Delete(c.items, i, i+1)
		return c
	}
	i := c.child(key)
	c.pages[i] = c.pages[i].delete(o, key)
	c.n--
	if c.pages[i].size() == 0 {
		c.pages = slices.Delete(c.pages, i, i+1)
		return c
	}
	if i+1 == len(c.pages) {
		i--
	}
	if i >= 0 && c.pages[i].size()+c.pages[i+1].size() <= pageSize/2 {
		l, r := c.pages[i].own(o), c.pages[i+1]
		l.items = append(l.items, r.items...)
		l.pages = append(l.pages, r.pages...)
		l.n += r.n
		c.pages[i] = l
		c.pages = slices.Delete(c.pages, i+1, i+2)
	}
	return c
}

func (p *page) size() int { return len(p.items) + len(p.pages) }

// diffSets calls visit for each entry that is in one set only or differs by
// pointer. What two trees of pages share is skipped.
func diffSets(a, b *set, visit func(old, new *Node) bool) bool {
	switch {
	case a == b:
		return true
	case a == nil:
		return b.each(func(e *Node) bool { return visit(nil, e) })
	case b == nil:
		return a.each(func(e *Node) bool { return visit(e, nil) })
	case a.byUser:
		return diffSequences(a, b, visit)
	}
	return diffPages([]*page{a.root}, []*page{b.root}, visit)
}

// diffPages compares two rows of pages. Where both have a page that begins with
// the same key, what is before is compared apart, so that the cost is that of the
// pages that differ.
func diffPages(a, b []*page, visit func(old, new *Node) bool) bool {
	for len(a) > 0 || len(b) > 0 {
		if len(a) > 0 && len(b) > 0 && a[0] == b[0] {
			a, b = a[1:], b[1:]
			continue
		}
		if deeper := height(a) - height(b); deeper > 0 {
			a = open(a)
			continue
		} else if deeper < 0 {
			b = open(b)
			continue
		}
		i, j := boundary(a, b)
		ok := false
		if height(a) > 0 {
			ok = diffPages(open(a[:i]), open(b[:j]), visit)
		} else {
			ok = diffItems(items(a[:i]), items(b[:j]), visit)
		}
		if !ok {
			return false
		}
		a, b = a[i:], b[j:]
	}
	return true
}

// boundary is how many pages of each row come before the first key at which
// pages of both begin, at least one of each row that has any.
func boundary(a, b []*page) (i, j int) {
	i, j = min(1, len(a)), min(1, len(b))
	for i < len(a) || j < len(b) {
		switch {
		case i == len(a):
			return i, len(b)
		case j == len(b):
			return len(a), j
		}
		switch c := a[i].first().compare(b[j].first().text); {
		case c == 0:
			return i, j
		case c < 0:
			i++
		default:
			j++
		}
	}
	return i, j
}

func height(ps []*page) int {
	if len(ps) == 0 {
		return 0
	}
	h := 0
	for p := ps[0]; len(p.pages) > 0; p = p.pages[0] {
		h++
	}
	return h
}

func open(ps []*page) (out []*page) {
	for _, p := range ps {
		out = append(out, p.pages...)
	}
	return out
}

func items(ps []*page) (out []*Node) {
	for _, p := range ps {
		out = append(out, p.items...)
	}
	return out
}

func diffItems(a, b []*Node, visit func(old, new *Node) bool) bool {
	for len(a) > 0 || len(b) > 0 {
		if len(a) > 0 && len(b) > 0 && a[0] == b[0] { // most are, and need not be looked at
			a, b = a[1:], b[1:]
			continue
		}
		ok := true
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].compare(b[0].text) < 0:
			ok = visit(a[0], nil)
			a = a[1:]
		case len(a) == 0 || b[0].compare(a[0].text) < 0:
			ok = visit(nil, b[0])
			b = b[1:]
		default:
			ok = visit(a[0], b[0])
			a, b = a[1:], b[1:]
		}
		if !ok {
			return false
		}
	}
	return true
}

// diffSequences tells first what is gone, then what is new or changed; an entry
// that moved counts as removed and added.
func diffSequences(a, b *set, visit func(old, new *Node) bool) bool {
	x, y := a.seq, b.seq
	for len(x) > 0 && len(y) > 0 && x[0] == y[0] {
		x, y = x[1:], y[1:]
	}
	for len(x) > 0 && len(y) > 0 && x[len(x)-1] == y[len(y)-1] {
		x, y = x[:len(x)-1], y[:len(y)-1]
	}
	if len(x) == len(y) && slices.EqualFunc(x, y, func(p, q *Node) bool { return p.text == q.text }) {
		for i := range x {
			if x[i] != y[i] && !visit(x[i], y[i]) {
				return false
			}
		}
		return true
	}
	// As many as can be stay, those that keep their order.
	stays := map[*Node]*Node{} // the old by the new
	if len(x) > 0 && len(y) > 0 && !keyless(x[0].schema) {
		at := make(map[string]int, len(x))
		for i, e := range x {
			at[e.text] = i
		}
		var both []*Node
		var places []int
		for _, e := range y {
			if i, ok := at[e.text]; ok {
				both, places = append(both, e), append(places, i)
			}
		}
		for _, i := range longestRise(places) {
			stays[both[i]] = x[places[i]]
		}
	}
	kept := make(map[*Node]bool, len(stays))
	for _, e := range stays {
		kept[e] = true
	}
	for _, e := range x {
		if !kept[e] && !visit(e, nil) {
			return false
		}
	}
	for _, e := range y {
		if old := stays[e]; old != e && !visit(old, e) {
			return false
		}
	}
	return true
}

// longestRise returns the indexes of a longest sequence of rising numbers.
func longestRise(numbers []int) []int {
	var ends []int // of sequences of each length, that with the least last number
	before := make([]int, len(numbers))
	for i, n := range numbers {
		at, _ := slices.BinarySearchFunc(ends, n, func(e, n int) int { return numbers[e] - n })
		before[i] = -1
		if at > 0 {
			before[i] = ends[at-1]
		}
		if at == len(ends) {
			ends = append(ends, i)
		} else {
			ends[at] = i
		}
	}
	out := make([]int, len(ends))
	if len(ends) > 0 {
		for i, k := len(ends)-1, ends[len(ends)-1]; i >= 0; i, k = i-1, before[k] {
			out[i] = k
		}
	}
	return out
}

// keyless reports whether entries of a schema are not told apart by a key.
func keyless(s *yang.Node) bool {
	return s.Kind == yang.List && len(s.Keys) == 0 || s.Kind == yang.LeafList && !s.Config
}
