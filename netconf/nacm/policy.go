package nacm

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"incidentd/yang"
	"incidentd/yang/data"
)

// policy is the content of /nacm, compiled. It never changes.
type policy struct {
	schema   *yang.Schema
	config   *data.Node // what it was compiled from
	enabled  bool
	defaults [operations]bool
	external bool
	groups   map[string][]string // of a user
	lists    []ruleList
	// faults say which rules are left out.
	faults []error

	denied *counters

	mu       sync.Mutex
	accesses map[string]*Access // mu; by user and external groups
}

// ruleList is an entry of the list rule-list.
type ruleList struct {
	name   string
	groups []string
	rules  []*rule
}

// mostAccesses bounds how many are kept: external groups may differ from session to
// session.
const mostAccesses = 4096

// compile reads the container nacm; nil is one without content.
func compile(schema *yang.Schema, config *data.Node, denied *counters) *policy {
	p := &policy{schema: schema, config: config, groups: map[string][]string{}, denied: denied, accesses: map[string]*Access{}}
	is := func(leaf, value string, otherwise bool) bool {
		if v := config.Leaf(leaf); v != "" {
			return v == value
		}
		return otherwise
	}
	p.enabled = is("enable-nacm", "true", true)
	p.external = is("enable-external-groups", "true", true)
	write := is("write-default", "permit", false)
	p.defaults = [operations]bool{Create: write, Update: write, Delete: write,
		Read: is("read-default", "permit", true), Exec: is("exec-default", "permit", true)}
	for g := range config.Child("groups").Entries("group") {
		for u := range g.Entries("user-name") {
			p.groups[u.Value()] = append(p.groups[u.Value()], g.Leaf("name"))
		}
	}
	order := 0
	for l := range config.Entries("rule-list") {
		list := ruleList{name: l.Leaf("name"), groups: l.Values("group")}
		for n := range l.Entries("rule") {
			order++
			r, err := newRule(schema, list.name, n)
			if err != nil {
				p.faults = append(p.faults, fmt.Errorf("rule-list %s: rule %s: %w", list.name, n.Leaf("name"), err))
				continue
			}
			r.order = order
			list.rules = append(list.rules, r)
		}
		p.lists = append(p.lists, list)
	}
	return p
}

// access is what a user may do; nil when access is not controlled.
func (p *policy) access(user string, external []string) *Access {
	if !p.enabled {
		return nil
	}
	key := user
	if len(external) > 0 && p.external {
		key += "\x00" + strings.Join(external, "\x00")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.accesses[key]
	if a == nil {
		if len(p.accesses) >= mostAccesses {
			clear(p.accesses)
		}
		a = newAccess(p, user, p.groupsOf(user, external))
		p.accesses[key] = a
	}
	return a
}

// groupsOf are the groups that a user is in, sorted.
func (p *policy) groupsOf(user string, external []string) []string {
	groups := slices.Clone(p.groups[user])
	if p.external {
		groups = append(groups, external...)
	}
	slices.Sort(groups)
	return slices.Compact(groups)
}

// rulesFor are the rules for some groups, in order. A user of no group has none [RFC
// 8341 section 3.4.4 step 5].
func (p *policy) rulesFor(groups []string) []*rule {
	if len(groups) == 0 {
		return nil
	}
	var rules []*rule
	for _, l := range p.lists {
		if !slices.ContainsFunc(l.groups, func(g string) bool { return g == any || slices.Contains(groups, g) }) {
			continue
		}
		for _, r := range l.rules {
			rules = append(rules, r)
			if r.total() {
				return rules
			}
		}
	}
	return rules
}
