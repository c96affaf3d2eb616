// Package netconf is the protocol engine of the server [RFC 6241]: the exchange
// of hellos, sessions, the envelope of RPCs and their dispatch to handlers. What
// the operations do is in packages ops, subscribe and those above; they register
// a [Handler] for each rpc of the schema and see data trees, never bytes.
//
// # A session
//
// [Server.Serve] runs one session over a [Conn]: it sends its hello at once, waits
// for the client's, and answers RPCs until the client closes the session or the
// connection, another session kills it, or the server stops. A hello that is none
// ends the session without an answer, because before the hellos nothing is agreed
// in which one could be given.
//
// An rpc that is not well formed is answered with malformed-message when base:1.1
// was agreed, and ends a session of base:1.0, which does not have that error [RFC
// 6241 appendix A]. A broken framing always ends the session: where the next
// message begins is then unknown.
//
// # Concurrency and back-pressure
//
// A session has a goroutine that reads, one that answers (that of Serve) and one
// that closes the connection when the session ends; handlers may add others with
// [Session.Go]. RPCs of a session run one after the other in the order of their
// arrival; sessions run side by side. A bounded number of RPCs and of their bytes
// waits; beyond it the session is no longer read, and the transport pushes back.
//
// Messages to the peer take turns, so that notifications stand between replies and
// never inside one. Who does not read what we send holds up his own session only;
// when a piece of a message cannot be written for Limits.Stall, his connection is
// aborted.
//
// When a session ends its handlers' context is cancelled, goroutines of Session.Go
// are waited for, functions of [Session.OnEnd] run, locks are given back, and Serve
// returns.
package netconf
