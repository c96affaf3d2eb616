package ops

import (
	"strconv"
	"time"

	"incidentd/datastore"
	"incidentd/datastore/journal"
	"incidentd/yang"
	"incidentd/yang/data"
)

// notifications is the module of RFC 6470.
const notifications = "ietf-netconf-notifications"

// mostEdits is how many edits a netconf-config-change lists. Of a larger change it tells
// the top-level nodes alone, as RFC 6470 section 2.2 permits.
const mostEdits = 100

// Announcer returns what adds the notifications of RFC 6470 about the datastores to a
// transaction: netconf-config-change and netconf-confirmed-commit. It is for
// datastore.Options.
func Announcer(schema *yang.Schema) func(*datastore.Tx) {
	configChange := schema.Notification(notifications, "netconf-config-change")
	confirmedCommit := schema.Notification(notifications, "netconf-confirmed-commit")
	return func(tx *datastore.Tx) {
		was := tx.Base()
		for _, name := range []datastore.Name{datastore.Running, datastore.Startup} {
			edits := editsOf(was.Datastore(name), tx.Datastore(name))
			if len(edits) == 0 {
				continue
			}
			b := data.Build(configChange)
			changedBy(b.Container("changed-by"), tx.Author())
			b.Leaf("datastore", string(name))
			for _, c := range edits {
				b.Entry("edit").Leaf("target", c.target).Leaf("operation", c.editOperation())
			}
			tx.Notify(journal.NETCONF, b.Node())
		}
		if event := tx.ConfirmEvent(); event != "" {
			tx.Notify(journal.NETCONF, confirmation(tx, event, data.Build(confirmedCommit)))
		}
	}
}

// editsOf is what has changed of a datastore.
func editsOf(old, new *data.Node) []change {
	if list, ok := difference(old, new, mostEdits); ok {
		return list
	}
	var tops []change
	for _, s := range old.Schema().Data {
		if was, is := old.Get(s), new.Get(s); was != is {
			n := is
			if n == nil {
				n = was
			}
			tops = append(tops, change{(&data.Loc{Node: new}).Down(n).InstanceID(), was, is})
		}
	}
	return tops
}

// editOperation is the operation of RFC 6241 section 7.2 that would have made a change.
func (c change) editOperation() string {
	if op := c.operation(); op != "move" && !(op == "replace" && !c.new.Schema().HasValue()) {
		return op
	}
	return "merge"
}

// changedBy tells who has made a change.
func changedBy(b *data.Builder, by datastore.Author) {
	if by.User == "" {
		b.Leaf("server", "")
		return
	}
	sessionParameters(b, by.User, by.Session, by.Host)
}

func sessionParameters(b *data.Builder, user string, session uint32, host string) {
	b.Leaf("username", user).Leaf("session-id", strconv.FormatUint(uint64(session), 10)).Text("source-host", host)
}

// confirmation tells what has happened to a confirmed commit. One that the server has
// cancelled is told with the session that it was of.
func confirmation(tx *datastore.Tx, event datastore.ConfirmEvent, b *data.Builder) *data.Node {
	by := tx.Author()
	if p := tx.Base().Pending(); by.User == "" && p != nil {
		by = datastore.Author{User: p.User, Session: p.Session}
	}
	if event != datastore.ConfirmTimeout {
		sessionParameters(b, by.User, by.Session, by.Host)
	}
	b.Leaf("confirm-event", string(event))
	if p := tx.Pending(); p != nil {
		b.Uint("timeout", uint64(p.Deadline.Sub(tx.Now())/time.Second))
	}
	return b.Node()
}
