package ops

import (
	"context"

	"incidentd/datastore"
	"incidentd/netconf"
)

// factoryReset answers <factory-reset> [RFC 8808 section 2]. It takes no right but the
// one to call it, which nobody has by default. What the server has recorded (incidents,
// notifications, the history) stays, as do its host key and sessions.
func (o *operations) factoryReset(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	by := author(r)
	by.Source = "factory-reset"
	return nil, o.store.Update(ctx, func(tx *datastore.Tx) error {
		r.Sign(tx, by)
		was := tx.Base()
		if err := tx.FactoryReset(); err != nil {
			return err
		}
		for _, name := range []datastore.Name{datastore.Running, datastore.Startup, datastore.Candidate} {
			r.Changed(name, was.Datastore(name), tx.Datastore(name))
		}
		return nil
	})
}
