package alarm

import (
	"context"

	"incidentd/datastore"
	"incidentd/yang/data"
)

// PurgeIf purges the alarms of a list that are chosen.
func (a *Alarms) PurgeIf(ctx context.Context, onShelf bool, choose func(Key) bool) (int, error) {
	nothing := func(*datastore.Tx) {}
	return a.sweep(ctx, onShelf, func(n *data.Node) bool { return choose(keyOf(n)) }, (*Edit).purge, nothing, nothing)
}
