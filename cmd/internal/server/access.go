package server

import (
	"context"
	"fmt"

	"incidentd/datastore"
	"incidentd/yang"
	"incidentd/yang/data"
)

// role is a group of access control with what its members may do besides what everybody may.
type role struct {
	group string
	rules []accessRule
}

// accessRule is a rule about calling the operations of a module, or the one that is named.
type accessRule struct {
	name, module, rpc, action string
	comment                   string
}

// roles are those that there are from the start, besides that of the administrators.
var roles = []role{
	{"collectors", []accessRule{
		{"report-events", "incidentd-events", "report-events", "permit", "Reporting events is for the users of this group."}}},
	{"operators", []accessRule{
		{"incidents", "ietf-incident", "", "permit", "They acknowledge incidents, and have them diagnosed and resolved."},
		{"resolution", "incidentd-resolution", "", "permit", "They look at what a resolution would do, and stop one."},
		{"diagnosis", "incidentd-diagnosis", "", "permit", "They look at what a diagnosis would do."},
		{"merge", "incidentd-management", "merge-incidents", "permit", "They put right what was judged wrongly."},
		{"split", "incidentd-management", "split-incident", "permit", ""},
		{"move", "incidentd-management", "move-events", "permit", ""},
		{"comment", "incidentd-management", "comment-incident", "permit", ""},
		{"alarms", "ietf-alarms", "", "permit", "They set the operator's state of alarms, shelve, compress and purge them."}}},
	{"oam-operator", []accessRule{
		{"tests", "incidentd-oam-tests", "", "permit", "They start and stop tests, and look when these run."},
		{"diagnose", "ietf-incident", "incident-diagnose", "permit", "They have incidents diagnosed."},
		{"diagnosis", "incidentd-diagnosis", "", "permit", "They look at what a diagnosis would do."}}},
	{"oam-viewer", []accessRule{
		{"preview", "incidentd-oam-tests", "preview-schedule", "permit", "They look when tests run."},
		{"certificates", "incidentd-oam-tests", "get-birth-certificate", "permit", "They read certificates."},
		{"tests", "incidentd-oam-tests", "", "deny", "They do not start and stop tests."},
		{"incidents", "ietf-incident", "", "deny", "They do nothing to incidents."},
		{"comment", "incidentd-management", "comment-incident", "deny", ""},
		{"alarms", "ietf-alarms", "", "deny", "They do nothing to alarms."}}},
}

// accessConfig is the first configuration of access control: the administrators may do
// everything, and the roles, which nobody has yet, what they say. Everybody else
// reads what is not hidden by default and writes nothing.
func accessConfig(schema *yang.Schema, admins ...string) *data.Node {
	b := data.Build(schema.Root.Child(schema.Module("ietf-netconf-acm"), "nacm"))
	groups := b.Container("groups")
	group := groups.Entry("group", adminGroup)
	for _, name := range admins {
		group.Leaf("user-name", name)
	}
	for _, r := range roles {
		groups.Entry("group", r.group)
	}
	b.Entry("rule-list", adminGroup).Leaf("group", adminGroup).
		Entry("rule", "everything").Leaf("access-operations", "*").Leaf("action", "permit")
	for _, r := range roles {
		list := b.Entry("rule-list", r.group).Leaf("group", r.group)
		for _, x := range r.rules {
			list.Entry("rule", x.name).Leaf("module-name", x.module).Text("rpc-name", x.rpc).
				Leaf("access-operations", "exec").Leaf("action", x.action).Text("comment", x.comment)
		}
	}
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
