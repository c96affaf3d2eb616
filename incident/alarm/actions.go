package alarm

import (
	"context"
	"errors"
	"time"

	"incidentd/datastore"
	"incidentd/netconf"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
	"incidentd/yang/xpath"
)

// Register registers the actions of RFC 8632 with a server of the same store.
func (a *Alarms) Register(s *netconf.Server) error {
	action := func(n *yang.Node, name string, h netconf.Handler) error {
		for _, op := range n.Operations {
			if op.Kind == yang.Action && op.Name == name {
				return s.HandleAction(op, h)
			}
		}
		return errors.New("alarm: the schema has no action " + name)
	}
	return errors.Join(
		action(a.nodes.listed.entry, "set-operator-state", a.setOperatorState),
		action(a.nodes.list, "purge-alarms", a.purgeAlarms(false)),
		action(a.nodes.shelf, "purge-shelved-alarms", a.purgeAlarms(true)),
		action(a.nodes.list, "compress-alarms", a.compressAlarms(false)),
		action(a.nodes.shelf, "compress-shelved-alarms", a.compressAlarms(true)),
	)
}

// setOperatorState answers set-operator-state.
func (a *Alarms) setOperatorState(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	k := keyOf(r.At.Node)
	return nil, a.store.Update(ctx, func(tx *datastore.Tx) error {
		r.Sign(tx, r.Author())
		old := tx.State()
		e := a.Begin(tx)
		if !e.SetOperatorState(k, State(r.Input.Leaf("state")), r.Session.User(), r.Input.Leaf("text")) {
			// It was there when the action was read.
			return rpcerr.DataMissing("the alarm is not in the list any more: it was purged or shelved").At(r.At.Path())
		}
		err := e.Done()
		r.Changed(datastore.Operational, old, tx.State())
		return err
	})
}

// purgeAlarms answers purge-alarms and purge-shelved-alarms. Of many alarms some are purged
// in each transaction, so that others are not held up; each has its record in the audit.
func (a *Alarms) purgeAlarms(onShelf bool) netconf.Handler {
	return func(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
		f, n := filterOf(r.Input, time.Now()), a.nodes.of(onShelf)
		return a.swept(ctx, r, onShelf, func(alarm *data.Node) bool { return f.passes(alarm, n) }, (*Edit).purge, "purged-alarms")
	}
}

// compressAlarms answers compress-alarms and compress-shelved-alarms.
func (a *Alarms) compressAlarms(onShelf bool) netconf.Handler {
	return func(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
		n := a.nodes.of(onShelf)
		resource, err := a.resourceOf(r, onShelf)
		if err != nil {
			return nil, err
		}
		input := func(name string) (value string, given bool) {
			c := r.Input.Child(name)
			return r.Input.Leaf(name), c != nil
		}
		typeID, byType := input("alarm-type-id")
		qualifier, byQualifier := input("alarm-type-qualifier")
		return a.swept(ctx, r, onShelf, func(alarm *data.Node) bool {
			k := keyOf(alarm)
			return alarm.Count(n.status) > 1 && (!byType || k.TypeID == typeID) && (!byQualifier || k.Qualifier == qualifier) && resource(k.Resource)
		}, (*Edit).compress, "compressed-alarms")
	}
}

// resourceOf is the parameter resource: a resource-match for the list, a name for the
// shelves.
func (a *Alarms) resourceOf(r *netconf.Request, onShelf bool) (func(string) bool, error) {
	leaf := r.Input.Child("resource")
	switch {
	case leaf == nil:
		return func(string) bool { return true }, nil
	case onShelf:
		return func(resource string) bool { return resource == leaf.Value() }, nil
	}
	m, err := parseResourceMatch(a.schema, leaf)
	if err != nil {
		path := r.At.Path()
		path.Expr += "/al:compress-alarms/al:resource"
		return nil, rpcerr.InvalidValue("%q selects no resources: %v", leaf.Value(), err).At(path).WithInfo("", "bad-element", "resource")
	}
	var nodes func(*xpath.Expr, string) bool
	if m.path != nil {
		nodes = selects(a.schema, a.store.Snapshot().Operational)
	}
	return func(resource string) bool { return m.matches(resource, nodes) }, nil
}

// swept answers an action that changes many alarms by how many there were.
func (a *Alarms) swept(ctx context.Context, r *netconf.Request, onShelf bool, choose func(*data.Node) bool, change func(*Edit, *touched) bool, output string) (*netconf.Reply, error) {
	var old *data.Node
	count, err := a.sweep(ctx, onShelf, choose, change, func(tx *datastore.Tx) {
		r.Sign(tx, r.Author())
		old = tx.State()
	}, func(tx *datastore.Tx) {
		if tx.State() != old {
			r.Changed(datastore.Operational, old, tx.State())
		}
	})
	if err != nil {
		return nil, err
	}
	return &netconf.Reply{Output: r.Output().Uint(output, uint64(count)).Node()}, nil
}
