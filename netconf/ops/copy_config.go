package ops

import (
	"context"

	"incidentd/datastore"
	"incidentd/netconf"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// copyConfig answers <copy-config> [RFC 6241 section 7.3]. What the user may not read of
// a datastore is not copied, and he needs the right to what the copy changes; but to
// save running as startup takes no more than to call it [RFC 8341 section 3.2.4].
func (o *operations) copyConfig(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	from, err := o.place(r.Input, "source")
	if err != nil {
		return nil, err
	}
	to, err := o.place(r.Input, "target")
	if err != nil {
		return nil, err
	}
	if from.config == nil && from == to {
		return nil, rpcerr.InvalidValue("source and target are the same")
	}
	var given *data.Node // what does not come from a datastore
	var secrets []storedValue
	if from.store == "" {
		if given, err = o.read(ctx, from, nil); err != nil {
			return nil, err
		}
		if secrets, err = o.storedValues(given); err != nil {
			return nil, err
		}
		for _, v := range secrets {
			given = v.put(given)
		}
	}
	return nil, o.store.Update(ctx, func(tx *datastore.Tx) error {
		tx.By(author(r))
		if err := o.store.MayWrite(to.store, r.Session.ID()); err != nil {
			return err
		}
		old, next := tx.Datastore(to.store), given
		save := from.store == datastore.Running && to.store == datastore.Startup
		switch {
		case save:
			r.Changed(to.store, old, tx.Running())
			tx.Copy(from.store, to.store)
			return nil
		case from.store != "":
			next = o.readable(r, tx.Datastore(from.store))
		}
		if err := r.Write(to.store, old, next); err != nil {
			return err
		}
		tx.Set(to.store, next)
		return nil
	})
}

// readable is what the user may read of a tree.
func (o *operations) readable(r *netconf.Request, tree *data.Node) *data.Node {
	if tree = r.Access.Read(tree); tree == nil {
		return data.New(o.schema.Root)
	}
	return tree
}

// deleteConfig answers <delete-config> [RFC 6241 section 7.4].
func (o *operations) deleteConfig(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	target, err := o.writable(r.Input, "target")
	if err != nil {
		return nil, err
	}
	return nil, o.store.Update(ctx, func(tx *datastore.Tx) error {
		tx.By(author(r))
		empty := data.New(o.schema.Root)
		r.Changed(target, tx.Datastore(target), empty)
		tx.Set(target, empty)
		return nil
	})
}
