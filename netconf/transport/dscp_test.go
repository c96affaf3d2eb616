package transport

import (
	"net"
	"syscall"
	"testing"
)

// wrapped is a connection that stands around another one.
type wrapped struct{ net.Conn }

func (w wrapped) NetConn() net.Conn { return w.Conn }

func TestMark(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		ln, err := net.Listen("tcp", address)
		if err != nil {
			t.Logf("%s: %v; skipped", address, err)
			continue
		}
		defer ln.Close()
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := Mark(wrapped{c}, 46); err != nil {
			t.Fatalf("%s: %v", address, err)
		}
		level, option := syscall.IPPROTO_IP, syscall.IP_TOS
		if c.LocalAddr().(*net.TCPAddr).IP.To4() == nil {
			level, option = syscall.IPPROTO_IPV6, syscall.IPV6_TCLASS
		}
		raw, err := c.(*net.TCPConn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		var got int
		raw.Control(func(fd uintptr) { got, err = syscall.GetsockoptInt(int(fd), level, option) })
		if err != nil || got != 46<<2 {
			t.Errorf("%s: the mark is %d, %v, want %d", address, got, err, 46<<2)
		}
	}
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	if Mark(near, 46) == nil {
		t.Error("a pipe has been marked")
	}
}
