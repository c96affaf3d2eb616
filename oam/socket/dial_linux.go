package socket

import (
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
