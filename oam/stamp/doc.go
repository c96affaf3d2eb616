// Package stamp measures by the Simple Two-way Active Measurement Protocol [RFC 8762]
// with its optional extensions [RFC 8972], at both ends: Node.Engine is the engine of
// stamp tests, a Session-Sender, and Reflect is a Session-Reflector. Both talk to TWAMP
// Light [RFC 5357 appendix I] as well.
//
// A stateful reflector counts what it gets, so the sender can tell on which way a packet
// was lost. Packets that the reflector got after the last one whose reply arrived count as
// lost on the way there: nobody can tell.
//
// Delays in one direction are told when they mean something: both ends are this very
// process, or both tell that their clock is synchronised.
//
// Of the extensions of RFC 8972 a sender uses Extra Padding, for packets of a size, Class of
// Service, to learn what became of the DSCP, and HMAC. A reflector knows these too,
// copies the others back with the flag U, and its replies are as long as what it got.
//
// A reflector refuses replies, which it tells by their second timestamp, so that no forged
// packet sets two reflectors on each other; package farend has the rest of who is refused.
package stamp
