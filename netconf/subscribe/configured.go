package subscribe

import (
	"context"
	"strconv"
	"time"

	"incidentd/datastore"
	"incidentd/netconf"
	"incidentd/yang/data"
)

// configured is a subscription of the configuration [RFC 8639 section 2.5]. The caller's
// mutex protects it.
type configured struct {
	caller *caller
	id     uint32
	policy *data.Node // its entry in running
	terms  Terms
	state  string          // configured-subscription-state
	legs   map[string]*leg // by the receiver's name
}

// leg is a subscription on its way to one receiver. The caller's mutex protects it.
type leg struct {
	of       *configured
	name     string
	instance string        // the receiver-instance; empty: none
	running  *Subscription // nil while there is no session
	sent     progress      // what running has sent
	safe     progress      // what the receiver has got, or is said to have
	saved    progress      // what is on disk
}

// updateLocked takes over the configuration.
func (s *configured) updateLocked(e *data.Node, snap *datastore.Snapshot, begin map[legKey]progress) {
	c := s.caller
	changed := s.policy != nil && !data.Equal(policyOf(s.policy), policyOf(e))
	s.policy = e
	s.terms = Terms{Policy: withEncoding(policyOf(e)), Request: "subscriptions", Snapshot: snap}
	s.terms.Stop, _ = timeOf(e, "stop-time")
	if s.state == "" || changed {
		s.state = "valid"
		// The address that a connection leaves by is the operating system's to choose.
		if _, err := c.target(&s.terms); err != nil || e.Leaf("transport") != callTransport || e.Has("source-address") {
			s.state = "invalid"
			c.config.Log.Warn("a configured subscription cannot be served", "subscription", s.id, "err", err)
		}
	}
	wanted := map[string]string{}
	for r := range e.Child("receivers").Entries("receiver") {
		wanted[r.Leaf("name")] = r.Leaf("receiver-instance-ref")
	}
	for name, l := range s.legs {
		if instance, ok := wanted[name]; !ok || instance != l.instance {
			delete(s.legs, name)
			l.removeLocked()
		}
	}
	for name, instance := range wanted {
		if s.legs[name] == nil {
			l := &leg{of: s, name: name, instance: instance}
			l.safe = begin[legKey{s.id, name}]
			s.legs[name] = l
		}
	}
	for _, l := range s.legs {
		if changed && l.running != nil {
			if s.state != "valid" {
				l.running.end(FilterUnavailable)
			} else {
				l.running.replace(s.terms)
			}
		}
	}
}

// policyOf is a configured entry without what concerns its receivers alone.
func policyOf(e *data.Node) *data.Node {
	n := data.Rebind(e, e.Schema())
	for _, name := range []string{"receivers", "source-address", "configured-replay"} {
		if s := e.Schema().ChildNamed(name); s != nil && n.Has(name) {
			n = n.Without(s, "")
		}
	}
	return n
}

// startLocked begins to send over a link, unless that is done already.
func (l *leg) startLocked(k *link) {
	s, session := l.of, k.session
	if l.running != nil || s.state != "valid" || l.instance == "" {
		return
	}
	target, err := s.caller.target(&s.terms)
	if err != nil {
		s.state = "invalid"
		return
	}
	if r, ok := target.(Resumer); ok {
		r.Resume(l.safe.next, l.safe.time)
	}
	sub := &Subscription{publisher: s.caller.Publisher, session: session, id: s.id, encoding: encodingOf(s.terms.Policy),
		policy: s.terms.Policy, stop: s.terms.Stop, target: target, leg: l}
	sub.starting.Store(true)
	sub.sent.Store(l.safe.number)
	l.sent = l.safe
	k.runs.Add(1)
	if !session.Join(func(ctx context.Context) {
		defer k.runs.Done()
		sub.run(ctx)
		l.ended(sub)
	}) {
		k.runs.Done()
		return
	}
	l.running = sub
}

// ended takes note that a run is over. What the receiver has not confirmed is sent again
// by the next one.
func (l *leg) ended(sub *Subscription) {
	c := l.of.caller
	c.mu.Lock()
	defer c.mu.Unlock()
	if l.running == sub {
		l.running = nil
	}
}

// concluded notes that the stop-time has come for a receiver.
func (l *leg) concluded() {
	c := l.of.caller
	c.mu.Lock()
	defer c.mu.Unlock()
	l.of.state = "concluded"
}

// reached notes that all records up to one were dealt with.
func (l *leg) reached(seq, number uint64, at time.Time) {
	c := l.of.caller
	c.mu.Lock()
	defer c.mu.Unlock()
	l.sent = progress{seq + 1, number, at}
}

// removeLocked ends a leg for good.
func (l *leg) removeLocked() {
	if l.running != nil {
		l.running.end(NoSuchSubscription)
	}
	l.of.caller.forgetProgress(l)
}

// entryLocked is the subscription's state.
func (s *configured) entryLocked() *data.Node {
	b := data.BuildEntry(s.caller.nodes.subscription, strconv.FormatUint(uint64(s.id), 10)).Leaf("configured-subscription-state", s.state)
	list := b.Container("receivers")
	for name, l := range s.legs {
		state, sent, excluded := "connecting", l.safe.number, uint64(0)
		switch {
		case l.running != nil:
			sent, excluded = l.running.sent.Load(), l.running.excluded.Load()
			state = l.running.state()
		case s.state != "valid" || l.instance == "":
			state = "disconnected"
		}
		list.Entry("receiver", name).Uint("sent-event-records", sent).Uint("excluded-event-records", excluded).Leaf("state", state)
	}
	return b.Node()
}

// reset answers the action reset of a receiver [RFC 8639 section 2.5.5]. The session to
// the receiver stays as it is.
func (p *Publisher) reset(_ context.Context, r *netconf.Request) (*netconf.Reply, error) {
	receiver := r.At
	id, _ := strconv.ParseUint(receiver.Parent.Parent.Node.Leaf("id"), 10, 32)
	c := p.caller
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.subscriptions[uint32(id)]; s != nil {
		if l := s.legs[receiver.Node.Leaf("name")]; l != nil && l.running != nil {
			l.running.restart()
		}
	}
	return &netconf.Reply{Output: r.Output().Time("time", time.Now()).Node()}, nil
}
