// Package transport carries NETCONF messages: the two framings of RFC 6242 and
// the SSH server that the sessions of package netconf run on.
//
// # Framing
//
// A [Reader] cuts a byte stream into messages, a [Writer] does the reverse. Both
// begin with the end-of-message framing that every hello uses; Upgrade switches
// them to chunked framing when both sides have offered base:1.1 [RFC 6242
// section 4.1].
//
// # SSH
//
// A [Server] accepts connections, authenticates users with the [Authenticator]
// it is given and hands each channel with the subsystem "netconf" as a [Conn] to
// a handler. One SSH connection may hold several such channels.
//
// # Concurrency and back-pressure
//
// Each TCP connection has one goroutine that accepts its channels, one that
// answers its requests and one that sends keepalives; each channel has one that
// runs the handler and one that answers the channel's requests. All of them have
// ended when Serve returns.
//
// What a Conn writes at once goes out in pieces of up to 68 KiB, whatever packets SSH makes of
// it, and what has waited a millisecond for the peer's window goes out alone.
//
// A handler that does not read leaves the peer's bytes in a receive window of 2
// MiB, after which the peer has to wait. A peer that does not read blocks Write
// in the same way, with no deadline; nothing but the peer's reading, Abort or
// Close ends that Write. So whoever writes to a Conn bounds what it queues for
// it, and calls Abort when it has waited long enough.
package transport
