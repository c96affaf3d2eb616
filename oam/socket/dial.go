package socket

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"

	"incidentd/oam"
)

// Dial connects by a network, tcp or udp, to an address from a vantage point, with a DSCP.
func Dial(ctx context.Context, v oam.Vantage, network string, to netip.AddrPort, dscp uint8) (net.Conn, error) {
	d := net.Dialer{Control: control(v, dscp)}
	if from := netip.AddrPortFrom(v.SourceAddress, 0); v.SourceAddress.IsValid() && network == "udp" {
		d.LocalAddr = net.UDPAddrFromAddrPort(from)
	} else if v.SourceAddress.IsValid() {
		d.LocalAddr = net.TCPAddrFromAddrPort(from)
	}
	var conn net.Conn
	err := In(v, func() (err error) {
		// A single address is dialled on the calling thread.
		conn, err = d.DialContext(ctx, network, to.String())
		return err
	})
	return conn, err
}

// Lookup finds the addresses of a target from a vantage point: that of an address is the
// address. An error is a *oam.Fault with bad-target, or that of ctx. The first address fits
// the vantage point's source.
func Lookup(ctx context.Context, v oam.Vantage, target string) (netip.Addr, error) {
	if a, err := netip.ParseAddr(target); err == nil {
		return a.Unmap(), nil
	}
	r := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, address string) (conn net.Conn, err error) {
		d := net.Dialer{Control: control(v, 0), Timeout: 5 * time.Second}
		err = In(v, func() error {
			conn, err = d.DialContext(ctx, network, address)
			return err
		})
		return conn, err
	}}
	network := "ip"
	switch {
	case v.SourceAddress.Is4():
		network = "ip4"
	case v.SourceAddress.Is6():
		network = "ip6"
	}
	list, err := r.LookupNetIP(ctx, network, target)
	if err != nil {
		if ctx.Err() != nil {
			return netip.Addr{}, ctx.Err()
		}
		var d *net.DNSError
		if errors.As(err, &d) && d.IsNotFound {
			return netip.Addr{}, oam.Faultf(oam.BadTarget, "%s has no address", target)
		}
		return netip.Addr{}, oam.Faultf(oam.BadTarget, "the address of %s cannot be found: %w", target, err)
	}
	return list[0].Unmap(), nil
}

// control is what net.Dialer does with a socket before it connects.
func control(v oam.Vantage, dscp uint8) func(network, address string, c syscall.RawConn) error {
	return func(network, address string, c syscall.RawConn) error {
		set, err := bind(v, network == "tcp6" || network == "udp6", dscp)
		if err != nil || set == nil {
			return err
		}
		var failed error
		err = c.Control(func(fd uintptr) { failed = set(network, address, fd) })
		return errors.Join(err, failed)
	}
}
