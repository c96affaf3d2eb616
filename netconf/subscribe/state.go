package subscribe

import (
	"strconv"

	"incidentd/datastore"
	"incidentd/yang/data"
)

// netconfStreams is the list of streams of RFC 5277 [section 3.2.5.1].
func (p *Publisher) netconfStreams(*datastore.Snapshot) *data.Node {
	b := data.Build(p.nodes.netconf)
	list := b.Container("streams")
	for _, s := range p.journal.Streams() {
		list.Entry("stream", s.Name).Leaf("description", s.Description).Bool("replaySupport", true).
			Time("replayLogCreationTime", p.journal.CreationTime()).Time("replayLogAgedTime", p.journal.AgedTime(s.Name))
	}
	return b.Node()
}

// streams is the list of streams of RFC 8639.
func (p *Publisher) streams(*datastore.Snapshot) *data.Node {
	b := data.Build(p.nodes.streams)
	for _, s := range p.journal.Streams() {
		b.Entry("stream", s.Name).Leaf("description", s.Description).Leaf("replay-support", "").
			Time("replay-log-creation-time", p.journal.CreationTime()).Time("replay-log-aged-time", p.journal.AgedTime(s.Name))
	}
	return b.Node()
}

// subscriptions is the list of subscriptions [RFC 8639 section 2.8].
func (p *Publisher) subscriptions(*datastore.Snapshot) *data.Node {
	entries := p.caller.entries()
	for _, s := range p.all() {
		entries = append(entries, s.entry())
	}
	if len(entries) == 0 {
		return nil
	}
	return data.Build(p.nodes.subscriptions).Add(entries...).Node()
}

// entry is the subscription as it stands in the list.
func (s *Subscription) entry() *data.Node {
	s.mu.Lock()
	policy := s.policy
	s.mu.Unlock()
	b := data.BuildEntry(policy.Schema(), strconv.FormatUint(uint64(s.id), 10))
	for c := range policy.Children() {
		b.Add(c)
	}
	b.Container("receivers").Entry("receiver", "session-"+strconv.FormatUint(uint64(s.session.ID()), 10)).
		Uint("sent-event-records", s.sent.Load()).Uint("excluded-event-records", s.excluded.Load()).Leaf("state", s.state())
	return b.Node()
}
