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
// The parser is our own. The library at hand, go-syslog, reads what the RFCs say; of a
// line of IOS XR it makes one text, without time, host and process. Where it finds these
// we find the same, which a test shows.
package syslog
