package nacm

import (
	"fmt"
	"slices"
	"strings"

	"incidentd/yang"
	"incidentd/yang/data"
)

// Query asks what a user may do. It has either a Path or an Operation.
type Query struct {
	User   string
	Groups []string // that the transport would find out
	Access Operation
	// Path leads to a data node, an action or a nested notification. An entry has all
	// of its keys, or none to stand for entries that no rule names.
	Path yang.PathPattern
	// Operation is an rpc, or a notification at the top of its module.
	Operation *yang.Node
}

// Reason is what decides.
type Reason string

// The reasons of a decision.
const (
	Disabled         Reason = "disabled"
	Always           Reason = "always"
	ByRule           Reason = "rule"
	DefaultDenyAll   Reason = "default-deny-all"
	DefaultDenyWrite Reason = "default-deny-write"
	Sensitive        Reason = "sensitive"
	ByDefault        Reason = "default"
)

// Explanation answers a Query.
type Explanation struct {
	Permit bool
	Groups []string // of the user, sorted
	Reason Reason
	// RuleList and Rule are the names of the rule that decides, and RuleGroups those of
	// the user's groups, or the asterisk, by which it is for him.
	RuleList, Rule string
	RuleGroups     []string
	// Node is the node that the decision is about, where it is not the one asked for: one
	// that this is in, or a key, that may not be read.
	Node yang.PathPattern
	// Text is a sentence.
	Text string
}

// Explain tells what a user may do, and why. Nothing is counted.
func (c *Controller) Explain(q Query) *Explanation {
	p := c.policy()
	a := p.access(q.User, q.Groups)
	if a == nil {
		return &Explanation{Permit: true, Groups: p.groupsOf(q.User, q.Groups), Reason: Disabled,
			Text: "Permitted, as access is not controlled: enable-nacm is false."}
	}
	e := &Explanation{Groups: a.groups}
	v := a.explain(q, e)
	e.Permit = v.permit
	if v.rule != nil {
		e.RuleList, e.Rule = v.rule.list, v.rule.name
		for _, g := range p.lists[slices.IndexFunc(p.lists, func(l ruleList) bool { return l.name == v.rule.list })].groups {
			if g == any || slices.Contains(a.groups, g) {
				e.RuleGroups = append(e.RuleGroups, g)
			}
		}
	}
	if e.Reason == "" {
		e.Reason = v.reason()
	}
	e.Text = a.sentence(q, e)
	return e
}

func (v verdict) reason() Reason {
	switch {
	case v.rule != nil:
		return ByRule
	case v.deny == "all":
		return DefaultDenyAll
	case v.deny == "write":
		return DefaultDenyWrite
	}
	return ByDefault
}

// explain finds the verdict, and tells what the verdict does not.
func (a *Access) explain(q Query, e *Explanation) verdict {
	if n := q.Operation; n != nil {
		v := verdict{}
		if n.Kind == yang.RPC {
			v = a.exec(n)
			if v.rule == nil && v.deny == "all" && n.Deny == "" {
				e.Reason = Sensitive
			}
		} else {
			v = a.notify(n)
		}
		if v == (verdict{permit: true}) && alwaysPermitted(n) {
			e.Reason = Always
		}
		return v
	}
	// Who calls an action or gets a notification needs to read the way to it.
	reading := len(q.Path)
	if kind := kindOf(q.Path); kind == yang.Action || kind == yang.Notification {
		reading--
	} else if q.Access != Read {
		reading = 0
	}
	s := a.root
	for i, step := range q.Path {
		above := s
		s = s.along(step)
		if i < reading {
			if !s.permits(Read) {
				if i < len(q.Path)-1 {
					e.Node = q.Path[:i+1]
				}
				return s.verdicts[Read]
			}
			for _, k := range step.Node.Keys {
				if key := s.any(k); !key.permits(Read) {
					e.Node = append(slices.Clone(q.Path[:i+1]), yang.PathStep{Node: k})
					return key.verdicts[Read]
				}
			}
		}
		if step.Node.Kind == yang.Notification {
			return a.nestedIn(above, step.Node)
		}
	}
	return s.verdicts[q.Access]
}

func kindOf(p yang.PathPattern) yang.Kind {
	if len(p) == 0 {
		return yang.Root
	}
	return p[len(p)-1].Node.Kind
}

// along is the state of the instances that a step leads to.
func (s *state) along(step yang.PathStep) *state {
	key, ok := exactKey(step)
	if !ok {
		return s.any(step.Node)
	}
	if step.Node.Kind == yang.LeafList {
		return s.of(nil, data.NewLeaf(step.Node, key))
	}
	return s.of(nil, data.NewEntry(step.Node, strings.Split(key, "\x00")...))
}

// sentence says it all.
func (a *Access) sentence(q Query, e *Explanation) string {
	decision := map[bool]string{true: "Permitted", false: "Denied"}[e.Permit]
	about := ""
	if e.Node != nil {
		about = fmt.Sprintf(", as %s may not be read", e.Node)
	}
	because := ""
	switch e.Reason {
	case Always:
		because = "it always is"
	case ByRule:
		because = fmt.Sprintf("the rule %s of the rule-list %s, which is for %s, is the first that fits", e.Rule, e.RuleList, groupsText(e.RuleGroups))
	case DefaultDenyAll:
		because = "no rule fits, and nacm:default-deny-all holds there"
	case DefaultDenyWrite:
		because = "no rule fits, and nacm:default-deny-write holds there"
	case Sensitive:
		because = "no rule fits, and the operation is denied by default"
	case ByDefault:
		because = fmt.Sprintf("no rule fits, and %s is %s", defaultName(q, e), map[bool]string{true: "permit", false: "deny"}[e.Permit])
	}
	text := fmt.Sprintf("%s%s: %s.", decision, about, because)
	if len(a.groups) == 0 && e.Reason != Always {
		text += fmt.Sprintf(" %s is in no group, so no rule is for that user.", a.user)
	}
	return text
}

func groupsText(groups []string) string {
	if slices.Contains(groups, any) {
		return "everybody who is in a group"
	}
	if len(groups) == 1 {
		return "the group " + groups[0]
	}
	return "the groups " + strings.Join(groups, ", ")
}

// defaultName is the leaf that decides where no rule does.
func defaultName(q Query, e *Explanation) string {
	switch {
	case q.Access == Read || e.Node != nil:
		return "read-default"
	case q.Access == Exec:
		return "exec-default"
	}
	return "write-default"
}

// MayExplain reports whether the user may ask about others: the answers tell of the
// rules, so it takes the right to read those.
func (c *Controller) MayExplain(a *Access) bool {
	root := data.New(c.store.Schema().Root)
	return a.MayRead((&data.Loc{Node: root}).Down(data.New(c.top)))
}
