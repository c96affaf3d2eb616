package push

import (
	"time"

	"incidentd/netconf/nacm"
	"incidentd/netconf/subscribe"
)

// unreadable ends a subscription of which nothing may be read any more: nothing would change
// for its receiver from then on [RFC 8641 section 5, unchanging-selection].
var unreadable = &subscribe.Terminated{Reason: unchangingSelection}

// Permitted implements subscribe.Guarded.
func (p *periodic) Permitted(access *nacm.Access) error {
	if !p.readable(p.criteria, access) {
		return unreadable
	}
	return nil
}

// Permitted implements subscribe.Guarded: of a subscription that has not begun to send.
func (o *onChange) Permitted(access *nacm.Access) error {
	if o.last == nil && !o.readable(o.criteria, access) {
		return unreadable
	}
	return nil
}

// permitted is asked after each step. What may be read no longer has been deleted in a
// patch by then, so the receiver has nothing [RFC 8641 section 3.9].
func (o *onChange) permitted(s *subscribe.Subscription, wait time.Time) error {
	access := s.Session().Access()
	if access == o.asked || !wait.IsZero() || !o.last.Empty() {
		return nil
	}
	if !o.readable(o.criteria, access) {
		return unreadable
	}
	o.asked = access
	return nil
}
