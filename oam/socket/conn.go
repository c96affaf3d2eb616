package socket

import (
	"net/netip"
	"time"
)

// Kind is what a socket carries.
type Kind int

// The kinds. ICMP sockets are those of the kernel's ping, which gives every socket an
// identifier of its own, where the system permits them, and raw ones elsewhere.
const (
	UDP Kind = iota
	ICMP
	Raw // of the protocol in Options
)

// Options of a socket; the zero value is the system's.
type Options struct {
	// Port is the local port of UDP; 0: any.
	Port uint16
	// Protocol is that of Raw, such as 6 for TCP.
	Protocol int
	// DSCP of what is sent [RFC 2474].
	DSCP uint8
	// HopLimit is the TTL or hop limit of what is sent; 0: the system's.
	HopLimit int
	// DoNotFragment makes the packets larger than the link an error, and those larger than
	// the path one of a router's. What the kernel has learned of the path does not matter.
	DoNotFragment bool
	// Errors has Receive return the ICMP errors about what was sent (Message.Error).
	Errors bool
	// Connect is the only peer; an invalid one: anybody. An address without a port is for
	// kinds that have none.
	Connect netip.AddrPort
}

// Message is what Receive tells of a packet beside its content.
type Message struct {
	From netip.AddrPort
	To   netip.Addr // the address of this host; zero when the system does not tell
	// At is when the packet came: by the kernel's clock if Kernel, else when it was read.
	// It has a monotonic reading, so that differences are right when a clock is set.
	At     time.Time
	Kernel bool
	// HopLimit and TrafficClass are those with which it came; -1 when the system does not
	// tell.
	HopLimit, TrafficClass int
	// Error is the ICMP error about a packet that was sent. The content is then that of the
	// packet, as far as the router sent it back, and From is where it was sent to.
	Error *ICMPError
}

// ICMPError is what a router, a host or the own system says of a packet.
type ICMPError struct {
	Type, Code uint8
	// Offender is who says it; zero when it is the own system.
	Offender netip.Addr
	// MTU is the size that would have fitted, for "packet too big"; 0: not told.
	MTU int
	// Errno is the system's number for it, such as EHOSTUNREACH.
	Errno uint32
}
