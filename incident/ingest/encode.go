package ingest

import (
	"time"

	"incidentd/yang/data"
)

// encode writes the health of a source.
func (h *health) encode(b *data.Builder) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refreshLocked(time.Now())
	b.Text("kind", h.kind).Leaf("state", h.shown.String()).Time("since", h.shownSince.UTC()).Text("reason", h.reason)
	for _, l := range h.listening {
		b.Leaf("listening", l)
	}
	if h.base == Down {
		b.Time("next-attempt", h.next.UTC())
	}
	b.Text("last-error", h.lastError)
	if !h.errorTime.IsZero() {
		b.Time("last-error-time", h.errorTime.UTC())
	}
	if last := h.lastEvent.Load(); last != 0 {
		b.Time("last-event", time.Unix(0, last).UTC())
	}
	b.Time("counting-since", h.since.UTC()).Uint("failures", h.failures.Load()).Uint("connections", uint64(max(0, h.connections.Load()))).
		Uint("received", h.received.Load()).Uint("octets", h.octets.Load()).Uint("refused", h.refused.Load()).
		Uint("malformed", h.malformed.Load()).Uint("mapped", h.mapped.Load()).Uint("unmapped", h.unmapped.Load()).
		Uint("ignored", h.ignored.Load()).Uint("events", h.events.Load()).Uint("duplicates", h.duplicates.Load()).
		Uint("dropped", h.dropped.Load()).Uint("delayed", h.delayed.Load()).
		Uint("queue-length", uint64(max(0, h.waiting.Load())))
	if h.backlog != nil {
		b.Uint("backlog", uint64(max(0, h.backlog())))
	}
	b.Uint("unknown-nodes", uint64(len(h.unknown)))
}

// encode writes the notification source-state-changed.
func (n news) encode(s *schema) *data.Node {
	b := data.Build(s.changed).Leaf("name", n.health.name).Text("kind", n.kind).Leaf("state", n.state.String())
	if n.previous != Starting {
		b.Leaf("previous-state", n.previous.String())
	}
	return b.Text("reason", n.reason).Node()
}
