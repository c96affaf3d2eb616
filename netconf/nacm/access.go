package nacm

import (
	"slices"

	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// Access is what one user may do, as the rules stand at one moment. It is immutable;
// a nil Access permits everything.
type Access struct {
	policy *policy
	user   string
	groups []string
	rules  []*rule
	root   *state
}

func newAccess(p *policy, user string, groups []string) *Access {
	a := &Access{policy: p, user: user, groups: groups, rules: p.rulesFor(groups)}
	var always []*rule
	for _, r := range a.rules {
		if r.kind == everything {
			always = append(always, r)
		}
	}
	a.root = newState(a, p.schema.Root, "", always, []*branch{newBranches(a.rules, user)})
	return a
}

// User is the name of the user.
func (a *Access) User() string { return a.user }

// Groups are those that the user is in, sorted.
func (a *Access) Groups() []string { return slices.Clone(a.groups) }

// operation decides about an rpc or a top-level notification.
func (a *Access) operation(s *yang.Node, k kind, o Operation) verdict {
	fitting := slices.DeleteFunc(slices.Clone(a.rules), func(r *rule) bool { return !r.names(k, s) })
	return a.policy.decide(fitting, s.Module, s.Deny, o)
}

// exec decides about an rpc.
func (a *Access) exec(rpc *yang.Node) verdict {
	if alwaysPermitted(rpc) {
		return verdict{permit: true}
	}
	v := a.operation(rpc, protocolOperation, Exec)
	if v.rule == nil && rpc.Module.Name == "ietf-netconf" && (rpc.Name == "kill-session" || rpc.Name == "delete-config") {
		// The module has no extension for it [RFC 8341 section 3.4.4 step 11].
		return verdict{deny: "all"}
	}
	return v
}

// alwaysPermitted reports whether everybody may end his session, or be told of the end
// of a replay or a subscription [RFC 8341 sections 3.4.4 and 3.4.6].
func alwaysPermitted(s *yang.Node) bool {
	switch s.QName() {
	case "ietf-netconf:close-session", "nc-notifications:replayComplete", "nc-notifications:notificationComplete":
		return true
	}
	return false
}

// Exec answers access-denied unless the user may call the rpc [RFC 8341 section
// 3.1.3].
func (a *Access) Exec(rpc *yang.Node) error {
	if a == nil || a.exec(rpc).permit {
		return nil
	}
	a.policy.denied.operations.Add(1)
	return a.refuse(rpc)
}

func (a *Access) refuse(operation *yang.Node) *rpcerr.Error {
	e := rpcerr.AccessDenied("the user %s may not call %s", a.user, operation.QName())
	e.Type = rpcerr.Protocol
	return e
}

// Action answers access-denied unless the user may call an action of the node at a
// place, and read that node and those that it is in [RFC 8341 section 3.1.3].
func (a *Access) Action(at *data.Loc, action *yang.Node) error {
	if a == nil {
		return nil
	}
	if s := a.visible(at); s != nil && s.any(action).permits(Exec) {
		return nil
	}
	a.policy.denied.operations.Add(1)
	return a.refuse(action)
}

// Notify reports whether the user may receive a notification that stands at the top of
// its module [RFC 8341 section 3.4.6].
func (a *Access) Notify(s *yang.Node) bool {
	if a == nil || a.notify(s).permit {
		return true
	}
	a.policy.denied.notifications.Add(1)
	return false
}

// notify decides about a top-level notification.
func (a *Access) notify(s *yang.Node) verdict {
	if alwaysPermitted(s) {
		return verdict{permit: true}
	}
	return a.operation(s, notification, Read)
}

// NotifyAt reports whether the user may receive a notification of the node at a place:
// he must be able to read that node, those that it is in, and the notification.
func (a *Access) NotifyAt(at *data.Loc, s *yang.Node) bool {
	if a == nil {
		return true
	}
	if node := a.visible(at); node != nil && a.nestedIn(node, s).permit {
		return true
	}
	a.policy.denied.notifications.Add(1)
	return false
}

// nestedIn decides about a notification of a data node, which rules may name or lead
// to.
func (a *Access) nestedIn(node *state, s *yang.Node) verdict {
	below := node.any(s)
	rules := slices.Clone(below.rules)
	for _, r := range a.rules {
		if r.kind == notification && r.names(notification, s) {
			rules = append(rules, r)
		}
	}
	slices.SortFunc(rules, func(x, y *rule) int { return x.order - y.order })
	return a.policy.decide(rules, s.Module, below.deny, Read)
}
