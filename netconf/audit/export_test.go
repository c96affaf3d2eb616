package audit

import (
	"context"
	"sync/atomic"

	"incidentd/datastore"
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
