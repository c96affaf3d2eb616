// Package syslog is the source of syslog messages: RFC 5424, the BSD syslog that RFC 3164
// observed, and what routers send in its place, over UDP (RFC 5426), TCP (RFC 6587, by
// octet counting or lines) and TLS (RFC 5425).
//
// # What is read
//
// Parse makes something of every message. Beyond the standards it knows the sequence
// numbers, host names, locations and time zones that Cisco's systems put around the
// time, years in several places, and times without one, which are taken to be of the
// latest year in which they are not ahead of their arrival. The type of a message is its MSGID, or
// what stands for one in the text: %FACILITY-SEVERITY-MNEMONIC of Cisco, TAG_IN_CAPITALS
// of Junos, the unique identifiers of FRRouting. Structured data are values of their own
// names; an element "alarm" (RFC 5674) says which alarm the message is.
//
// The parser is our own. That of the library at hand, go-syslog, is strict, which real
// senders are not: of the samples of this package it refuses two out of three. On what
// both read they agree, which a test shows, and ours takes a third of the time
// (BENCHMARKS.md).
package syslog
