package transport

import (
	"errors"
	"net"
	"syscall"
)

// Mark lets the packets of a TCP connection that are sent from now on have a DSCP [RFC
// 2474]. A connection of another kind is an error.
func Mark(c net.Conn, dscp uint8) error {
	for {
		inner, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		c = inner.NetConn()
	}
	tcp, ok := c.(syscall.Conn)
	if !ok {
		return errors.New("the connection has no packets that could be marked")
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return err
	}
	level, option := syscall.IPPROTO_IP, syscall.IP_TOS
	if a, ok := c.LocalAddr().(*net.TCPAddr); ok && a.IP.To4() == nil {
		level, option = syscall.IPPROTO_IPV6, syscall.IPV6_TCLASS
	}
	// The two bits below are those of ECN.
	if e := raw.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), level, option, int(dscp)<<2) }); e != nil {
		return e
	}
	return err
}

// Mark lets what is sent over the connection of the channel have a DSCP.
func (c *Conn) Mark(dscp uint8) error { return Mark(c.sc.tcp, dscp) }
