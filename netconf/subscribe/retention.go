package subscribe

import (
	"math"
	"strconv"
	"time"

	"incidentd/datastore/journal"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// retentionOf is what the configuration says of the streams that it names.
func (p *Publisher) retentionOf(running *data.Node) map[string]journal.Retention {
	all := map[string]journal.Retention{}
	for e := range running.Get(p.nodes.notifications).Entries("retention") {
		age, _ := strconv.ParseUint(e.Leaf("max-age"), 10, 32) // the schema has checked them
		size, _ := strconv.ParseUint(e.Leaf("max-size"), 10, 64)
		all[e.Leaf("stream")] = journal.Retention{MaxAge: time.Duration(age) * time.Second, MaxBytes: int64(min(size, math.MaxInt64))}
	}
	return all
}

// checkRetention refuses a stream that there is not. Streams are no nodes of the
// configuration that a leafref could lead to.
func (p *Publisher) checkRetention(running *data.Node) error {
	var errs rpcerr.Errors
	c := running.Get(p.nodes.notifications)
	at := (&data.Loc{Node: running}).Down(c)
	for e := range c.Entries("retention") {
		if name := e.Leaf("stream"); !p.hasStream(name) {
			errs = append(errs, rpcerr.InvalidValue("there is no stream %q", name).At(at.Down(e).Down(e.Child("stream")).Path()))
		}
	}
	return errs.Err()
}
