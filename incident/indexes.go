package incident

import (
	"sync"
	"sync/atomic"
	"time"

	"incidentd/datastore"
	"incidentd/incident/topology"
	"incidentd/yang/data"
)

// indexed is a topology and what it was made of. It does not change.
type indexed struct {
	networks *data.Node
	index    *topology.Index
}

// indexes makes the index of the networks in running: outside of the writer of the store, as
// it takes a second for 100,000 nodes. It is safe for concurrent use.
type indexes struct {
	making sync.Mutex // held while one is made
	cost   time.Duration
	made   time.Time
	last   atomic.Pointer[indexed]
}

// dear is what an index may cost without a pause before the next one, and rest the pause by
// which the making of dear ones is kept to a tenth of a core when a large network is edited
// again and again.
const (
	dear = 50 * time.Millisecond
	rest = 9
)

// latest is the index that was made last; there is one since of was called.
func (x *indexes) latest() *indexed { return x.last.Load() }

// of makes the index of networks, unless it is the latest.
func (x *indexes) of(networks *data.Node) *indexed {
	x.making.Lock()
	defer x.making.Unlock()
	return x.make(networks)
}

// follow makes the index of the networks of running as they are, unless that has to wait;
// then it says for how long. Who reports events has those he has configured judged by
// them: only a large network that has just been changed before waits.
func (x *indexes) follow(store *datastore.Store) (wait time.Duration) {
	if store.Snapshot().Running.Child("networks") == x.latest().networks {
		return 0
	}
	x.making.Lock()
	defer x.making.Unlock()
	if wait := time.Until(x.made.Add(rest * x.cost)); x.cost > dear && wait > 0 {
		return wait
	}
	x.make(store.Snapshot().Running.Child("networks"))
	return 0
}

func (x *indexes) make(networks *data.Node) *indexed {
	if is := x.latest(); is != nil && is.networks == networks {
		return is
	}
	began := time.Now()
	is := &indexed{networks, topology.Build(topology.FromData(networks), topology.InventoryFromData(networks))}
	x.made = time.Now()
	x.cost = x.made.Sub(began)
	x.last.Store(is)
	return is
}
