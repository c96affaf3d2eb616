package audit

import (
	"context"
	"sync/atomic"

	"incidentd/datastore"
	"incidentd/datastore/journal"
)

// Break lets storing fail until the function that it returns is called. It is called
// before the first record that is to be lost, and while none waits.
func (l *Log) Break(err error) (mend func()) {
	update := l.update
	var whole atomic.Bool
	l.update = func(ctx context.Context, f func(*datastore.Tx) error) error {
		if whole.Load() {
			return update(ctx, f)
		}
		return err
	}
	return func() { whole.Store(true) }
}

// Follow says what is wrong with a record of this body in the place after the n-th.
func Follow(store *datastore.Store, n int, body []byte) (fault string) {
	c := store.Journal().Cursor(0, Stream)
	var at head
	for range n {
		r, err := c.TryNext()
		if err != nil || r == nil {
			panic("no such record")
		}
		if at, fault = follow(store, r, at); fault != "" {
			return fault
		}
	}
	_, fault = follow(store, &journal.Record{Name: recordName, Body: body}, at)
	return fault
}
