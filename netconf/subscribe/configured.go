package subscribe

import (
	"context"
	"errors"
	"strconv"
	"time"

	"incidentd/datastore"
	"incidentd/netconf"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// configured is a subscription of the configuration [RFC 8639 section 2.5]. The caller's
// mutex protects it.
type configured struct {
	caller *caller
	id     uint32
	policy *data.Node // its entry in running
	terms  Terms
	valid  bool            // it can be served
	legs   map[string]*leg // by the receiver's name
}

// The configured-subscription-states [RFC 8639 section 2.5.1].
const (
	stateValid     = "valid"
	stateInvalid   = "invalid"
	stateConcluded = "concluded"
)

// stateLocked is the subscription's. It is concluded when its stop-time has come, and each
// receiver has got what there was until then.
func (s *configured) stateLocked() string {
	switch {
	case !s.valid:
		return stateInvalid
	case s.terms.Stop.IsZero() || time.Now().Before(s.terms.Stop):
		return stateValid
	}
	for _, l := range s.legs {
		if !l.over() {
			return stateValid
		}
	}
	return stateConcluded
}

// leg is a subscription on its way to one receiver. The caller's mutex protects it.
type leg struct {
	of      *configured
	name    string
	route   route            // to it; without an instance: there is none
	session *netconf.Session // of running, or of what ran last
	running *Subscription    // nil while there is no session, or nothing more to send
	sent    progress         // what was sent over session
	safe    progress         // what the receiver has got, or is said to have
	saved   progress         // what is on disk
	refused bool             // what ran last was terminated; the next change of the configuration tries again
}

// over reports whether the receiver has been told that the subscription is complete. The
// caller's mutex is held.
func (l *leg) over() bool {
	stop := l.of.terms.Stop
	return !stop.IsZero() && (l.safe.stop.Equal(stop) || l.session != nil && l.sent.stop.Equal(stop))
}

// updateLocked takes over the configuration.
func (s *configured) updateLocked(e *data.Node, snap *datastore.Snapshot, begin map[legKey]progress) {
	c := s.caller
	fresh := s.policy == nil
	changed := !fresh && !data.Equal(policyOf(s.policy), policyOf(e))
	s.policy = e
	s.terms = Terms{Policy: withEncoding(policyOf(e)), Request: "subscriptions", Snapshot: snap}
	s.terms.Stop, _ = timeOf(e, "stop-time")
	s.terms.Stop = s.terms.Stop.UTC()
	var why *Terminated
	if fresh || changed {
		_, err := c.target(&s.terms)
		if err == nil {
			err = c.deliverable(s.terms.Policy)
		}
		if s.valid = err == nil; !s.valid {
			why = c.unserved(&s.terms, err)
			c.config.Log.Warn("a configured subscription cannot be served", "subscription", s.id, "err", err)
		}
	}
	wanted := map[string]route{}
	for r := range e.Child("receivers").Entries("receiver") {
		way := route{instance: r.Leaf("receiver-instance-ref"), source: e.Leaf("source-address"), dscp: dscpOf(e)}
		wanted[r.Leaf("name")] = way
	}
	for name, l := range s.legs {
		if way, ok := wanted[name]; !ok || way.instance != l.route.instance {
			delete(s.legs, name)
			l.removeLocked()
		}
	}
	for name, way := range wanted {
		l := s.legs[name]
		if l == nil {
			l = &leg{of: s, name: name, safe: begin[legKey{s.id, name}]}
			s.legs[name] = l
		}
		if l.running != nil && l.route != way {
			l.running.withdraw()
		}
		l.route = way
	}
	for _, l := range s.legs {
		l.refused = l.refused && !changed
		if changed && l.running != nil {
			if !s.valid {
				l.running.end(why)
			} else {
				l.running.replace(s.terms)
			}
		}
	}
}

// deliverable reports why nobody can be sent what a configured subscription has; nil when
// its receivers can.
func (c *caller) deliverable(e *data.Node) error {
	if t := e.Leaf("transport"); t != callTransport {
		return rpcerr.InvalidValue("its transport is %q; there is only %s", t, callTransport)
	}
	return checkEncoding(e)
}

// unserved is what receivers are told when a configured subscription can be served no
// longer, and err says why.
func (p *Publisher) unserved(t *Terms, err error) *Terminated {
	if name := t.Policy.Leaf("stream"); name != "" && !p.hasStream(name) {
		return StreamUnavailable
	}
	var refused *rpcerr.Error
	if base := p.schema.Identity(module + ":subscription-terminated-reason"); errors.As(err, &refused) {
		if id := p.schema.Identity(refused.AppTag); id != nil && id.DerivedFrom(base) {
			return &Terminated{refused.AppTag}
		}
		if refused.AppTag == module+":filter-unsupported" {
			return FilterUnavailable
		}
	}
	return NoSuchSubscription
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
	if l.running != nil || s.stateLocked() != stateValid || l.over() || l.route.instance == "" {
		return
	}
	target, err := s.caller.target(&s.terms)
	if err != nil {
		s.valid = false
		return
	}
	begin := l.safe
	if r, ok := target.(Resumer); ok {
		r.Resume(begin.next, begin.time)
	} else {
		begin.number = max(begin.number, l.sent.number)
	}
	sub := &Subscription{publisher: s.caller.Publisher, session: session, id: s.id, encoding: encodingOf(s.terms.Policy),
		policy: s.terms.Policy, stop: s.terms.Stop, target: target, leg: l}
	sub.starting.Store(true)
	sub.sent.Store(begin.number)
	l.session, l.sent, l.refused = session, begin, false
	k.runs.Add(1)
	if !session.Join(func(ctx context.Context) {
		defer k.runs.Done()
		sub.run(ctx)
		l.ended(sub, k)
	}) {
		k.runs.Done()
		return
	}
	l.running = sub
}

// ended takes note that a run is over. What the receiver has not confirmed is sent again
// by the next one, which begins at once when there is another way to the receiver now.
func (l *leg) ended(sub *Subscription, over *link) {
	c := l.of.caller
	c.mu.Lock()
	defer c.mu.Unlock()
	if l.running != sub {
		return
	}
	l.running = nil
	if k := c.links[l.route]; k != nil && k != over && k.session != nil && l.of.legs[l.name] == l {
		l.startLocked(k)
	}
}

// terminated notes that the subscription cannot go on for a receiver.
func (l *leg) terminated() {
	c := l.of.caller
	c.mu.Lock()
	defer c.mu.Unlock()
	l.refused = true
}

// concluded notes that the stop-time has come for a receiver.
func (l *leg) concluded() {
	c := l.of.caller
	c.mu.Lock()
	defer c.mu.Unlock()
	l.sent.stop = l.of.terms.Stop
}

// reached notes that all records up to one were dealt with.
func (l *leg) reached(seq, number uint64, at time.Time) {
	c := l.of.caller
	c.mu.Lock()
	defer c.mu.Unlock()
	l.sent.next, l.sent.number, l.sent.time = seq+1, number, at
}

// counted notes how many event records a target has sent that cannot resume: none of them
// comes again, so those after a lost link have other numbers.
func (l *leg) counted(t Target, number uint64) {
	if _, ok := t.(Resumer); ok {
		return // reached counts them, with the place in the journal
	}
	c := l.of.caller
	c.mu.Lock()
	defer c.mu.Unlock()
	l.sent.number = number
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
	b := data.BuildEntry(s.caller.nodes.subscription, strconv.FormatUint(uint64(s.id), 10)).Leaf("configured-subscription-state", s.stateLocked())
	list := b.Container("receivers")
	for name, l := range s.legs {
		state, sent, excluded := "connecting", l.safe.number, uint64(0)
		switch {
		case l.running != nil:
			sent, excluded = l.running.sent.Load(), l.running.excluded.Load()
			state = l.running.state()
		case s.stateLocked() != stateValid || l.over() || l.refused || l.route.instance == "":
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
			l.running.restart(s.terms)
		}
	}
	return &netconf.Reply{Output: r.Output().Time("time", time.Now()).Node()}, nil
}
