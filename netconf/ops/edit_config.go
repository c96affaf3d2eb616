package ops

import (
	"context"

	"incidentd/datastore"
	"incidentd/netconf"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// editConfig answers <edit-config> [RFC 6241 section 7.2]. The whole edit is one
// transaction: stop-on-error and continue-on-error, which would leave a part of it
// behind, are accepted and get what is better. So does the test-option set, as
// nothing is stored that is not valid; test-only changes nothing.
func (o *operations) editConfig(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	if err := onlyRunning(r.Input, "target"); err != nil {
		return nil, err
	}
	if err := refuse(r.Input, "url"); err != nil {
		return nil, err
	}
	if r.Input.Leaf("error-option") == "rollback-on-error" {
		return nil, rpcerr.OperationNotSupported("the error-option rollback-on-error")
	}
	return nil, o.edit(ctx, r)
}

// editData answers <edit-data> [RFC 8526 section 3.1.2].
func (o *operations) editData(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	if d := r.Input.Leaf("datastore"); d != running {
		return nil, datastoreError(d)
	}
	if err := refuse(r.Input, "url"); err != nil {
		return nil, err
	}
	return nil, o.edit(ctx, r)
}

// edit applies the parameter config to running. It returns when the change is on
// disk.
func (o *operations) edit(ctx context.Context, r *netconf.Request) error {
	op := data.MergeOp
	if name := r.Input.Leaf("default-operation"); name != "" {
		op, _ = data.ParseOp(name) // the schema has checked it
	}
	p := data.Parser{Schema: o.schema, Edit: true}
	edit, err := p.ParseRaw(r.Input.Child("config").Raw(), o.schema.Root)
	if err != nil {
		return err
	}
	stored, err := o.storedValues(edit)
	if err != nil {
		return err
	}
	if r.Input.Leaf("test-option") == "test-only" {
		have := o.store.Snapshot().Running
		next, err := apply(have, edit, op)
		if err != nil {
			return err
		}
		return o.store.Test(have, next)
	}
	return o.store.Update(ctx, func(tx *datastore.Tx) error {
		tx.By(datastore.Author{User: r.Session.User(), Session: r.Session.ID(), Source: "netconf"})
		if err := o.store.MayWrite(datastore.Running, r.Session.ID()); err != nil {
			return err
		}
		next, err := apply(tx.Running(), edit, op)
		if err != nil {
			return err
		}
		for _, v := range stored {
			next = v.put(next)
		}
		if err := r.Write(datastore.Running, tx.Running(), next); err != nil {
			return err
		}
		tx.SetRunning(next)
		return nil
	})
}

// apply is data.Apply, with a default-operation of replace that replaces all that
// the datastore has [RFC 6241 section 7.2].
func apply(have, edit *data.Node, op data.Op) (*data.Node, error) {
	next, err := data.Apply(have, edit, op)
	if err != nil || op != data.Replace {
		return next, err
	}
	for c := range have.Children() {
		s := c.Schema()
		if s.Multiple() && edit.Entry(s, c.Key()) == nil || !s.Multiple() && edit.Get(s) == nil {
			next = next.Without(s, c.Key())
		}
	}
	return next, nil
}
