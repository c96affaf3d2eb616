// Package oam runs tests of the network: those of ietf-oam-unitary-test and the
// sequences of ietf-oam-test-sequence, with the types that incidentd-oam-tests gives
// them [draft-contreras-opsawg-scheduling-oam-tests-02]. DESIGN.md tells what was decided
// where the draft leaves room.
//
// # Tests
//
// A Manager takes part in the commits of running: what has no meaning is refused, the rest
// is made ready at once, so that what keeps a test from running is told when it is
// configured and not when it is due. Each test and each sequence has a state machine, those
// of figures 2 and 4 of the draft; every edge is in one table, and taken in one function,
// which alone announces it. Package schedule tells when a test is due. Admission then gives
// it a place or lets it wait, an engine measures, and the run is closed: a record, a
// notification, and the next state.
//
// # Engines
//
// What a test does on the wire is for an Engine, one package each; New is handed those
// there are, by the name of the case of the choice test-type. An engine reads the
// parameters into a Test, which tells what a run would take, checks whether one can
// begin, and runs. A Budget holds it to what it told.
//
// # Errands
//
// What diagnoses an incident runs tests that nobody configured. An Errand is such a test: it
// has a place, limits and a budget as any other, its begin is on disk before its first
// packet, and its end is announced. Its result is for whoever sent it to keep.
//
// # Durability
//
// The begin of a run is on disk before its first packet. Its end, the progress of its test
// and the notification of it are one transaction, and its place is free only after that. A
// run that is open when a store is opened was cut off by the server's end: it is closed
// with server-restart, once.
//
// # Layout
//
// Eight tables. The key of a test is a byte for its kind, its name, and a zero byte.
//
//	oam-crossings eight bytes, big-endian, to a crossing of supervision that is to be told
//	oam-raised    key to the crossing that is raised
//	oam-errands   run-id to the run of a test that is not configured, while it is under way
//	oam-open      run-id to the run, while it is under way
//	oam-progress  key to what a test needs to go on after a restart
//	oam-runs      key and a number of four bytes, big-endian, to a run: the last ones of each
//	oam-certificates, oam-documents
//	              the name of a sequence, a zero byte and a run-id to the certificate of the
//	              run: what is told of it, and the document
//
// Values are JSON, but for documents, which are what the Certifier made.
//
// # Concurrency
//
// All of a Manager's state is guarded by one mutex, which nobody holds while he waits for
// the disk, an engine or the network. One goroutine is the timer's, one writes records, one
// asks engines whether tests can run, with others beside it while that takes long; each run
// has two. The participant's methods run in the writer of the store and take the mutex for
// moments.
package oam
