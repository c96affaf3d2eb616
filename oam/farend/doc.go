// Package farend is what far ends of tests over UDP have in common: who is answered, how
// often, and over which sockets.
//
// # Nobody is hurt
//
// A far end answers what anybody can forge. So it answers only those who are allowed, each
// only so often, and an answer is never larger than what the service's packets are. That
// leaves loops: a packet in the name of another far end, or of any service that answers,
// would be answered for ever. RFC 8762 and RFC 862 leave that to filters on the way [BCP 38].
// Here there are three rules, of which a service takes those that suit it:
//
//   - What comes from a system port is refused: services have these, and no sender. STAMP
//     excepts its own, 862, which some senders use.
//   - A service whose answers look different from its questions refuses answers, as S-BFD
//     does with a bit for it [RFC 7880]. Its own doc tells how.
//   - Of a service whose answers are its questions, an answer goes one hop less than what it
//     answers could have gone on. Two ends then stop after 255 rounds at most.
//
// # Concurrency
//
// An End has a goroutine for each socket. It answers one packet at a time; the kernel keeps
// what comes meanwhile, and drops what it cannot keep.
package farend
