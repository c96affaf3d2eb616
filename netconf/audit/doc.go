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
// The record of an RPC that changes a durable datastore is written by the transaction of
// the change, and with it, in front, all records that wait: one is not on disk without
// the other, and both take one fsync. Other records are written in batches in the
// background, a tenth of a second after the first at the latest, as one transaction. So a
// crash may lose the records of reads, of refusals and of logins of the last tenth of a
// second; nothing else. The change of a local command leaves a row from which Open makes
// the record if a crash comes between the two. When a batch cannot be stored, for a full
// disk say, its records stand in the log, and the next record that can be stored says how
// many there were.
//
// # Concurrency and back-pressure
//
// The methods of a Log may be called by any goroutine, until Close. The chain is
// continued in transactions alone, whose order is that of the records: each reads its end
// from the store. One goroutine, of Open, begins the transaction of a batch, and writes
// the log, so that no disk and no terminal holds up the writer of the store. Between it
// and the callers is a bounded queue; who finds it full waits.
//
// # Keys
//
// Table "audit": "head" to the number of the last record (8 bytes, big-endian) and its
// hash (32 bytes); "pending" to a local command's change of running that has no record
// yet, as JSON.
package audit
