// Package kafka is the source of events from topics of Kafka. The protocol is that of
// github.com/twmb/franz-go, which is pure Go, maintained, and knows groups of consumers.
//
// # At least once
//
// A run polls some records, has their events stored, commits their offsets, and polls again.
// Between the two a crash lets records come again; their events are known by their ids
// then. When the store is slow nothing is polled, and Kafka keeps what comes.
//
// While records of a poll are at work the group does not take partitions away. A store that
// stands still for more than the group's patience loses them all the same: the commit fails,
// and whoever has the partition then gets the records again.
//
// # Concurrency
//
// A run is one goroutine beside those of the client, which tells of connections and of
// partitions by callbacks.
package kafka
