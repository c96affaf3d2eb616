package subscribe

import (
	"incidentd/datastore"
	"incidentd/yang"
)

// watcher lets subscriptions know when what they depend on has changed in the
// configuration. It is a Participant.
type watcher struct{ *Publisher }

// Prepare implements datastore.Participant.
func (w watcher) Prepare(tx *datastore.Tx) error {
	if err := w.checkRetention(tx.Running()); err != nil {
		return err
	}
	changed := func(n *yang.Node) bool { return tx.Base().Running.Get(n) != tx.Running().Get(n) }
	filters := changed(w.nodes.filters)
	if filters || changed(w.nodes.nacm) {
		tx.OnCommit(func(*datastore.Snapshot) { w.renew() })
	}
	if filters || changed(w.nodes.subscriptions) || changed(w.nodes.nacm) {
		if err := w.checkFilters(tx.Running()); err != nil {
			return err
		}
		tx.OnCommit(func(*datastore.Snapshot) { w.caller.notice() })
	}
	tx.OnCommit(w.configure)
	return nil
}

// Commit implements datastore.Participant.
func (w watcher) Commit(*datastore.Snapshot) {}

// Abort implements datastore.Participant.
func (w watcher) Abort() {}

// renew lets all subscriptions look at their filters and their receivers' rights again.
func (p *Publisher) renew() {
	for _, s := range p.all() {
		s.renew()
	}
}

// configure takes over what the configuration says of all notifications.
func (p *Publisher) configure(snap *datastore.Snapshot) {
	p.sequencing.Store(p.sequencingOf(snap.Running))
	p.journal.SetRetention(p.retentionOf(snap.Running))
}
