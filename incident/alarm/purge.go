package alarm

import (
	"context"

	"incidentd/datastore"
	"incidentd/yang/data"
)

// atOnce is how many alarms one transaction purges or compresses: nobody waits long for it.
const atOnce = 1000

// sweep has alarms of one of the two lists looked through, and those that are chosen
// changed, some in each transaction. choose looks at an alarm as it was when sweep began,
// and again in the transaction; change reports whether it did anything. begin and end
// are called first and last in each transaction. It returns how many alarms were changed;
// with an error, those that were changed before stay so.
func (a *Alarms) sweep(ctx context.Context, onShelf bool, choose func(*data.Node) bool, change func(*Edit, *touched) bool, begin, end func(*datastore.Tx)) (total int, err error) {
	n, c := a.nodes.of(onShelf), a.nodes.list
	if onShelf {
		c = a.nodes.shelf
	}
	var chosen []Key
	flush := func() error {
		count := 0
		err := a.store.Update(ctx, func(tx *datastore.Tx) error {
			begin(tx)
			count = 0
			e := a.Begin(tx)
			for _, k := range chosen {
				if t := e.alarm(k); t.is != nil && t.onShelf == onShelf && choose(t.is) && change(e, t) {
					count++
				}
			}
			if err := e.Done(); err != nil {
				return err
			}
			end(tx)
			return nil
		})
		if err == nil {
			total += count
		}
		chosen = chosen[:0]
		return err
	}
	for entry := range a.store.Snapshot().State.Get(a.nodes.top).Get(c).EntriesOf(n.entry) {
		if !choose(entry) {
			continue
		}
		if chosen = append(chosen, keyOf(entry)); len(chosen) == atOnce {
			if err := flush(); err != nil {
				return total, err
			}
		}
	}
	return total, flush()
}

// purge takes an alarm out, unless something that is open refers to it.
func (e *Edit) purge(t *touched) bool {
	if e.a.c.Open(e.tx, t.key) {
		return false
	}
	t.is = nil
	return true
}

// compress drops all but the latest change of an alarm's status.
func (e *Edit) compress(t *touched) bool { return e.trim(t, 1) }
