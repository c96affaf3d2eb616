// Package server puts the parts of incidentd together and runs their life cycle:
// the data directory, the store, the incidents, the NETCONF operations, the users
// and the SSH transport.
//
// # The data directory
//
// All that a server keeps stands in one directory of mode 0700:
//
//	store.db   datastores, notifications and events, over datastore/kv (0600)
//	host_key   the private key of the SSH server, ed25519 in PEM (0600)
//	keys/      keys that tests and reflectors name, made by the administrator (0600)
//	lock       locked by whoever works with the directory (0600)
//
// Init makes it, whole or not at all: the store is put into place last, and a
// directory with a store is one that is initialised. Backup writes host key and
// store into one tar file with a manifest of checksums, Restore reads it back.
//
// # Life cycle
//
// New opens everything and changes nothing that peers could see, Start listens,
// and Stop undoes what was done, each step in turn, last in first out, in bounded
// time: listener and sessions, the passing of time in the incident manager, the
// background work on the journal, the datastores, the store, the directory.
//
// # Concurrency
//
// The methods of a Server may be called by any goroutine; New, Start and Stop one
// after the other.
package server
