package subscribe

import (
	"context"
	"time"

	"incidentd/netconf"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// modify answers <modify-subscription> [RFC 8639 section 2.4.3]. What it does not mention
// stays as it is. The new terms hold from the reply on.
func (p *Publisher) modify(_ context.Context, r *netconf.Request) (*netconf.Reply, error) {
	id := idOf(r)
	s := p.find(id, r.Session)
	if s == nil {
		return nil, noSuchSubscription(id)
	}
	t := &Terms{Request: "modify-subscription", Snapshot: p.store.Snapshot(), Access: r.Access}
	var err error
	if t.Policy, err = data.Apply(s.policy, p.policy(r.Input), data.MergeOp); err != nil {
		return nil, err
	}
	if t.Stop, err = timeOf(t.Policy, "stop-time"); err != nil {
		return nil, err
	}
	if kind := p.kind(s.policy); kind != p.kind(t.Policy) {
		return nil, rpcerr.New(rpcerr.Application, rpcerr.TagInvalidValue, "the subscription has another target: a %s", kind.Leaf)
	}
	if r.Input.Has("stop-time") && !t.Stop.After(time.Now()) {
		return nil, invalidParameter(t, "stop-time", "the stop-time is not in the future")
	}
	s.halt()
	target, err := s.target.Modify(t)
	if err != nil {
		s.start()
		return nil, err
	}
	s.mu.Lock()
	s.policy, s.stop, s.target = t.Policy, t.Stop, target
	s.mu.Unlock()
	return &netconf.Reply{Then: s.start}, nil
}
