package subscribe

import (
	"fmt"

	"incidentd/yang"
)

// The module of RFC 8639 and its namespace.
const (
	module    = "ietf-subscribed-notifications"
	namespace = "urn:ietf:params:xml:ns:yang:" + module
)

// nodes are those of the schema that subscriptions are told with.
type nodes struct {
	netconf, streams, subscriptions *yang.Node
	filters                         *yang.Node
	nacm                            *yang.Node // of ietf-netconf-acm
	notifications                   *yang.Node // of incidentd-notifications
	subscription                    *yang.Node // the list
	reset                           *yang.Node // the action of a receiver
}

func (n *nodes) find(s *yang.Schema) error {
	for _, x := range []struct {
		to           **yang.Node
		module, name string
	}{
		{&n.netconf, "nc-notifications", "netconf"}, {&n.streams, module, "streams"},
		{&n.subscriptions, module, "subscriptions"}, {&n.filters, module, "filters"},
		{&n.nacm, "ietf-netconf-acm", "nacm"}, {&n.notifications, "incidentd-notifications", "notifications"},
	} {
		m := s.Module(x.module)
		if m == nil || !m.Implemented {
			return fmt.Errorf("subscribe: the schema does not implement %s", x.module)
		}
		*x.to = s.Root.Child(m, x.name)
	}
	n.subscription = n.subscriptions.ChildNamed("subscription")
	for _, op := range n.subscription.ChildNamed("receivers").ChildNamed("receiver").Operations {
		if op.Name == "reset" {
			n.reset = op
		}
	}
	return nil
}
