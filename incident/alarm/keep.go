package alarm

import (
	"context"
	"time"

	"incidentd/datastore"
	"incidentd/yang/data"
)

// participant takes over a changed configuration.
type participant struct{ a *Alarms }

// Prepare implements datastore.Participant: it refuses expressions that cannot be used, and
// puts alarms and alarm types where the new configuration has them.
func (p participant) Prepare(tx *datastore.Tx) error {
	a, old, new := p.a, tx.Base().Running, tx.Running()
	was, is := old.Get(a.nodes.top), new.Get(a.nodes.top)
	if was != is {
		r, errs := newRules(a.schema, is)
		if err := errs.Err(); err != nil {
			return err
		}
		a.rules.Store(r)
	}
	e := a.Begin(tx)
	control := func(n *data.Node, name string) *data.Node { return n.Child("control").Child(name) }
	if was != is && (control(was, "alarm-shelving") != control(is, "alarm-shelving") || was.Child("control").Leaf("max-alarm-status-changes") != is.Child("control").Leaf("max-alarm-status-changes")) {
		e.resettle()
	}
	if was != is || a.catalogueOf(old) != a.catalogueOf(new) {
		e.inventoryChanged = e.refreshInventory()
	}
	return e.Done()
}

// Commit implements datastore.Participant.
func (participant) Commit(*datastore.Snapshot) {}

// Abort implements datastore.Participant.
func (participant) Abort() {}

// Start begins to do what is done in the background, until Stop: to put alarms on shelves
// that one transaction could not take, and to purge those whose retention is over.
func (a *Alarms) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	a.stop = cancel
	a.poke(nil) // what a restart has cut off goes on
	a.running.Go(func() { a.keep(ctx) })
}

// Stop ends what Start began, and waits for it.
func (a *Alarms) Stop() {
	if a.stop != nil {
		a.stop()
		a.running.Wait()
	}
}

// poke wakes what runs in the background.
func (a *Alarms) poke(*datastore.Snapshot) {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

func (a *Alarms) keep(ctx context.Context) {
	const housekeeping = 10 * time.Minute
	clean := time.NewTicker(housekeeping)
	defer clean.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-a.wake:
			err = a.settleOn(ctx)
		case <-clean.C:
			err = a.expire(ctx)
		}
		if err == nil || ctx.Err() != nil {
			continue
		}
		a.log.Error("alarms cannot be put in order", "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
			a.poke(nil)
		}
	}
}

// settleOn does the next step of settling, if one waits.
func (a *Alarms) settleOn(ctx context.Context) error {
	return a.store.Update(ctx, func(tx *datastore.Tx) error {
		row := tx.Get(tableAlarms, settling)
		if row == nil {
			return nil
		}
		e := a.Begin(tx)
		e.settleFrom(parsePlace(row))
		return e.Done()
	})
}

// expire purges the alarms whose retention is over.
func (a *Alarms) expire(ctx context.Context) error {
	r := a.rulesOf(a.store.Snapshot().Running)
	if r.retention == 0 {
		return nil
	}
	f := filter{cleared: true, olderThan: time.Now().Add(-r.retention)}
	nothing := func(*datastore.Tx) {}
	for _, onShelf := range []bool{false, true} {
		n := a.nodes.of(onShelf)
		count, err := a.sweep(ctx, onShelf, func(alarm *data.Node) bool { return f.passes(alarm, n) }, (*Edit).purge, nothing, nothing)
		if err != nil {
			return err
		}
		if count > 0 {
			a.log.Info("alarms whose retention is over are purged", "count", count, "shelved", onShelf)
		}
	}
	return nil
}
