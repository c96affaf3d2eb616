// Package icmp is the engine of icmp-echo: ICMP and ICMPv6 echo [RFC 792, RFC 4443].
//
// All runs at one vantage point with the same DSCP share a socket, and tell their answers
// apart by a token in the payload: five hundred sockets that all get every reply of a
// raw socket would measure each other.
package icmp
