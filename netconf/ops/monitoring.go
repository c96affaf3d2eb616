package ops

import (
	"errors"
	"strconv"

	"incidentd/datastore"
	"incidentd/netconf"
	"incidentd/yang"
	"incidentd/yang/data"
)

// provideMonitoring provides netconf-state [RFC 6022 section 2.1].
func (o *operations) provideMonitoring() error {
	m := o.schema.Module("ietf-netconf-monitoring")
	if m == nil || !m.Implemented {
		return errors.New("ops: the schema does not implement ietf-netconf-monitoring")
	}
	top := o.schema.Root.Child(m, "netconf-state")
	schemas := o.schemas(top)
	o.store.Provide(top, func(*datastore.Snapshot) *data.Node { return o.netconfState(top, schemas) })
	return nil
}

// schemas is the part of netconf-state that never changes.
func (o *operations) schemas(top *yang.Node) *data.Node {
	b := data.Build(top.ChildNamed("schemas"))
	for _, m := range o.schema.Modules {
		b.Entry("schema", m.Name, m.Revision, formatYANG).Leaf("namespace", m.Namespace).Leaf("location", "NETCONF")
	}
	return b.Node()
}

func (o *operations) netconfState(top *yang.Node, schemas *data.Node) *data.Node {
	b := data.Build(top)
	offers := b.Container("capabilities")
	for _, c := range o.server.Capabilities() {
		offers.Leaf("capability", c)
	}
	stores := b.Container("datastores")
	for _, name := range []datastore.Name{datastore.Running, datastore.Candidate, datastore.Startup} {
		store := stores.Entry("datastore", string(name))
		if parts := o.store.PartialLocks(); name == datastore.Running && len(parts) > 0 {
			partialLocks(store.Container("locks"), parts)
		}
		if l := o.store.Holder(name); l != nil {
			store.Container("locks").Container("global-lock").
				Uint("locked-by-session", uint64(l.Session)).Time("locked-time", l.Since)
		}
	}
	b.Add(schemas)
	sessions := b.Container("sessions")
	for _, s := range o.server.Sessions() {
		e := sessions.Entry("session", strconv.FormatUint(uint64(s.ID()), 10)).
			Leaf("transport", "ietf-netconf-monitoring:netconf-ssh").Leaf("username", s.User()).
			Text("source-host", s.Host()).Time("login-time", s.Begun())
		count(e, s.Counters())
	}
	stats := o.server.Stats()
	count(b.Container("statistics").Time("netconf-start-time", stats.Begun).Uint("in-bad-hellos", uint64(stats.BadHellos)).
		Uint("in-sessions", uint64(stats.InSessions)).Uint("dropped-sessions", uint64(stats.Dropped)), stats.Counters)
	return b.Node()
}

func partialLocks(b *data.Builder, parts []*datastore.PartialLock) {
	for _, l := range parts {
		e := b.Entry("partial-lock", strconv.FormatUint(uint64(l.ID), 10)).
			Uint("locked-by-session", uint64(l.Session)).Time("locked-time", l.Since)
		for _, x := range l.Select {
			e.Expression("select", x)
		}
		for _, n := range l.Nodes {
			e.Leaf("locked-node", n.InstanceID())
		}
	}
}

func count(b *data.Builder, c netconf.Counters) {
	b.Uint("in-rpcs", uint64(c.InRPCs)).Uint("in-bad-rpcs", uint64(c.InBadRPCs)).
		Uint("out-rpc-errors", uint64(c.OutRPCErrors)).Uint("out-notifications", uint64(c.OutNotifications))
}
