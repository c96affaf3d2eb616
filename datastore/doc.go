// Package datastore keeps the datastores of the server [RFC 8342] as immutable
// trees, and changes them in one way only: the transaction.
//
// # Transactions
//
// Store.Update hands its function a Tx: the trees as the transaction before left
// them, to be replaced by new ones, with notifications and rows of other packages
// beside them. When the function returns, the change is validated, and it, its
// notifications and its rows are written in one transaction of the store below.
// Update returns nil when all of it is on disk. Transactions that come together
// share one fsync: the writer takes all that wait, runs them one after the other,
// each on the result of the one before, and commits them as a group. One that
// fails leaves the others alone.
//
// Readers take a Snapshot and keep it as long as they like; they never wait.
//
// # Datastores
//
// Each datastore of RFC 8342 has a Name, by which snapshots and transactions give
// its tree. Running is the configuration. Startup is a second one, stored as well,
// that only copies and edits of its own change. The candidate is in memory alone: it
// is what running is, and follows it, until it is edited; Tx.Commit makes it running.
// Intended is what running is. Factory-default is stored when the store is made. Operational is configuration and state together, and
// what Providers make when they are asked. State is what the server itself knows:
// incidents, alarms, and nodes of system origin; it is stored like the configuration.
//
// # Commits
//
// A change of running is prepared by Participants before it is written, and they learn
// whether it was. It is a Commit of the history, with its author and with what it takes
// to go back: Store.At, Store.Difference, Tx.Rollback. A confirmed commit [RFC 6241
// section 8.4] that is not confirmed in time, whose session ends, or that the store was
// closed with, is reverted by the store.
//
// # Concurrency
//
// One goroutine, the writer, runs all functions given to Update; they must not
// wait for anything but the disk. It ends in Close. Hooks of a Tx run in the
// writer as well, after the commit and before Update returns, in the order of the
// transactions. So do Participants, and what reverts a confirmed commit.
//
// # Layout
//
// Seven tables of datastore/kv (layout 4; layout 1 had the first, second and fifth):
//
//	names    two bytes, big-endian, to the qualified name of a schema node,
//	         module:name, that they stand for in keys; numbers are never reused
//	running  the nodes of the configuration
//	startup  the nodes of the startup configuration
//	factory-default  the nodes of the configuration that a reset puts back
//	state    the nodes of the stored state
//	history  a commit's number, eight bytes, big-endian, to its author and time, and
//	         the way back to what was before it
//	confirm  "pending" to the confirmed commit that waits
//
// The key of a node is the way to it from the root, a step for each node: the two
// bytes of its name and, for an entry, its key with 0x00 written as 0x00 0x01,
// ended by 0x00 0x00. Leafs, leaf-list entries, list entries and containers with
// presence have a row; other containers are there when something below them is,
// and key leafs are in their entry's key. The value is the leaf's text; of an
// entry that the user ordered, its place in four bytes, big-endian. Only rows that a
// change makes others are written.
//
// In state the row of an entry that the system orders holds all that is in the entry, as
// packed.go and packed_stored.go of package data tell, after a byte 0. Where that is too much
// or has what the user orders, the entries below have rows of their own, and the row holds
// all else: for each node that would have a row, the way from the entry and the value, each
// with its length before it as a varint. So had all entries in layout 3. Nodes of an entry whose
// row is empty have rows of their own, as in layout 2, until the entry is written again.
//
// Numbers in the rows of history and confirm are varints, times are nanoseconds since
// 1970, texts have their length before them. The way back is a row of steps: nodes that
// are removed, or put back with all their rows, from the last step to the first; and
// then the orders of entries to be restored. A key in it is the number of bytes that it
// shares with the key before, and the rest.
package datastore
