package ops

import (
	"context"

	"incidentd/datastore"
	"incidentd/netconf"
	"incidentd/netconf/nacm"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// editConfig answers <edit-config> [RFC 6241 section 7.2].
func (o *operations) editConfig(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	target, err := o.writable(r.Input, "target")
	if err != nil {
		return nil, err
	}
	return nil, o.edit(ctx, r, target)
}

// editData answers <edit-data> [RFC 8526 section 3.1.2].
func (o *operations) editData(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	target, err := datastoreOf(r.Input.Leaf("datastore"))
	if err == nil && !target.Writable() {
		err = datastoreError(string(target))
	}
	if err != nil {
		return nil, err
	}
	return nil, o.edit(ctx, r, target)
}

// An edit is what a request wants to be changed.
type edit struct {
	tree    *data.Node
	op      data.Op // for the nodes that do not say
	partly  bool    // continue-on-error
	secrets []storedValue
}

// edit applies the edit of a request to a datastore. It returns when the change is on
// disk. Whatever the error-option, running and startup stay valid.
func (o *operations) edit(ctx context.Context, r *netconf.Request, target datastore.Name) error {
	e, err := o.readEdit(ctx, r)
	if err != nil {
		return err
	}
	test := r.Input.Leaf("test-option")
	if test == "test-only" {
		snap := o.store.Snapshot()
		have := snap.Datastore(target)
		next, err := e.apply(have, r.Access)
		if err == nil {
			err = r.Access.Write(have, next)
		}
		if err != nil {
			return err
		}
		return o.valid(snap, target, next)
	}
	var left error // what continue-on-error has not done
	err = o.store.Update(ctx, func(tx *datastore.Tx) error {
		r.Sign(tx, author(r))
		if err := o.store.MayWrite(target, r.Session.ID()); err != nil {
			return err
		}
		have := tx.Datastore(target)
		next, err := e.apply(have, r.Access)
		if next == nil {
			return err
		}
		left = err
		r.Incomplete(left)
		// Running and startup are validated in any case.
		if test == "test-then-set" && target == datastore.Candidate {
			if err := o.store.Test(tx.Running(), next); err != nil {
				return err
			}
		}
		if err := r.Write(target, have, next); err != nil {
			return err
		}
		tx.Set(target, next)
		return nil
	})
	if err != nil {
		return err
	}
	return left
}

// readEdit reads the edit of a request.
func (o *operations) readEdit(ctx context.Context, r *netconf.Request) (e edit, err error) {
	e.op, e.partly = data.MergeOp, r.Input.Leaf("error-option") == "continue-on-error"
	if name := r.Input.Leaf("default-operation"); name != "" {
		e.op, _ = data.ParseOp(name) // the schema has checked it
	}
	from, err := o.place(r.Input, "")
	if err != nil {
		return e, err
	}
	if e.tree, err = o.parse(ctx, from, data.Parser{Edit: true}); err != nil {
		return e, err
	}
	e.secrets, err = o.storedValues(e.tree)
	return e, err
}

// apply returns what the edit makes of a tree. With continue-on-error it may return
// both a tree and an error: what could be done, and what could not. A default-operation
// of replace replaces all that the datastore has [RFC 6241 section 7.2]. Whether a node
// that is hidden from the user is there is not told [RFC 8341 section 3.2.5].
func (e *edit) apply(have *data.Node, access *nacm.Access) (*data.Node, error) {
	next, err := data.ApplyPartly(have, e.tree, e.op, func(at *data.Loc, op data.Op, err *rpcerr.Error) *rpcerr.Error {
		if denied := access.Conceals(at, required(op)); denied != nil {
			return denied
		}
		return err
	})
	if err != nil && !e.partly {
		return nil, err
	}
	if e.op == data.Replace {
		for c := range have.Children() {
			s := c.Schema()
			if s.Multiple() && e.tree.Entry(s, c.Key()) == nil || !s.Multiple() && e.tree.Get(s) == nil {
				next = next.Without(s, c.Key())
			}
		}
	}
	for _, v := range e.secrets {
		next = v.put(next)
	}
	return next, err
}

// required is the right that an operation takes, when it does anything [RFC 8341 section
// 3.2.5].
func required(op data.Op) nacm.Operation {
	switch op {
	case data.Create:
		return nacm.Create
	case data.Delete:
		return nacm.Delete
	}
	return nacm.Update
}

// valid holds a tree that a datastore of a snapshot may become to the schema.
func (o *operations) valid(snap *datastore.Snapshot, name datastore.Name, tree *data.Node) error {
	if name == datastore.Startup {
		return o.store.Validator().Tree(tree, true)
	}
	return o.store.Test(snap.Running, tree)
}
