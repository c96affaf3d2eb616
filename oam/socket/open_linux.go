package socket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"incidentd/oam"
)

// Conn is an open socket.
type Conn struct {
	file     *os.File
	raw      syscall.RawConn
	six      bool
	datagram bool // of ICMP: the kernel writes the identifier and the checksum
	peer     bool // connected
	errors   bool // Options.Errors
	closed   atomic.Bool

	oob [512]byte // of Receive
}

// Open opens a socket at a vantage point, of IPv6 if six. A *oam.Fault with not-permitted
// says that the system does not let this process have it.
func Open(v oam.Vantage, kind Kind, six bool, o Options) (*Conn, error) {
	var c *Conn
	err := In(v, func() (err error) {
		c, err = open(v, kind, six, o)
		return err
	})
	return c, err
}

func open(v oam.Vantage, kind Kind, six bool, o Options) (*Conn, error) {
	c := &Conn{six: six, errors: o.Errors}
	domain := unix.AF_INET
	if six {
		domain = unix.AF_INET6
	}
	const flags = unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK
	var fd int
	var err error
	switch kind {
	case UDP:
		fd, err = unix.Socket(domain, unix.SOCK_DGRAM|flags, unix.IPPROTO_UDP)
		if err == nil && six { // a socket of IPv4 may have the same port
			if err = unix.SetsockoptInt(fd, unix.SOL_IPV6, unix.IPV6_V6ONLY, 1); err != nil {
				unix.Close(fd)
			}
		}
	case ICMP:
		protocol := unix.IPPROTO_ICMP
		if six {
			protocol = unix.IPPROTO_ICMPV6
		}
		c.datagram = true
		if fd, err = unix.Socket(domain, unix.SOCK_DGRAM|flags, protocol); err != nil {
			c.datagram = false
			if fd, err = unix.Socket(domain, unix.SOCK_RAW|flags, protocol); err == nil {
				err = onlyReplies(fd, six)
			}
		}
	case Raw:
		fd, err = unix.Socket(domain, unix.SOCK_RAW|flags, o.Protocol)
	}
	if err != nil {
		if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
			return nil, oam.Faultf(oam.NotPermitted, "the system does not permit the socket: it takes root, CAP_NET_RAW or, for ICMP, a group within net.ipv4.ping_group_range")
		}
		return nil, os.NewSyscallError("socket", err)
	}
	if err := c.prepare(fd, v, o); err != nil {
		unix.Close(fd)
		return nil, err
	}
	c.file = os.NewFile(uintptr(fd), "socket")
	if c.raw, err = c.file.SyscallConn(); err != nil {
		c.file.Close()
		return nil, err
	}
	return c, nil
}

// prepare sets the options and binds.
func (c *Conn) prepare(fd int, v oam.Vantage, o Options) error {
	type option struct {
		wanted             bool
		level, name, value int
	}
	options := []option{{true, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1}}
	tos := int(o.DSCP) << 2
	if c.six {
		options = append(options,
			option{true, unix.SOL_IPV6, unix.IPV6_RECVHOPLIMIT, 1},
			option{true, unix.SOL_IPV6, unix.IPV6_RECVTCLASS, 1},
			option{true, unix.SOL_IPV6, unix.IPV6_RECVPKTINFO, 1},
			option{tos != 0, unix.SOL_IPV6, unix.IPV6_TCLASS, tos},
			option{o.HopLimit != 0, unix.SOL_IPV6, unix.IPV6_UNICAST_HOPS, o.HopLimit},
			option{o.DoNotFragment, unix.SOL_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_PROBE},
			option{o.DoNotFragment, unix.SOL_IPV6, unix.IPV6_DONTFRAG, 1},
			option{o.Errors, unix.SOL_IPV6, unix.IPV6_RECVERR, 1},
		)
	} else {
		options = append(options,
			option{true, unix.SOL_IP, unix.IP_RECVTTL, 1},
			option{true, unix.SOL_IP, unix.IP_RECVTOS, 1},
			option{true, unix.SOL_IP, unix.IP_PKTINFO, 1},
			option{tos != 0, unix.SOL_IP, unix.IP_TOS, tos},
			option{o.HopLimit != 0, unix.SOL_IP, unix.IP_TTL, o.HopLimit},
			option{o.DoNotFragment, unix.SOL_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_PROBE},
			option{!o.DoNotFragment, unix.SOL_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DONT},
			option{o.Errors, unix.SOL_IP, unix.IP_RECVERR, 1},
		)
	}
	for _, p := range options {
		if !p.wanted {
			continue
		}
		if err := unix.SetsockoptInt(fd, p.level, p.name, p.value); err != nil {
			return fmt.Errorf("setsockopt %d/%d: %w", p.level, p.name, err)
		}
	}
	// Bursts wait here while this process is busy elsewhere. Without the right to go beyond
	// the system's limit it has to do.
	const buffer = 4 << 20
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, buffer) != nil {
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, buffer)
	}
	if name := bound(v); name != "" {
		if err := unix.BindToDevice(fd, name); err != nil {
			return oam.Faultf(oam.NotPermitted, "interface %s: %w", name, err)
		}
	}
	if v.SourceAddress.IsValid() || o.Port != 0 {
		from := v.SourceAddress
		if !from.IsValid() {
			from = netip.IPv4Unspecified()
			if c.six {
				from = netip.IPv6Unspecified()
			}
		}
		if err := unix.Bind(fd, c.sockaddr(netip.AddrPortFrom(from, o.Port))); err != nil {
			return oam.Faultf(oam.NotPermitted, "source %s: %w", netip.AddrPortFrom(from, o.Port), err)
		}
	}
	if o.Connect.IsValid() {
		if err := unix.Connect(fd, c.sockaddr(o.Connect)); err != nil {
			return unreachable(o.Connect.Addr(), err)
		}
		c.peer = true
	}
	return nil
}

// unreachable is the fault of a target to which the host has no way.
func unreachable(target netip.Addr, err error) error {
	return oam.Faultf(oam.BadTarget, "there is no way to %s: %w", target, err)
}

// onlyReplies has a raw socket of ICMP pass echo replies alone.
func onlyReplies(fd int, six bool) error {
	if six {
		var filter unix.ICMPv6Filter
		for i := range filter.Data {
			filter.Data[i] = ^uint32(0)
		}
		const echoReply = 129
		filter.Data[echoReply>>5] &^= 1 << (echoReply & 31)
		return unix.SetsockoptICMPv6Filter(fd, unix.SOL_ICMPV6, unix.ICMPV6_FILTER, &filter)
	}
	const icmpFilter, echoReply = 1, 0
	return unix.SetsockoptInt(fd, unix.SOL_RAW, icmpFilter, ^(1 << echoReply))
}

// Datagram reports whether a socket of ICMP is the kernel's own kind: the kernel writes
// the identifier and the checksum, and passes only the answers to this socket.
func (c *Conn) Datagram() bool { return c.datagram }

// Local is the address that the socket is bound to.
func (c *Conn) Local() (netip.AddrPort, error) {
	var local netip.AddrPort
	var failed error
	err := c.raw.Control(func(fd uintptr) {
		sa, err := unix.Getsockname(int(fd))
		if failed = err; err == nil {
			local = fromSockaddr(sa)
		}
	})
	return local, errors.Join(err, failed)
}

// SetHopLimit changes the TTL or hop limit of what is sent from now on.
func (c *Conn) SetHopLimit(n int) error {
	level, name := unix.SOL_IP, unix.IP_TTL
	if c.six {
		level, name = unix.SOL_IPV6, unix.IPV6_UNICAST_HOPS
	}
	var failed error
	err := c.raw.Control(func(fd uintptr) { failed = unix.SetsockoptInt(int(fd), level, name, n) })
	return errors.Join(err, failed)
}

// Send sends a packet; to is not looked at when the socket is connected. It returns when
// it was handed to the kernel. A connected socket tells of an ICMP error about an earlier
// packet once, in place of sending: Send then tries again.
func (c *Conn) Send(b []byte, to netip.AddrPort) (time.Time, error) {
	var sa unix.Sockaddr
	if !c.peer {
		sa = c.sockaddr(to)
	}
	for tries := 0; ; tries++ {
		var at time.Time
		var failed error
		err := c.raw.Write(func(fd uintptr) bool {
			at = time.Now()
			failed = unix.Sendmsg(int(fd), b, nil, sa, 0)
			return !errors.Is(failed, unix.EAGAIN)
		})
		switch {
		case err != nil:
			return at, err
		case failed == nil:
			return at, nil
		case tries < 2 && (errors.Is(failed, unix.ECONNREFUSED) || errors.Is(failed, unix.EHOSTUNREACH) || errors.Is(failed, unix.ENETUNREACH) || errors.Is(failed, unix.EINTR)):
		default:
			return at, os.NewSyscallError("sendmsg", failed)
		}
	}
}

// Reply sends a packet to where another came from, from the address and with the traffic
// class that it came with, over so many hops at most (0: the system's). The socket is not
// connected.
func (c *Conn) Reply(b []byte, to Message, hops int) error {
	// A control message each for the address, the class and the hops.
	const space4, space6 = unix.SizeofInet4Pktinfo, unix.SizeofInet6Pktinfo
	var oob []byte
	add := func(level, kind int, data []byte) {
		at := len(oob)
		oob = append(oob, make([]byte, unix.CmsgSpace(len(data)))...)
		h := (*unix.Cmsghdr)(unsafe.Pointer(&oob[at]))
		h.Level, h.Type = int32(level), int32(kind)
		h.SetLen(unix.CmsgLen(len(data)))
		copy(oob[at+unix.CmsgLen(0):], data)
	}
	number := func(level, kind, value int) { add(level, kind, binary.NativeEndian.AppendUint32(nil, uint32(value))) }
	numbers := func(level, class, limit int) {
		if to.TrafficClass >= 0 {
			number(level, class, to.TrafficClass)
		}
		if hops > 0 {
			number(level, limit, hops)
		}
	}
	if c.six {
		if to.To.IsValid() {
			info := unix.Inet6Pktinfo{Addr: to.To.As16()}
			add(unix.SOL_IPV6, unix.IPV6_PKTINFO, (*[space6]byte)(unsafe.Pointer(&info))[:])
		}
		numbers(unix.SOL_IPV6, unix.IPV6_TCLASS, unix.IPV6_HOPLIMIT)
	} else {
		if to.To.IsValid() {
			info := unix.Inet4Pktinfo{Spec_dst: to.To.As4()}
			add(unix.SOL_IP, unix.IP_PKTINFO, (*[space4]byte)(unsafe.Pointer(&info))[:])
		}
		numbers(unix.SOL_IP, unix.IP_TOS, unix.IP_TTL)
	}
	sa := c.sockaddr(to.From)
	var failed error
	err := c.raw.Write(func(fd uintptr) bool {
		failed = unix.Sendmsg(int(fd), b, oob, sa, 0)
		return !errors.Is(failed, unix.EAGAIN)
	})
	return errors.Join(err, os.NewSyscallError("sendmsg", failed))
}

// SetReadDeadline has Receive fail with os.ErrDeadlineExceeded from then on.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.file.SetReadDeadline(t) }

// Receive waits for a packet, or for an ICMP error if Options asked for those. It fails
// with os.ErrClosed after Close.
func (c *Conn) Receive(b []byte) (int, Message, error) {
	var n, oobn int
	var from unix.Sockaddr
	var failed error
	wasError := false
	err := c.raw.Read(func(fd uintptr) bool {
		if c.errors {
			n, oobn, _, from, failed = unix.Recvmsg(int(fd), b, c.oob[:], unix.MSG_ERRQUEUE)
			if wasError = failed == nil; wasError {
				return true
			}
		}
		n, oobn, _, from, failed = unix.Recvmsg(int(fd), b, c.oob[:], 0)
		return !errors.Is(failed, unix.EAGAIN)
	})
	if c.closed.Load() {
		return 0, Message{}, os.ErrClosed
	}
	if err != nil {
		return 0, Message{}, err
	}
	if failed != nil {
		// The pending error of a connected socket; what it is about stands in the error queue.
		if errors.Is(failed, unix.ECONNREFUSED) || errors.Is(failed, unix.EHOSTUNREACH) || errors.Is(failed, unix.ENETUNREACH) || errors.Is(failed, unix.EMSGSIZE) || errors.Is(failed, unix.EINTR) {
			return c.Receive(b)
		}
		return 0, Message{}, os.NewSyscallError("recvmsg", failed)
	}
	m := Message{At: time.Now(), HopLimit: -1, TrafficClass: -1}
	if from != nil {
		m.From = fromSockaddr(from)
	}
	m.control(c.oob[:oobn], wasError)
	return n, m, nil
}

// control reads what the kernel says beside a packet.
func (m *Message) control(oob []byte, wasError bool) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return
	}
	for _, c := range messages {
		level, kind, data := int(c.Header.Level), int(c.Header.Type), c.Data
		switch {
		case level == unix.SOL_SOCKET && kind == unix.SCM_TIMESTAMPNS && len(data) >= int(unsafe.Sizeof(unix.Timespec{})):
			stamp := (*unix.Timespec)(unsafe.Pointer(&data[0]))
			// Both clocks of At go back by the age of the packet. A clock that was set since has
			// none to tell.
			if age := time.Duration(m.At.UnixNano() - stamp.Nano()); age >= 0 && age < time.Minute {
				m.At, m.Kernel = m.At.Add(-age), true
			}
		case level == unix.SOL_IP && kind == unix.IP_TTL, level == unix.SOL_IPV6 && kind == unix.IPV6_HOPLIMIT:
			m.HopLimit = number(data)
		case level == unix.SOL_IP && kind == unix.IP_TOS, level == unix.SOL_IPV6 && kind == unix.IPV6_TCLASS:
			m.TrafficClass = number(data)
		case level == unix.SOL_IP && kind == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
			m.To = netip.AddrFrom4((*unix.Inet4Pktinfo)(unsafe.Pointer(&data[0])).Addr)
		case level == unix.SOL_IPV6 && kind == unix.IPV6_PKTINFO && len(data) >= unix.SizeofInet6Pktinfo:
			m.To = netip.AddrFrom16((*unix.Inet6Pktinfo)(unsafe.Pointer(&data[0])).Addr)
		case wasError && (level == unix.SOL_IP && kind == unix.IP_RECVERR || level == unix.SOL_IPV6 && kind == unix.IPV6_RECVERR):
			m.Error = extended(data)
		}
	}
	if wasError && m.Error == nil {
		m.Error = &ICMPError{}
	}
}

// extended reads a struct sock_extended_err with the address of the offender behind it.
func extended(data []byte) *ICMPError {
	if len(data) < int(unsafe.Sizeof(unix.SockExtendedErr{})) {
		return &ICMPError{}
	}
	e := (*unix.SockExtendedErr)(unsafe.Pointer(&data[0]))
	r := &ICMPError{Type: e.Type, Code: e.Code, Errno: e.Errno}
	if syscall.Errno(e.Errno) == unix.EMSGSIZE {
		r.MTU = int(e.Info)
	}
	rest := data[unsafe.Sizeof(*e):]
	if e.Origin == unix.SO_EE_ORIGIN_LOCAL || len(rest) < 8 {
		return r
	}
	switch family := *(*uint16)(unsafe.Pointer(&rest[0])); {
	case family == unix.AF_INET && len(rest) >= unix.SizeofSockaddrInet4:
		r.Offender = netip.AddrFrom4((*unix.RawSockaddrInet4)(unsafe.Pointer(&rest[0])).Addr)
	case family == unix.AF_INET6 && len(rest) >= unix.SizeofSockaddrInet6:
		r.Offender = netip.AddrFrom16((*unix.RawSockaddrInet6)(unsafe.Pointer(&rest[0])).Addr).Unmap()
	}
	return r
}

// number reads an int of the host, or the octet that some kernels give in its place.
func number(data []byte) int {
	switch {
	case len(data) >= 4:
		return int(*(*int32)(unsafe.Pointer(&data[0])))
	case len(data) >= 1:
		return int(data[0])
	}
	return -1
}

// Close closes the socket; whoever receives from it is told.
func (c *Conn) Close() error {
	if c.closed.Swap(true) {
		return nil
	}
	return c.file.Close()
}

func (c *Conn) sockaddr(a netip.AddrPort) unix.Sockaddr {
	if c.six {
		sa := &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
		if zone := a.Addr().Zone(); zone != "" {
			if i, err := device(zone); err == nil {
				sa.ZoneId = uint32(i.Index)
			}
		}
		return sa
	}
	return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().Unmap().As4()}
}

func fromSockaddr(sa unix.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).Unmap(), uint16(sa.Port))
	}
	return netip.AddrPort{}
}
