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

// tellModified repeats the whole policy. A filter with a name is told by what it holds,
// as one choice has both.
func (s *Subscription) tellModified(ctx context.Context) error {
	s.mu.Lock()
	schema := s.publisher.schema.Notification(module, "subscription-modified")
	n := data.Rebind(s.policy, schema).With(data.NewLeaf(schema.ChildNamed("id"), strconv.FormatUint(uint64(s.id), 10)))
	named, ok := s.target.(interface{ Filter() *data.Node })
	s.mu.Unlock()
	if ok {
		n = withFilter(n, named.Filter())
	}
	return s.announce(ctx, time.Now(), n)
}

func (s *Subscription) announce(ctx context.Context, at time.Time, n *data.Node) error {
	return s.write(ctx, time.Now(), s.sent.Load(), envelope(at, s.encoding.encode(n)))
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
