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
// # Trees
//
// Running is the configuration. State is what the server itself knows: incidents,
// alarms, and nodes of system origin; it is stored like the configuration.
// Operational is both together, and what Providers make when they are asked.
//
// # Concurrency
//
// One goroutine, the writer, runs all functions given to Update; they must not
// wait for anything but the disk. It ends in Close. Hooks of a Tx run in the
// writer as well, after the commit and before Update returns, in the order of the
// transactions.
//
// # Layout
//
// Three tables of datastore/kv (layout 1):
//
//	names    two bytes, big-endian, to the qualified name of a schema node,
//	         module:name, that they stand for in keys; numbers are never reused
//	running  the nodes of the configuration
//	state    the nodes of the stored state
//
// The key of a node is the way to it from the root, a step for each node: the two
// bytes of its name and, for an entry, its key with 0x00 written as 0x00 0x01,
// ended by 0x00 0x00. Leafs, leaf-list entries, list entries and containers with
// presence have a row; other containers are there when something below them is,
// and key leafs are in their entry's key. The value is the leaf's text; of an
// entry that the user ordered, its place in four bytes, big-endian.
package datastore
