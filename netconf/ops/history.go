package ops

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"incidentd/datastore"
	"incidentd/netconf"
	"incidentd/yang/data"
	"incidentd/yang/xmltext"
)

// provideHistory provides the history of incidentd-history.
func (o *operations) provideHistory() error {
	m := o.schema.Module("incidentd-history")
	if m == nil || !m.Implemented {
		return fmt.Errorf("ops: the schema does not implement incidentd-history")
	}
	top := o.schema.Root.Child(m, "history")
	o.store.Provide(top, func(snap *datastore.Snapshot) *data.Node {
		b := data.Build(top).Uint("last", snap.Commit)
		if p := snap.Pending(); p != nil {
			c := b.Container("confirmed-commit").Text("user", p.User)
			if p.Session != 0 {
				c.Uint("session-id", uint64(p.Session))
			}
			c.Time("since", p.Since).Time("deadline", p.Deadline).Bool("persistent", p.Persist != "").Uint("returns-to", p.Base)
		}
		commits, err := o.store.History()
		if err != nil {
			o.log.Error("the history cannot be read", "err", err)
		}
		for _, c := range commits {
			e := b.Entry("commit", strconv.FormatUint(c.Number, 10)).Time("time", c.Time).Text("user", c.User)
			if c.Session != 0 {
				e.Uint("session-id", uint64(c.Session))
			}
			e.Text("source", c.Source).Text("comment", c.Comment)
		}
		return b.Node()
	})
	return nil
}

// compare answers compare of incidentd-history.
func (o *operations) compare(_ context.Context, r *netconf.Request) (*netconf.Reply, error) {
	snap := o.store.Snapshot()
	old, err := o.past(snap, r.Input.Leaf("from"))
	if err != nil {
		return nil, err
	}
	to := "running"
	if r.Input.Has("to") {
		to = r.Input.Leaf("to")
	}
	new, err := o.past(snap, to)
	if err != nil {
		return nil, err
	}
	changes, _ := difference(o.readable(r, old), o.readable(r, new), math.MaxInt)
	out := r.Output()
	for _, c := range changes {
		e := out.Entry("edit").Leaf("operation", c.operation()).Leaf("target", c.target)
		if c.old != nil {
			e.Any("before", xmltext.Raw{Content: data.AppendXML(nil, c.old, "")})
		}
		if c.new != nil {
			e.Any("after", xmltext.Raw{Content: data.AppendXML(nil, c.new, "")})
		}
	}
	return &netconf.Reply{Output: out.Node()}, nil
}

// past is the configuration of a value of the type configuration.
func (o *operations) past(snap *datastore.Snapshot, name string) (*data.Node, error) {
	n, err := strconv.ParseUint(name, 10, 64)
	if err != nil {
		return snap.Datastore(datastore.Name(name)), nil
	}
	return o.store.At(n)
}

// rollback answers rollback of incidentd-history.
func (o *operations) rollback(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	n, err := strconv.ParseUint(r.Input.Leaf("to"), 10, 64)
	if err != nil {
		return nil, err
	}
	target := datastore.Running
	if r.Input.Has("target") {
		target = datastore.Name(r.Input.Leaf("target"))
	}
	by := author(r)
	by.Source = "rollback"
	if by.Comment == "" {
		by.Comment = fmt.Sprintf("rollback to commit %d", n)
	}
	return nil, rollbackFailed(r, o.store.Update(ctx, func(tx *datastore.Tx) error {
		r.Sign(tx, by)
		if err := o.store.MayWrite(target, r.Session.ID()); err != nil {
			return err
		}
		old := tx.Datastore(target)
		new, err := tx.At(n)
		if err != nil {
			return err
		}
		if err := r.Write(target, old, new); err != nil {
			return err
		}
		tx.Set(target, new)
		return nil
	}))
}
