// Package audit records who did what on a server: each login and failed login, each
// RPC, each end of a session and each local command. The records are notifications of
// incidentd-audit in the stream "audit" of the journal, and lines of the log.
//
// # The chain
//
// Each record holds the hash of the one before and its own: SHA-256 of its XML as the
// journal has it, without the element hash. Verify goes through the chain and finds
// the first record that was changed, removed or added. It knows where the chain begins
// by the last record that retention has deleted, which the journal keeps, and where it
// ends by a row beside the stream.
//
// # What can be lost
//
// Records are written in batches in the background, a tenth of a second after the first
// at the latest, as one transaction. An RPC that has changed a durable datastore waits
// for its record, so its reply says that the change and the record are on disk. A crash
// between the two leaves a row from which Open makes the record, for running. So a crash
// may lose the records of reads, of refusals and of logins of the last tenth of a
// second; nothing else. When a batch cannot be stored, for a full disk say, its
// records stand in the log, and the next record that can be stored says how many there
// were.
//
// # Concurrency and back-pressure
//
// The methods of a Log may be called by any goroutine, until Close. One goroutine, of
// Open, owns the chain and writes. Between it and the callers is a bounded queue; who
// finds it full waits.
//
// # Keys
//
// Table "audit": "head" to the number of the last record (8 bytes, big-endian) and its
// hash (32 bytes); "pending " and a session-id (4 bytes, big-endian) to a change of
// running that has no record yet, as JSON.
package audit
