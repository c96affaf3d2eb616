package socket

import (
	"net"
	"time"

	"golang.org/x/sys/unix"

	"incidentd/oam"
)

// bind returns what binds a socket to the device of a vantage point and sets its DSCP;
// nil when there is nothing to do.
func bind(v oam.Vantage, six bool, dscp uint8) (func(network, address string, fd uintptr) error, error) {
	name := bound(v)
	if name == "" && dscp == 0 {
		return nil, nil
	}
	return func(_, _ string, fd uintptr) error {
		if name != "" {
			if err := unix.BindToDevice(int(fd), name); err != nil {
				return oam.Faultf(oam.NotPermitted, "interface %s: %w", name, err)
			}
		}
		if dscp == 0 {
			return nil
		}
		if six {
			return unix.SetsockoptInt(int(fd), unix.SOL_IPV6, unix.IPV6_TCLASS, int(dscp)<<2)
		}
		return unix.SetsockoptInt(int(fd), unix.SOL_IP, unix.IP_TOS, int(dscp)<<2)
	}, nil
}

// Handshake is how long the handshake of a connection just opened took, as TCP has measured
// it; 0 when it does not tell, or had to send a SYN again.
func Handshake(conn net.Conn) (took time.Duration) {
	c, ok := conn.(*net.TCPConn)
	if !ok {
		return 0
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return 0
	}
	raw.Control(func(fd uintptr) {
		if info, err := unix.GetsockoptTCPInfo(int(fd), unix.SOL_TCP, unix.TCP_INFO); err == nil && info.Total_retrans == 0 {
			took = time.Duration(info.Rtt) * time.Microsecond
		}
	})
	return took
}
