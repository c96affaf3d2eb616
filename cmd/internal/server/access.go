package server

import (
	"context"
	"fmt"

	"incidentd/datastore"
	"incidentd/yang"
	"incidentd/yang/data"
)

// collectorGroup is the group of access control whose members may report events.
const collectorGroup = "collectors"

// accessConfig is the first configuration of access control: the administrators may do
// everything, and collectors, of which there are none, report events. Everybody else
// reads what is not hidden by default and writes nothing.
func accessConfig(schema *yang.Schema, admins ...string) *data.Node {
	b := data.Build(schema.Root.Child(schema.Module("ietf-netconf-acm"), "nacm"))
	groups := b.Container("groups")
	group := groups.Entry("group", adminGroup)
	for _, name := range admins {
		group.Leaf("user-name", name)
	}
	groups.Entry("group", collectorGroup)
	b.Entry("rule-list", adminGroup).Leaf("group", adminGroup).
		Entry("rule", "everything").Leaf("access-operations", "*").Leaf("action", "permit")
	b.Entry("rule-list", collectorGroup).Leaf("group", collectorGroup).
		Entry("rule", "report-events").Leaf("module-name", "incidentd-events").Leaf("rpc-name", "report-events").
		Leaf("access-operations", "exec").Leaf("action", "permit").Leaf("comment", "Reporting events is for the users of this group.")
	return b.Node()
}

// The row that says that a store knows access control.
var (
	tableServer = "server"
	rowAccess   = []byte("access-control")
)

// adoptAccess gives a store from before access control its configuration: whoever could
// log in could do everything, so all users become administrators. A store that knows
// access control is left alone, even without a configuration of it.
func (s *store) adoptAccess(ctx context.Context) (adopted []string, err error) {
	err = s.data.Update(ctx, func(tx *datastore.Tx) error {
		if tx.Get(tableServer, rowAccess) != nil {
			return nil
		}
		tx.Put(tableServer, rowAccess, []byte{1})
		running := tx.Running()
		if running.Has("nacm") {
			return nil
		}
		for u := range running.Descend("system", "authentication").Entries("user") {
			adopted = append(adopted, u.Leaf("name"))
		}
		tx.By(datastore.Author{Source: "upgrade", Comment: "all users become administrators"})
		tx.SetRunning(running.With(accessConfig(s.data.Schema(), adopted...)))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("access control for a store of an older version: %w", err)
	}
	return adopted, nil
}
