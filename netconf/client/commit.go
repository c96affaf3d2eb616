package client

import (
	"context"
	"strconv"
	"time"
)

// Commit is how the candidate becomes running [RFC 6241 section 8.3.4.1]. Its zero
// value is a plain commit.
type Commit struct {
	// Confirmed makes it a confirmed commit, which is undone unless another
	// commit follows within Timeout [RFC 6241 section 8.4.5.1].
	Confirmed bool
	// Timeout is rounded up to a second; 0 is the server's default of ten minutes.
	Timeout time.Duration
	// Persist makes a confirmed commit outlive its session; it is the PersistID
	// of who confirms, extends or cancels it, in whatever session.
	Persist, PersistID string
}

// Commit makes the candidate running, or confirms a commit that was to be
// confirmed.
func (c *Client) Commit(ctx context.Context, how Commit, options ...Option) error {
	b := []byte("<commit>")
	if how.Confirmed {
		b = append(b, "<confirmed/>"...)
	}
	if how.Timeout > 0 {
		seconds := (how.Timeout + time.Second - 1) / time.Second
		b = appendLeaf(b, "confirm-timeout", strconv.FormatInt(int64(seconds), 10))
	}
	if how.Persist != "" {
		b = appendLeaf(b, "persist", how.Persist)
	}
	if how.PersistID != "" {
		b = appendLeaf(b, "persist-id", how.PersistID)
	}
	return c.ok(ctx, append(appendOptions(b, options), "</commit>"...))
}

// CancelCommit undoes a confirmed commit that was not confirmed yet; persistID is
// empty for one of this session [RFC 6241 section 8.4.4.1].
func (c *Client) CancelCommit(ctx context.Context, persistID string) error {
	b := []byte("<cancel-commit>")
	if persistID != "" {
		b = appendLeaf(b, "persist-id", persistID)
	}
	return c.ok(ctx, append(b, "</cancel-commit>"...))
}

// DiscardChanges makes the candidate what running is [RFC 6241 section 8.3.4.2].
func (c *Client) DiscardChanges(ctx context.Context) error {
	return c.ok(ctx, []byte("<discard-changes/>"))
}
