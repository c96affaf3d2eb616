//go:build !linux

package socket

import (
	"errors"
	"net"
	"net/netip"
	"time"

	"incidentd/oam"
)

// Conn is an open socket.
type Conn struct{}

// Open fails: this system does not have what is needed.
func Open(oam.Vantage, Kind, bool, Options) (*Conn, error) {
	return nil, oam.Faultf(oam.NotSupported, "tests of this type need Linux")
}

// In runs f. It fails for a network instance.
func In(v oam.Vantage, f func() error) error {
	if v.NetworkInstance != "" {
		return oam.Faultf(oam.NotSupported, "network instances need Linux")
	}
	return f()
}

func bind(v oam.Vantage, _ bool, _ uint8) (func(network, address string, fd uintptr) error, error) {
	if v.Interface != "" {
		return nil, oam.Faultf(oam.NotSupported, "a vantage point with an interface needs Linux")
	}
	return nil, nil
}

// Handshake is not told here.
func Handshake(net.Conn) time.Duration { return 0 }

// Datagram reports nothing here.
func (*Conn) Datagram() bool { return false }

// Local fails.
func (*Conn) Local() (netip.AddrPort, error) { return netip.AddrPort{}, errors.ErrUnsupported }

// SetHopLimit fails.
func (*Conn) SetHopLimit(int) error { return errors.ErrUnsupported }

// Send fails.
func (*Conn) Send([]byte, netip.AddrPort) (time.Time, error) {
	return time.Time{}, errors.ErrUnsupported
}

// Reply fails.
func (*Conn) Reply([]byte, Message, int) error { return errors.ErrUnsupported }

// SetReadDeadline fails.
func (*Conn) SetReadDeadline(time.Time) error { return errors.ErrUnsupported }

// Receive fails.
func (*Conn) Receive([]byte) (int, Message, error) { return 0, Message{}, errors.ErrUnsupported }

// Close does nothing.
func (*Conn) Close() error { return nil }

// Attempt is a TCP connection that is being opened.
type Attempt struct {
	*Conn
	Began time.Time
}

// Connect fails: this system does not have what is needed.
func Connect(oam.Vantage, netip.AddrPort, Options) (*Attempt, error) {
	return nil, oam.Faultf(oam.NotSupported, "tests of this type need Linux")
}

// Wait fails.
func (*Attempt) Wait(time.Time) (Message, error) { return Message{}, errors.ErrUnsupported }

// Link is an open packet socket.
type Link struct{}

// OpenLink fails: this system does not have what is needed.
func OpenLink(oam.Vantage, string, uint16) (*Link, Station, error) {
	return nil, Station{}, oam.Faultf(oam.NotSupported, "tests of Ethernet need Linux")
}

// Join fails.
func (*Link) Join(int, net.HardwareAddr) error { return errors.ErrUnsupported }

// Send fails.
func (*Link) Send([]byte, int) (time.Time, error) { return time.Time{}, errors.ErrUnsupported }

// SetReadDeadline fails.
func (*Link) SetReadDeadline(time.Time) error { return errors.ErrUnsupported }

// Receive fails.
func (*Link) Receive([]byte) (int, Frame, error) { return 0, Frame{}, errors.ErrUnsupported }

// Close does nothing.
func (*Link) Close() error { return nil }

// Bridge is what a Linux bridge knows at a moment.
type Bridge struct{ Ports map[int]Station }

// Port knows none.
func (*Bridge) Port([6]byte, uint16) (int, bool) { return 0, false }

// ReadBridge fails: this system does not have what is needed.
func ReadBridge(oam.Vantage, string) (*Bridge, error) {
	return nil, oam.Faultf(oam.NotSupported, "maintenance points need Linux")
}
