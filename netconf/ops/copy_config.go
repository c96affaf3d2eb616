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
// save running as startup takes no more than to call it [RFC 8341 section 3.2.4]. The
// parameter with-defaults says what a URL gets; a datastore has no defaults of its own.
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
	if from.store == "" {
		if given, err = o.whole(ctx, from); err != nil {
			return nil, err
		}
	}
	if to.store == "" {
		if given == nil {
			given = o.readable(r, o.store.Snapshot().Datastore(from.store))
		}
		return nil, o.save(ctx, to.url, given, o.view(r))
	}
	return nil, o.store.Update(ctx, func(tx *datastore.Tx) error {
		r.Sign(tx, author(r))
		if err := o.store.MayWrite(to.store, r.Session.ID()); err != nil {
			return err
		}
		old, next := tx.Datastore(to.store), given
		switch {
		case from.store == datastore.Running && to.store == datastore.Startup:
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

// whole reads a configuration that is not that of a datastore, as it is stored.
func (o *operations) whole(ctx context.Context, p place) (*data.Node, error) {
	tree, err := o.parse(ctx, p, data.Parser{})
	if err != nil {
		return nil, err
	}
	secrets, err := o.storedValues(tree)
	for _, v := range secrets {
		tree = v.put(tree)
	}
	return tree, err
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
	target, err := o.place(r.Input, "target")
	if err != nil {
		return nil, err
	}
	if target.store == "" {
		return nil, o.remove(ctx, target.url)
	}
	return nil, o.store.Update(ctx, func(tx *datastore.Tx) error {
		r.Sign(tx, author(r))
		empty := data.New(o.schema.Root)
		r.Changed(target.store, tx.Datastore(target.store), empty)
		tx.Set(target.store, empty)
		return nil
	})
}
