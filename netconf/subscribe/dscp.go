package subscribe

import (
	"strconv"

	"incidentd/netconf"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// dscpOf is the DSCP that a policy wants its packets to have.
func dscpOf(policy *data.Node) uint8 {
	dscp, _ := strconv.ParseUint(policy.Leaf("dscp"), 10, 6) // the schema has checked it; absent: 0
	return uint8(dscp)
}

// mark gives the session of a subscription that enters the DSCP of its packets. All
// subscriptions of a session have the same one, as they share a connection; one that
// wants another is refused [RFC 8639 section 2.3].
func (m *member) mark(s *Subscription) error {
	dscp := dscpOf(s.policy)
	switch {
	case dscp == m.dscp:
		return nil
	case m.count > 0:
		return dscpUnavailable("the other subscriptions of the session have the DSCP %d; another session can have %d", m.dscp, dscp)
	}
	if err := s.session.Mark(dscp); err != nil {
		return dscpUnavailable("packets to this receiver cannot have a DSCP: %v", err)
	}
	m.dscp = dscp
	return nil
}

// unmark gives the connection of a session without subscriptions the default again.
func (m *member) unmark(s *netconf.Session) {
	if m.dscp != 0 && s.Mark(0) == nil {
		m.dscp = 0
	}
}

func dscpUnavailable(format string, args ...any) *rpcerr.Error {
	return Refuse(rpcerr.TagInvalidValue, module+":dscp-unavailable", format, args...)
}
