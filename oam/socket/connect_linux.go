package socket

import (
	"errors"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"incidentd/oam"
)

// Attempt is a TCP connection that is being opened.
type Attempt struct {
	*Conn
	Began time.Time
}

// Connect begins to open a TCP connection; Wait tells what became of it.
func Connect(v oam.Vantage, to netip.AddrPort, o Options) (*Attempt, error) {
	var a *Attempt
	err := In(v, func() error {
		six := to.Addr().Is6()
		domain := unix.AF_INET
		if six {
			domain = unix.AF_INET6
		}
		fd, err := unix.Socket(domain, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			return os.NewSyscallError("socket", err)
		}
		c := &Conn{six: six, peer: true}
		o.Connect = netip.AddrPort{}
		if err := c.prepare(fd, v, o); err != nil {
			unix.Close(fd)
			return err
		}
		// Given up, it is reset: the target keeps nothing of it.
		unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
		began := time.Now()
		if err := unix.Connect(fd, c.sockaddr(to)); err != nil && !errors.Is(err, unix.EINPROGRESS) {
			unix.Close(fd)
			return unreachable(to.Addr(), err)
		}
		c.file = os.NewFile(uintptr(fd), "socket")
		if c.raw, err = c.file.SyscallConn(); err != nil {
			c.file.Close()
			return err
		}
		a = &Attempt{Conn: c, Began: began}
		return nil
	})
	return a, err
}

// Wait waits until the connection is open or refused, which are answers of the target, or
// until somebody on the way says that it cannot be (Message.Error). What it returns has the
// time alone. It fails with os.ErrDeadlineExceeded when nothing came.
func (a *Attempt) Wait(deadline time.Time) (Message, error) {
	if err := a.file.SetWriteDeadline(deadline); err != nil {
		return Message{}, err
	}
	m := Message{HopLimit: -1, TrafficClass: -1}
	var failed error
	err := a.raw.Write(func(fd uintptr) bool {
		_, oobn, _, _, err := unix.Recvmsg(int(fd), nil, a.oob[:], unix.MSG_ERRQUEUE)
		m.At = time.Now()
		if err == nil {
			m.control(a.oob[:oobn], true)
			return true
		}
		// Neither open nor refused yet: nothing can be written.
		poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
		if n, err := unix.Poll(poll, 0); err != nil || n == 0 {
			return false
		}
		number, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR)
		switch {
		case err != nil:
			failed = err
		case number == 0 || unix.Errno(number) == unix.ECONNREFUSED:
		default:
			failed = unix.Errno(number)
		}
		return true
	})
	if a.closed.Load() {
		return m, os.ErrClosed
	}
	return m, errors.Join(err, failed)
}
