// Package bfd has the engine of bfd-liveness: a BFD session in asynchronous mode with a
// system that has it configured, for as long as a run lasts [RFC 5880]: over one hop [RFC
// 5881] or several [RFC 5883], without echo and demand mode, authenticated by meticulous keyed
// SHA1 where there is a key.
//
// Its packets come to a port that only one process of a host can have. Runs share the
// socket. Where the system has sessions of its own, the port is theirs: no run begins there,
// so that a test never meets a session that forwarding hangs on.
//
// At its end a run tells the far end that it goes down on purpose, so that nobody takes that
// for a failure.
//
// # Concurrency
//
// A session belongs to the goroutine of its run. One goroutine for each socket hands it
// packets through a bounded channel; what does not fit is dropped and counted.
package bfd
