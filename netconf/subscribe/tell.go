package subscribe

import (
	"context"
	"strconv"
	"time"

	"incidentd/yang/data"
)

// tell sends a notification about the subscription itself, which no filter holds back
// [RFC 8639 section 2.7]. The reason may be empty.
func (s *Subscription) tell(ctx context.Context, at time.Time, name, reason string) error {
	n := s.publisher.schema.Notification(module, name)
	if n == nil {
		return nil // it has a feature that is off
	}
	b := data.Build(n).Uint("id", uint64(s.id)).Text("reason", reason)
	return s.announce(ctx, at, b.Node())
}

// tellStarted tells the receiver of a configured subscription that it begins, and how: from
// the last record that this receiver has got, if there is one.
func (s *Subscription) tellStarted(ctx context.Context, target Target) error {
	n := s.described("subscription-started", target)
	if r, ok := target.(Resumer); ok {
		if at := r.Resumed(); !at.IsZero() {
			n = n.With(data.NewLeaf(n.Schema().ChildNamed("replay-start-time"), data.FormatTime(at)))
		}
	}
	return s.announce(ctx, time.Now(), n)
}

// tellModified repeats the whole policy. A filter with a name is told by what it holds,
// as one choice has both.
func (s *Subscription) tellModified(ctx context.Context) error {
	s.mu.Lock()
	target := s.target
	s.mu.Unlock()
	return s.announce(ctx, time.Now(), s.described("subscription-modified", target))
}

// described is a notification with the whole policy.
func (s *Subscription) described(name string, target Target) *data.Node {
	schema := s.publisher.schema.Notification(module, name)
	s.mu.Lock()
	n := data.Rebind(s.policy, schema).With(data.NewLeaf(schema.ChildNamed("id"), strconv.FormatUint(uint64(s.id), 10)))
	s.mu.Unlock()
	if named, ok := target.(interface{ Filter() *data.Node }); ok {
		n = withFilter(n, named.Filter())
	}
	return n
}

func (s *Subscription) announce(ctx context.Context, at time.Time, n *data.Node) error {
	return s.write(ctx, time.Now(), s.sent.Load(), newMessages(envelope(at, s.encoding.encode(n))))
}

// replayed tells that the replay is over.
func (s *Subscription) replayed(ctx context.Context) error {
	if s.legacy {
		return s.announce(ctx, time.Now(), data.New(s.publisher.schema.Notification("nc-notifications", "replayComplete")))
	}
	return s.tell(ctx, time.Now(), "replay-completed", "")
}

// complete tells that the stop-time has come.
func (s *Subscription) complete(ctx context.Context) error {
	if s.legacy {
		return s.announce(ctx, time.Now(), data.New(s.publisher.schema.Notification("nc-notifications", "notificationComplete")))
	}
	return s.tell(ctx, time.Now(), "subscription-completed", "")
}
