// Package linkmetrics makes of what OAM tests found the metrics of links that whoever
// computes paths needs: incidentd-link-metrics, with the names, units and ranges of RFC 7471
// and RFC 8570, at the links of the topology.
//
// A test names the links that it measures, and which of its two ways each is. Delays of one
// way are taken where the clocks of both ends permit; otherwise half of those there and back,
// and the metrics say so. Loss of one way is what the far end has counted; otherwise the part
// that each way would lose if both lost the same, and the metrics say so too.
//
// # Damping
//
// Paths that are computed anew for noise do more harm than metrics that are a little wrong
// [RFC 7471 sections 5 to 7]. What was found becomes the metrics of a link when the mean
// delay, the shortest delay or the loss differs enough from what they are, or the A bit
// differs, and not before they have stood for the least interval; the latest result wins then.
// The longest delay and the variation, which a single packet can move, only go with the others.
//
// # State
//
// Metrics are stored state of the store, below the link, so that a subscription on change
// tells each of them, and that a restart forgets none. They go when the link, the test or
// its metric-link goes, with the same commit.
//
// # Concurrency
//
// Observe is called by whoever has a result, and only leaves it in a map, one a link; Run is
// the one goroutine that writes. The methods of datastore.Participant run in the writer of
// the store.
package linkmetrics
