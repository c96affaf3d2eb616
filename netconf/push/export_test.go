package push

import (
	"time"

	"incidentd/yang"
	"incidentd/yang/data"
)

// Patch is the text of what makes one tree another: entries of the list edit.
func Patch(schema *yang.Schema, from, to *data.Node) []byte {
	p := &publisher{schema: schema}
	p.nodes.change = schema.Notification(module, "push-change-update")
	p.nodes.edit = p.nodes.change.ChildNamed("datastore-changes").ChildNamed("yang-patch").ChildNamed("edit")
	return p.newPatch(difference(from, to)).xml
}

// UntilNext is untilNext.
func UntilNext(anchor, from time.Time, period time.Duration) time.Duration {
	return untilNext(anchor, from, period)
}
