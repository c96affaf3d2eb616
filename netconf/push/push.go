package push

import (
	"cmp"
	"errors"
	"fmt"
	"sync"
	"time"
	"weak"

	"incidentd/datastore"
	"incidentd/netconf"
	"incidentd/netconf/subscribe"
	"incidentd/yang"
)

// Config is what YANG-Push needs. Server and Publisher must be given; the rest has
// defaults.
type Config struct {
	Server    *netconf.Server
	Publisher *subscribe.Publisher
	// MinPeriod is the shortest period of a periodic subscription, in whole
	// hundredths of a second; 0.1 seconds by default.
	MinPeriod time.Duration
	// MaxNodes is how many nodes an update may have; a million by default.
	MaxNodes int
}

// publisher serves subscriptions to the datastores of a server.
type publisher struct {
	config Config
	subs   *subscribe.Publisher
	store  *datastore.Store
	schema *yang.Schema
	nodes  nodes
	// provided are the nodes that have no changes.
	provided func() map[*yang.Node]bool

	mu         sync.Mutex
	selections map[selectionKey]weak.Pointer[selection] // mu: those in use
}

// Register adds datastores to what can be subscribed to, the operation
// resync-subscription, and the capabilities of RFC 9196 to the operational state. It
// comes before others that tell of capabilities, so that the first entry that selects a
// node is from here.
func Register(c Config) error {
	c.MinPeriod = cmp.Or(c.MinPeriod, 100*time.Millisecond)
	c.MaxNodes = cmp.Or(c.MaxNodes, 1_000_000)
	store := c.Server.Store()
	p := &publisher{config: c, subs: c.Publisher, store: store, schema: store.Schema(), selections: map[selectionKey]weak.Pointer[selection]{}}
	p.provided = sync.OnceValue(p.findProvided)
	if err := p.nodes.find(p.schema); err != nil {
		return err
	}
	c.Publisher.Add(subscribe.Kind{Leaf: "datastore", New: p.newTarget})
	store.Provide(p.nodes.capabilities, p.capabilities)
	return errors.Join(c.Server.Handle(module, "resync-subscription", p.resync))
}

// Features are those of the modules of YANG-Push, for yang.Options.
func Features() map[string][]string { return map[string][]string{module: {"on-change"}} }

// Definitions are modules that stand in the server's schema for their definitions alone.
func Definitions() []string { return []string{"ietf-yang-patch"} }

// findProvided finds the nodes of the operational datastore that have no changes.
func (p *publisher) findProvided() map[*yang.Node]bool {
	all := map[*yang.Node]bool{}
	for _, n := range p.store.Provided() {
		all[n] = true
	}
	return all
}

// The modules of RFC 8641 and of observation time.
const (
	module    = "ietf-yang-push"
	namespace = "urn:ietf:params:xml:ns:yang:" + module

	observationNamespace = "urn:ietf:params:xml:ns:yang:ietf-yp-observation"
)

// nodes are those of the schema that pushes are made of.
type nodes struct {
	update, change *yang.Node // the notifications
	patch          *yang.Node // the container in change
	edit           *yang.Node // the list in patch
	filters        *yang.Node // of ietf-subscribed-notifications
	capabilities   *yang.Node
	notifications  *yang.Node // of incidentd-notifications
}

func (n *nodes) find(s *yang.Schema) error {
	for _, x := range []struct {
		to           **yang.Node
		module, name string
	}{
		{&n.filters, "ietf-subscribed-notifications", "filters"}, {&n.notifications, "incidentd-notifications", "notifications"},
		{&n.capabilities, "ietf-system-capabilities", "system-capabilities"},
	} {
		if m := s.Module(x.module); m != nil && m.Implemented {
			*x.to = s.Root.Child(m, x.name)
		}
	}
	n.update, n.change = s.Notification(module, "push-update"), s.Notification(module, "push-change-update")
	if n.filters == nil || n.notifications == nil || n.capabilities == nil || n.update == nil || n.change == nil {
		return fmt.Errorf("push: the schema does not implement %s and what belongs to it", module)
	}
	n.patch = n.change.ChildNamed("datastore-changes").ChildNamed("yang-patch")
	n.edit = n.patch.ChildNamed("edit")
	return nil
}
