package ops

import (
	"context"
	"strconv"
	"time"

	"incidentd/datastore"
	"incidentd/netconf"
	"incidentd/yang/rpcerr"
)

// commit answers <commit> [RFC 6241 sections 8.3.4.1 and 8.4]. The user needs the right
// to what makes the difference of the candidate to running, and to nothing else [RFC
// 8341 section 3.2.6].
func (o *operations) commit(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	options, err := commitOptions(r)
	if err != nil {
		return nil, err
	}
	return nil, o.store.Update(ctx, func(tx *datastore.Tx) error {
		r.Sign(tx, author(r))
		old := tx.Running()
		if err := tx.Commit(options); err != nil {
			return err
		}
		return r.Write(datastore.Running, old, tx.Running())
	})
}

// commitOptions reads the parameters of a commit. Those that only a confirmed commit
// has do not stand alone: who forgets <confirmed/> must not get a commit for good.
func commitOptions(r *netconf.Request) (datastore.CommitOptions, error) {
	options := datastore.CommitOptions{Confirmed: r.Input.Has("confirmed"), Persist: r.Input.Leaf("persist"), PersistID: r.Input.Leaf("persist-id")}
	for _, p := range []string{"confirm-timeout", "persist"} {
		if r.Input.Has(p) && !options.Confirmed {
			return options, rpcerr.MissingElement("confirmed", "%s is a parameter of a confirmed commit", p)
		}
	}
	if r.Input.Has("confirm-timeout") {
		seconds, err := strconv.ParseUint(r.Input.Leaf("confirm-timeout"), 10, 32)
		if err != nil {
			return options, err
		}
		options.Timeout = time.Duration(seconds) * time.Second
	}
	return options, nil
}

// cancelCommit answers <cancel-commit> [RFC 6241 section 8.4.4.1].
func (o *operations) cancelCommit(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	return nil, rollbackFailed(r, o.store.Update(ctx, func(tx *datastore.Tx) error {
		r.Sign(tx, author(r))
		old := tx.Running()
		if err := tx.CancelCommit(r.Input.Leaf("persist-id")); err != nil {
			return err
		}
		r.Changed(datastore.Running, old, tx.Running())
		return nil
	}))
}

// rollbackFailed tells of a way back that could not be gone for no fault of the client's
// [RFC 6241 appendix A]: the store is full or broken, or the schema no longer has what
// was there.
func rollbackFailed(r *netconf.Request, err error) error {
	list, known := rpcerr.List(err)
	if err == nil || known && list[0].Tag != rpcerr.TagResourceDenied {
		return err
	}
	r.Session.Log().Error("a rollback failed", "rpc", r.RPC.QName(), "err", err)
	why := "the log of the server has the cause"
	if known {
		why = list[0].Message
	}
	return rpcerr.New(rpcerr.Application, rpcerr.TagRollbackFailed, "nothing was rolled back: %s", why)
}

// discardChanges answers <discard-changes> [RFC 6241 section 8.3.4.2]. It takes no
// rights but the one to call it [RFC 8341 section 3.2.7].
func (o *operations) discardChanges(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	return nil, o.store.Update(ctx, func(tx *datastore.Tx) error {
		r.Sign(tx, author(r))
		if err := o.store.MayWrite(datastore.Candidate, r.Session.ID()); err != nil {
			return err
		}
		old := tx.Datastore(datastore.Candidate)
		tx.Discard()
		r.Changed(datastore.Candidate, old, tx.Running())
		return nil
	})
}
