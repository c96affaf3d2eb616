package nacm

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"incidentd/yang"
	"incidentd/yang/data"
)

// state is where a walk down a tree of data stands: at nodes of a schema node that no
// path of a rule tells apart.
type state struct {
	access *Access
	schema *yang.Node
	// deny is nacm:default-deny-* of the node or of one that it is in: "all", "write"
	// or "".
	deny string
	// rules are those that hold here, in their order, whatever their module.
	rules []*rule
	// paths are the places in the paths of rules that lead further.
	paths    []*branch
	verdicts [operations]verdict

	mu    sync.Mutex
	below map[string]*state      // mu; by the branches that lead there
	plain map[*yang.Node]*state  // mu; those of below that no test has found
	whole map[Operation]bool     // mu; see all
	forks map[*yang.Node][]*fork // mu; of paths, by the child that they lead to
	keys  map[*yang.Node]*keys   // mu; see named
}

// keys are those of the entries that paths tell from the others. known is false when only
// a look at each entry can tell.
type keys struct {
	list  []string // sorted
	known bool
}

// verdict is a decision and what it rests on: a rule, nacm:default-deny-* or a default.
type verdict struct {
	permit bool
	rule   *rule
	deny   string
}

// decide finds the verdict of the first rule that fits, or of what stands for it.
func (p *policy) decide(rules []*rule, m *yang.Module, deny string, o Operation) verdict {
	for _, r := range rules {
		if r.fits(m, o) {
			return verdict{permit: r.permit, rule: r}
		}
	}
	if deny == "all" || deny == "write" && o != Read && o != Exec {
		return verdict{deny: deny}
	}
	return verdict{permit: p.defaults[o]}
}

// branch is a place in the paths of rules: some steps have been taken.
type branch struct {
	id    string
	rules []*rule // whose path ends here
	next  map[*yang.Node]*fork
}

// fork is where paths go on to a child.
type fork struct {
	plain *branch            // to each instance; nil if none does
	exact map[string]*branch // to the entry of a key
	tests []testedBranch     // to those that pass tests
}

// testedBranch is a step whose tests do not give all keys.
type testedBranch struct {
	step yang.PathStep
	*branch
}

// newBranches makes the tree of the paths of rules.
func newBranches(rules []*rule, user string) *branch {
	n := 0
	fresh := func() *branch {
		n++
		return &branch{id: string(binaryID(n)), next: map[*yang.Node]*fork{}}
	}
	root := fresh()
	for _, r := range rules {
		if r.kind != dataNode {
			continue
		}
		at := root
		for _, step := range r.path {
			f := at.next[step.Node]
			if f == nil {
				f = &fork{exact: map[string]*branch{}}
				at.next[step.Node] = f
			}
			at = f.branch(bound(step, user), fresh)
		}
		at.rules = append(at.rules, r)
	}
	return root
}

func binaryID(n int) []byte { return []byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)} }

// bound puts the user's name into the place of the variable.
func bound(step yang.PathStep, user string) yang.PathStep {
	step.Tests = slices.Clone(step.Tests)
	for i := range step.Tests {
		if step.Tests[i].User {
			step.Tests[i] = yang.KeyTest{Key: step.Tests[i].Key, Value: user}
		}
	}
	return step
}

// branch is the one that a step leads to.
func (f *fork) branch(step yang.PathStep, fresh func() *branch) *branch {
	if len(step.Tests) == 0 && step.Position == 0 {
		if f.plain == nil {
			f.plain = fresh()
		}
		return f.plain
	}
	if key, ok := exactKey(step); ok {
		if f.exact[key] == nil {
			f.exact[key] = fresh()
		}
		return f.exact[key]
	}
	for _, t := range f.tests {
		if t.step.Position == step.Position && slices.Equal(t.step.Tests, step.Tests) {
			return t.branch
		}
	}
	t := testedBranch{step, fresh()}
	f.tests = append(f.tests, t)
	return t.branch
}

// exactKey is the key of the only entry that passes the tests of a step, when they
// tell.
func exactKey(step yang.PathStep) (string, bool) {
	keys := step.Node.Keys
	if step.Node.Kind == yang.LeafList {
		keys = []*yang.Node{step.Node}
	}
	if len(step.Tests) == 0 || len(step.Tests) != len(keys) {
		return "", false
	}
	values := make([]string, len(keys))
	for _, t := range step.Tests {
		values[slices.Index(keys, t.Key)] = t.Value
	}
	return data.Key(values...), true
}

// passes reports whether an entry passes the tests of a step. parent is the node that
// the entry is in.
func (t *testedBranch) passes(parent, n *data.Node) bool {
	if t.step.Position > 0 {
		i := 0
		for e := range parent.EntriesOf(n.Schema()) {
			if i++; e == n {
				return i == t.step.Position
			}
		}
		return false
	}
	for _, test := range t.step.Tests {
		value := n.Value()
		if test.Key != n.Schema() {
			value = n.Get(test.Key).Value()
		}
		if value != test.Value {
			return false
		}
	}
	return true
}

// newState makes a state, whose rules are those of the place above and of the branches
// that end here.
func newState(a *Access, s *yang.Node, deny string, above []*rule, at []*branch) *state {
	st := &state{access: a, schema: s, deny: denyOf(s, deny), rules: above, below: map[string]*state{}, plain: map[*yang.Node]*state{},
		whole: map[Operation]bool{}, forks: map[*yang.Node][]*fork{}, keys: map[*yang.Node]*keys{}}
	for _, b := range at {
		if len(b.rules) > 0 {
			st.rules = append(st.rules[:len(st.rules):len(st.rules)], b.rules...)
		}
		if len(b.next) > 0 {
			st.paths = append(st.paths, b)
		}
	}
	if len(st.rules) != len(above) {
		slices.SortFunc(st.rules, func(x, y *rule) int { return x.order - y.order })
	}
	for o := range Operation(operations) {
		st.verdicts[o] = a.policy.decide(st.rules, s.Module, st.deny, o)
	}
	return st
}

// denyOf is nacm:default-deny-* of a schema node, with what stands above it.
func denyOf(s *yang.Node, above string) string {
	deny := above
	up := s.DataParent()
	for ; s != nil && s != up; s = s.Parent {
		if s.Deny == "all" || deny == "" {
			deny = s.Deny
		}
	}
	return deny
}

func (s *state) permits(o Operation) bool { return s.verdicts[o].permit }

// leading are the forks of the paths that lead to a child.
func (s *state) leading(c *yang.Node) []*fork {
	if len(s.paths) == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	list, ok := s.forks[c]
	if !ok {
		for _, b := range s.paths {
			if f := b.next[c]; f != nil {
				list = append(list, f)
			}
		}
		s.forks[c] = list
	}
	return list
}

// any is the state of the children of a schema node that no test tells from the others.
func (s *state) any(c *yang.Node) *state {
	forks := s.leading(c)
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.plain[c]
	if st == nil {
		st = newState(s.access, c, s.deny, s.rules, plainOf(forks))
		s.plain[c] = st
	}
	return st
}

func plainOf(forks []*fork) []*branch {
	var list []*branch
	for _, f := range forks {
		if f.plain != nil {
			list = append(list, f.plain)
		}
	}
	return list
}

// of is the state of a child.
func (s *state) of(parent, n *data.Node) *state {
	c := n.Schema()
	var found []*branch
	forks := s.leading(c)
	for _, f := range forks {
		if b := f.exact[n.Key()]; b != nil && c.Multiple() {
			found = append(found, b)
		}
		for _, t := range f.tests {
			if t.passes(parent, n) {
				found = append(found, t.branch)
			}
		}
	}
	if len(found) == 0 {
		return s.any(c)
	}
	found = append(plainOf(forks), found...)
	var id strings.Builder
	for _, b := range found {
		id.WriteString(b.id)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.below[id.String()]
	if st == nil {
		st = newState(s.access, c, s.deny, s.rules, found)
		s.below[id.String()] = st
	}
	return st
}

// named are the keys of the entries of a child that paths tell from the others.
func (s *state) named(c *yang.Node) *keys {
	if len(s.paths) == 0 {
		return &keys{known: true}
	}
	forks := s.leading(c)
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.keys[c]
	if k != nil {
		return k
	}
	k = &keys{known: true}
	for _, f := range forks {
		k.known = k.known && len(f.tests) == 0
		k.list = slices.AppendSeq(k.list, maps.Keys(f.exact))
	}
	slices.Sort(k.list)
	k.list = slices.Compact(k.list)
	s.keys[c] = k
	return k
}

// settled reports whether one rule decides about an operation here and on everything
// below.
func (s *state) settled(o Operation) bool {
	i := slices.IndexFunc(s.rules, func(r *rule) bool { return r.operations.has(o) })
	return i >= 0 && s.rules[i].module == any && len(s.paths) == 0
}

// all reports whether an operation is permitted here and on everything below.
func (s *state) all(o Operation) bool {
	s.mu.Lock()
	known, ok := s.whole[o]
	s.mu.Unlock()
	if ok {
		return known
	}
	whole := s.permits(o)
	if !s.settled(o) {
		for _, c := range s.schema.Data {
			if !whole {
				break
			}
			k := s.named(c)
			whole = k.known && len(k.list) == 0 && s.any(c).all(o)
		}
	}
	s.mu.Lock()
	s.whole[o] = whole
	s.mu.Unlock()
	return whole
}
