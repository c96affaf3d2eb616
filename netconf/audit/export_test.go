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

// Follower says what is wrong with records of a body in the place after the n-th. It does
// not need the store any more.
func Follower(store *datastore.Store, n int) func(body []byte) (fault string) {
	c := store.Journal().Cursor(0, Stream)
	var at head
	for range n {
		r, err := c.TryNext()
		if err != nil || r == nil {
			panic("no such record")
		}
		var fault string
		if at, fault = follow(store, r, at); fault != "" {
			panic(fault)
		}
	}
	return func(body []byte) string {
		_, fault := follow(store, &journal.Record{Name: recordName, Body: body}, at)
		return fault
	}
}
