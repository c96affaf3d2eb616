package socket

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"runtime"
	"testing"
	"time"

	"incidentd/oam"
	"incidentd/oam/testnet"
)

var loopback = netip.MustParseAddr("127.0.0.1")

func linux(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("sockets that measure need Linux")
	}
}

func opened(t *testing.T, v oam.Vantage, kind Kind, six bool, o Options) *Conn {
	t.Helper()
	c, err := Open(v, kind, six, o)
	if err != nil {
		var f *oam.Fault
		if kind != UDP && errors.As(err, &f) && f.Reason == oam.NotPermitted {
			t.Skip(err)
		}
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetReadDeadline(time.Now().Add(5 * time.Second))
	return c
}

// A packet arrives with its time, its traffic class and its addresses.
func TestUDP(t *testing.T) {
	linux(t)
	for _, target := range []netip.Addr{loopback, netip.IPv6Loopback()} {
		a := opened(t, oam.Vantage{}, UDP, target.Is6(), Options{DSCP: 46, HopLimit: 9})
		b := opened(t, oam.Vantage{SourceAddress: target}, UDP, target.Is6(), Options{})
		local, err := b.Local()
		if err != nil {
			t.Fatal(err)
		}
		sent, err := a.Send([]byte("hello"), local)
		if err != nil {
			t.Skipf("%s: %v", target, err)
		}
		buffer := make([]byte, 100)
		n, m, err := b.Receive(buffer)
		if err != nil {
			t.Fatal(err)
		}
		if string(buffer[:n]) != "hello" || m.From.Addr() != target || m.To != target || m.HopLimit != 9 || m.TrafficClass != 46<<2 {
			t.Errorf("Receive = %q, %+v", buffer[:n], m)
		}
		if d := m.At.Sub(sent); !m.Kernel || d < 0 || d > time.Second {
			t.Errorf("it came after %s, by the kernel's clock: %t", d, m.Kernel)
		}
		if err := b.Reply([]byte("and back"), m, 0); err != nil {
			t.Fatal(err)
		}
		n, m, err = a.Receive(buffer)
		if err != nil || string(buffer[:n]) != "and back" || m.From != local || m.TrafficClass != 46<<2 {
			t.Errorf("Receive = %q, %+v, %v", buffer[:n], m, err)
		}
	}
}

// A port that is closed is told by an error that says who refused.
func TestErrors(t *testing.T) {
	linux(t)
	closed := opened(t, oam.Vantage{SourceAddress: loopback}, UDP, false, Options{})
	to, err := closed.Local()
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for _, connect := range []bool{false, true} {
		o := Options{Errors: true}
		if connect {
			o.Connect = to
		}
		c := opened(t, oam.Vantage{}, UDP, false, o)
		for range 3 { // a pending error does not hinder the next packet
			if _, err := c.Send([]byte("anybody there?"), to); err != nil {
				t.Fatal(err)
			}
		}
		buffer := make([]byte, 100)
		n, m, err := c.Receive(buffer)
		if err != nil {
			t.Fatal(err)
		}
		if m.Error == nil || m.Error.Type != 3 || m.Error.Code != 3 || m.Error.Offender != loopback || m.From != to {
			t.Errorf("connected: %t: Receive = %+v, error %+v", connect, m, m.Error)
		}
		if string(buffer[:n]) != "anybody there?" {
			t.Errorf("the packet that is refused is %q", buffer[:n])
		}
	}
}

func TestClose(t *testing.T) {
	linux(t)
	c := opened(t, oam.Vantage{}, UDP, false, Options{})
	c.SetReadDeadline(time.Time{})
	got := make(chan error)
	go func() {
		_, _, err := c.Receive(make([]byte, 1))
		got <- err
	}()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := <-got; !errors.Is(err, os.ErrClosed) {
		t.Errorf("Receive = %v", err)
	}
	if err := c.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
}

func TestICMP(t *testing.T) {
	linux(t)
	c := opened(t, oam.Vantage{}, ICMP, false, Options{})
	echo := []byte{8, 0, 0, 0, 0x12, 0x34, 0, 1, 'p', 'i', 'n', 'g'}
	binary.BigEndian.PutUint16(echo[2:], Checksum(echo, 0))
	if _, err := c.Send(echo, netip.AddrPortFrom(loopback, 0)); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 100)
	n, m, err := c.Receive(buffer)
	if err != nil {
		t.Fatal(err)
	}
	if !c.Datagram() { // the IP header comes with a raw socket
		buffer, n = buffer[20:], n-20
	}
	if n != len(echo) || buffer[0] != 0 || string(buffer[8:12]) != "ping" || m.From.Addr() != loopback {
		t.Errorf("Receive = %x, %+v", buffer[:n], m)
	}
}

// Sockets are where the vantage point is.
func TestNamespace(t *testing.T) {
	if why := testnet.Missing(); why != "" {
		t.Skip(why)
	}
	n := testnet.New()
	defer n.Close()
	a, err := n.Host("a")
	if err != nil {
		t.Fatal(err)
	}
	b, err := n.Host("b")
	if err != nil {
		t.Fatal(err)
	}
	here, there := netip.MustParsePrefix("10.7.0.1/30"), netip.MustParsePrefix("10.7.0.2/30")
	if err := n.Link(testnet.End{Host: a, Interface: "eth0", Address: here}, testnet.End{Host: b, Interface: "eth0", Address: there}); err != nil {
		t.Fatal(err)
	}
	at := oam.Vantage{NetworkInstance: a.Namespace}
	to := opened(t, oam.Vantage{NetworkInstance: b.Namespace}, UDP, false, Options{Port: 8620})
	c := opened(t, at, UDP, false, Options{Connect: netip.AddrPortFrom(there.Addr(), 8620)})
	if _, err := c.Send([]byte("x"), netip.AddrPort{}); err != nil {
		t.Fatal(err)
	}
	if _, m, err := to.Receive(make([]byte, 9)); err != nil || m.From.Addr() != here.Addr() {
		t.Errorf("Receive = %+v, %v", m, err)
	}
	ctx := context.Background()
	if _, err := Dial(ctx, at, "tcp", netip.AddrPortFrom(there.Addr(), 9), 46); err == nil {
		t.Error("a closed port took a connection")
	}
	var l net.Listener
	err = In(oam.Vantage{NetworkInstance: b.Namespace}, func() (err error) {
		l, err = net.Listen("tcp4", "10.7.0.2:0")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := Dial(ctx, at, "tcp", netip.MustParseAddrPort(l.Addr().String()), 46)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()

	for _, tt := range []struct {
		v    oam.Vantage
		want oam.Reason
	}{
		{oam.Vantage{NetworkInstance: "nowhere"}, oam.NotPermitted},
		{oam.Vantage{NetworkInstance: a.Namespace, Interface: "eth7"}, oam.NotPermitted},
		{oam.Vantage{NetworkInstance: a.Namespace, SourceAddress: there.Addr()}, oam.NotPermitted},
	} {
		_, err := Open(tt.v, UDP, false, Options{})
		var f *oam.Fault
		if !errors.As(err, &f) || f.Reason != tt.want {
			t.Errorf("Open(%+v) = %v, want %s", tt.v, err, tt.want)
		}
	}
	_, err = Open(at, UDP, false, Options{Connect: netip.MustParseAddrPort("198.51.100.1:9")})
	var f *oam.Fault
	if !errors.As(err, &f) || f.Reason != oam.BadTarget {
		t.Errorf("without a route: %v", err)
	}
}

func TestLookup(t *testing.T) {
	ctx := context.Background()
	if a, err := Lookup(ctx, oam.Vantage{}, "::ffff:192.0.2.1"); err != nil || a != netip.MustParseAddr("192.0.2.1") {
		t.Errorf("Lookup = %s, %v", a, err)
	}
	if a, err := Lookup(ctx, oam.Vantage{SourceAddress: loopback}, "localhost"); err != nil || a != loopback {
		t.Errorf("Lookup = %s, %v", a, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Lookup(ctx, oam.Vantage{}, "name.invalid"); err == nil {
		t.Error("a name that cannot be has an address")
	}
}
