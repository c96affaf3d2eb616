package subscribe

import (
	"context"
	"time"

	"incidentd/datastore"
	"incidentd/netconf/nacm"
	"incidentd/yang/data"
)

// Target is where a subscription gets its event records from: a stream, or, in package
// push, a datastore. It belongs to its Subscription, which calls one method at a time.
type Target interface {
	// Run hands event records to Subscription.Send, and counts those that are held back
	// with Subscription.Exclude, until ctx is done, when it returns whatever; or the
	// subscription is complete, as its stop-time has come, when it returns nil; or it
	// cannot go on, when it returns a *Terminated. It is called again after an
	// interruption, for a change, and goes on where it stopped.
	Run(ctx context.Context, s *Subscription) error
	// Modify makes the target of a subscription whose policy has changed. The old one
	// does not run any more if the new one does; when an error is returned the old one
	// goes on. The error is one of modify-subscription.
	Modify(t *Terms) (Target, error)
}

// Refresher is a Target that depends on configuration besides its policy, such as a
// filter with a name.
type Refresher interface {
	// Refresh is called before each Run, and so after each change of /filters. It
	// reports whether that has changed the subscription since the last call. An error is
	// a *Terminated.
	Refresh(*datastore.Snapshot) (changed bool, err error)
}

// Guarded is a Target that its receiver may lose the right to.
type Guarded interface {
	// Permitted is called before each Run, and so after each change of the rules, with
	// what the receiver may do now. An error is a *Terminated.
	Permitted(*nacm.Access) error
}

// Replayer is a Target that begins in the past.
type Replayer interface {
	// ReplayStart is the time from which event records are sent; revised tells that it
	// is later than what was asked for. The zero time is no replay.
	ReplayStart() (start time.Time, revised bool)
}

// Resumer is a Target of which a configured subscription can go on where it stopped.
type Resumer interface {
	// Resume is called before the first Run, with the next record of the journal to look
	// at, and the time of the one before, zero for none.
	Resume(next uint64, last time.Time)
	// Resumed is that time.
	Resumed() time.Time
}

// Kind is one case of the choice "target" [RFC 8639 section 4].
type Kind struct {
	// Leaf is a node that only policies of this kind have, such as "stream".
	Leaf string
	// New makes a target. Its error is one of establish-subscription.
	New func(*Terms) (Target, error)
}

// Add adds a kind of targets, before the first session.
func (p *Publisher) Add(k Kind) { p.kinds = append(p.kinds, k) }

// Terms are what a target is made of.
type Terms struct {
	// Policy has the parameters, as an entry of /subscriptions/subscription, whatever
	// way they came.
	Policy *data.Node
	// Request is the operation: establish-subscription or modify-subscription, as error-info
	// is named after it.
	Request string
	// Stop is the stop-time, the zero time for none.
	Stop time.Time
	// Snapshot has the filters that the policy may refer to.
	Snapshot *datastore.Snapshot
	// Access is what the receiver may do at this moment.
	Access *nacm.Access
}
