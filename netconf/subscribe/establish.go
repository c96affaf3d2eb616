package subscribe

import (
	"context"
	"time"

	"incidentd/netconf"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// establish answers <establish-subscription> [RFC 8639 section 2.4.2].
func (p *Publisher) establish(_ context.Context, r *netconf.Request) (*netconf.Reply, error) {
	t := &Terms{Policy: withEncoding(p.policy(r.Input)), Request: "establish-subscription", Snapshot: p.store.Snapshot(), Access: r.Access}
	var err error
	if t.Stop, err = timeOf(t.Policy, "stop-time"); err != nil {
		return nil, err
	}
	if !t.Stop.IsZero() && !t.Policy.Has("replay-start-time") && !t.Stop.After(time.Now()) {
		return nil, invalidParameter(t, "stop-time", "the stop-time is not in the future")
	}
	if err := checkEncoding(t.Policy); err != nil {
		return nil, err
	}
	target, err := p.target(t)
	if err != nil {
		return nil, err
	}
	s := &Subscription{publisher: p, session: r.Session, encoding: encodingOf(t.Policy), policy: t.Policy, stop: t.Stop, target: target}
	if err := p.enter(s); err != nil {
		return nil, err
	}
	out := r.Output().Uint("id", uint64(s.id))
	if start, revised := replayStart(target); revised {
		out.Time("replay-start-time-revision", start)
	}
	return &netconf.Reply{Output: out.Node(), Then: s.start}, nil
}

// target makes the target of a policy, of whatever kind.
func (p *Publisher) target(t *Terms) (Target, error) {
	if k := p.kind(t.Policy); k != nil {
		return k.New(t)
	}
	return nil, rpcerr.New(rpcerr.Application, rpcerr.TagOperationNotSupported, "no subscription can have this target")
}

// kind is that of a policy; nil when there is none.
func (p *Publisher) kind(policy *data.Node) *Kind {
	for i := range p.kinds {
		if policy.Has(p.kinds[i].Leaf) {
			return &p.kinds[i]
		}
	}
	return nil
}

// policy are the parameters of a request as an entry of the list of subscriptions, which
// has no id yet.
func (p *Publisher) policy(input *data.Node) *data.Node {
	return data.Rebind(input, p.nodes.subscription)
}

// withEncoding is a policy that names its encoding: by default that of the request.
func withEncoding(policy *data.Node) *data.Node {
	if policy.Has("encoding") {
		return policy
	}
	return policy.With(data.NewLeaf(policy.Schema().ChildNamed("encoding"), module+":encode-xml"))
}

func replayStart(t Target) (start time.Time, revised bool) {
	if r, ok := t.(Replayer); ok {
		return r.ReplayStart()
	}
	return time.Time{}, false
}

// invalidParameter refuses the value of a parameter.
func invalidParameter(t *Terms, parameter, format string, args ...any) *rpcerr.Error {
	return rpcerr.New(rpcerr.Application, rpcerr.TagInvalidValue, format, args...).At(t.path(parameter))
}

// path is that of a parameter of the request.
func (t *Terms) path(parameter string) rpcerr.Path {
	return rpcerr.Path{Expr: "/sn:" + t.Request + "/sn:" + parameter, Prefixes: []rpcerr.Prefix{{Prefix: "sn", Namespace: namespace}}}
}
