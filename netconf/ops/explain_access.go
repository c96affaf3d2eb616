package ops

import (
	"context"
	"strings"

	"incidentd/netconf"
	"incidentd/netconf/nacm"
	"incidentd/yang"
	"incidentd/yang/rpcerr"
)

// explainAccess answers explain-access of incidentd-access.
func (o *operations) explainAccess(_ context.Context, r *netconf.Request) (*netconf.Reply, error) {
	q := nacm.Query{User: r.Session.User(), Groups: r.Input.Values("group")}
	other := r.Input.Has("user") && r.Input.Leaf("user") != q.User
	switch {
	case (other || len(q.Groups) > 0) && !o.access.MayExplain(r.Access):
		return nil, rpcerr.AccessDenied("without the right to read /nacm:nacm the user %s may not ask about other users or groups", q.User)
	case other:
		q.User = r.Input.Leaf("user")
	case len(q.Groups) == 0:
		q.Groups = r.Session.Groups()
	}
	if err := o.askedFor(r, &q); err != nil {
		return nil, err
	}
	e := o.access.Explain(q)
	b := r.Output()
	b.Leaf("decision", map[bool]string{true: "permit", false: "deny"}[e.Permit])
	for _, g := range e.Groups {
		b.Leaf("group", g)
	}
	b.Leaf("reason", string(e.Reason))
	if e.Reason == nacm.ByRule {
		rule := b.Container("rule").Leaf("rule-list", e.RuleList).Leaf("name", e.Rule)
		for _, g := range e.RuleGroups {
			rule.Leaf("group", g)
		}
	}
	if e.Node != nil {
		b.Leaf("node", e.Node.String())
	}
	b.Leaf("explanation", e.Text)
	return &netconf.Reply{Output: b.Node()}, nil
}

// askedFor puts what is asked for into a query, if it makes sense.
func (o *operations) askedFor(r *netconf.Request, q *nacm.Query) error {
	in := r.Input
	operation := in.Leaf("operation")
	q.Access, _ = nacm.ParseOperation(operation)
	if operation == "notify" {
		q.Access = nacm.Read
	}
	wrong := func(leaf, format string, args ...any) error {
		return rpcerr.InvalidValue(format, args...).WithInfo("", "bad-element", leaf)
	}
	if name := in.Leaf("name"); name != "" {
		module, local, _ := strings.Cut(name, ":")
		switch operation {
		case "exec":
			q.Operation = o.schema.RPC(module, local)
		case "notify":
			q.Operation = o.schema.Notification(module, local)
		default:
			return wrong("operation", "%s is for data; what has a name is for exec or notify", operation)
		}
		if q.Operation == nil {
			return wrong("name", "there is no such %s", map[string]string{"exec": "rpc", "notify": "notification"}[operation])
		}
		return nil
	}
	var err error
	if q.Path, err = o.schema.PathPattern(in.Leaf("path")); err != nil {
		return wrong("path", "%v", err)
	}
	kind := yang.Root
	for _, step := range q.Path {
		kind = step.Node.Kind
		if n := len(step.Tests); step.Position > 0 || n > 0 && kind == yang.List && n != len(step.Node.Keys) {
			return wrong("path", "the entry of %s needs either all keys or none", step.Node.Name)
		}
	}
	want := map[yang.Kind]string{yang.Action: "exec", yang.Notification: "notify"}[kind]
	if want == "" && (operation == "exec" || operation == "notify") || want != "" && want != operation {
		return wrong("operation", "%s is not for what the path leads to", operation)
	}
	return nil
}
