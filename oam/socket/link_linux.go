package socket

import (
	"encoding/binary"
	"errors"
	"net"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"incidentd/oam"
)

// Link is an open packet socket: it sends and gets the Ethernet frames of one type, whoever
// else gets them. One goroutine may receive while others send.
type Link struct {
	conn Conn
	kind uint16
}

// OpenLink opens a packet socket for frames of a type at a vantage point: on one interface,
// or on all for "". A *oam.Fault says that there is no such interface, or that the system
// does not let this process have the socket.
func OpenLink(v oam.Vantage, name string, kind uint16) (*Link, Station, error) {
	l := &Link{kind: kind}
	var s Station
	err := In(v, func() (err error) {
		if name != "" {
			if s, err = station(name); err != nil {
				return err
			}
		}
		return l.open(s.Index)
	})
	if err != nil {
		return nil, s, err
	}
	return l, s, nil
}

// station finds an interface of Ethernet.
func station(name string) (Station, error) {
	i, err := device(name)
	if err != nil {
		return Station{}, oam.Faultf(oam.BadTarget, "there is no interface %s", name)
	}
	if len(i.HardwareAddr) != 6 {
		return Station{}, oam.Faultf(oam.BadTarget, "%s is no interface of Ethernet", name)
	}
	return Station{i.Name, i.Index, i.HardwareAddr, i.MTU, i.Flags&net.FlagUp != 0}, nil
}

func (l *Link) open(index int) error {
	// Without a protocol it gets nothing until it is bound.
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		return oam.Faultf(oam.NotPermitted, "the system does not permit a packet socket: it takes root or CAP_NET_RAW")
	}
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	for _, option := range []struct{ level, name int }{{unix.SOL_SOCKET, unix.SO_TIMESTAMPNS}, {unix.SOL_PACKET, unix.PACKET_AUXDATA}, {unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING}} {
		if err == nil {
			err = os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, option.level, option.name, 1))
		}
	}
	if err == nil {
		// A socket of the type alone gets nothing of a bridge's ports, and no tags.
		filter := ofType(l.kind)
		err = os.NewSyscallError("setsockopt", unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}))
	}
	if err == nil {
		err = os.NewSyscallError("bind", unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: networkOrder(unix.ETH_P_ALL), Ifindex: index}))
	}
	if err != nil {
		unix.Close(fd)
		return err
	}
	l.conn.file = os.NewFile(uintptr(fd), "packet socket")
	if l.conn.raw, err = l.conn.file.SyscallConn(); err != nil {
		l.conn.file.Close()
	}
	return err
}

// ofType is a filter that takes frames of a type, whose tag the kernel has taken off.
func ofType(kind uint16) []unix.SockFilter {
	const typeAt, whole = 12, 0xffff
	return []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_H | unix.BPF_ABS, K: typeAt},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: uint32(kind)},
		{Code: unix.BPF_RET | unix.BPF_K, K: whole},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
	}
}

// networkOrder is a number of two octets as the system wants it.
func networkOrder(n uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, n))
}

// Join has an interface take frames to a group address.
func (l *Link) Join(index int, group net.HardwareAddr) error {
	request := unix.PacketMreq{Ifindex: int32(index), Type: unix.PACKET_MR_MULTICAST}
	request.Alen = uint16(copy(request.Address[:], group))
	var failed error
	err := l.conn.raw.Control(func(fd uintptr) {
		failed = os.NewSyscallError("setsockopt", unix.SetsockoptPacketMreq(int(fd), unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &request))
	})
	return errors.Join(err, failed)
}

// Send sends a frame, from its Ethernet header on, by an interface. It returns when it was
// handed to the kernel.
func (l *Link) Send(frame []byte, index int) (time.Time, error) {
	to := &unix.SockaddrLinklayer{Protocol: networkOrder(l.kind), Ifindex: index, Halen: 6}
	copy(to.Addr[:], frame)
	var at time.Time
	var failed error
	err := l.conn.raw.Write(func(fd uintptr) bool {
		at = time.Now()
		failed = unix.Sendto(int(fd), frame, 0, to)
		return !errors.Is(failed, unix.EAGAIN)
	})
	return at, errors.Join(err, os.NewSyscallError("sendto", failed))
}

// SetReadDeadline has Receive fail with os.ErrDeadlineExceeded from then on.
func (l *Link) SetReadDeadline(t time.Time) error { return l.conn.SetReadDeadline(t) }

// Receive waits for a frame that came from elsewhere, from its Ethernet header on and
// without its tag. It fails with os.ErrClosed after Close.
func (l *Link) Receive(b []byte) (int, Frame, error) {
	for {
		var n, oobn int
		var from unix.Sockaddr
		var failed error
		err := l.conn.raw.Read(func(fd uintptr) bool {
			n, oobn, _, from, failed = unix.Recvmsg(int(fd), b, l.conn.oob[:], 0)
			return !errors.Is(failed, unix.EAGAIN)
		})
		switch {
		case l.conn.closed.Load():
			return 0, Frame{}, os.ErrClosed
		case err != nil:
			return 0, Frame{}, err
		case errors.Is(failed, unix.EINTR):
			continue
		case failed != nil:
			return 0, Frame{}, os.NewSyscallError("recvmsg", failed)
		}
		m := Message{At: time.Now()}
		m.control(l.conn.oob[:oobn], false)
		f := Frame{At: m.At, Kernel: m.Kernel, VLAN: tag(l.conn.oob[:oobn])}
		if sa, ok := from.(*unix.SockaddrLinklayer); ok {
			f.Interface = sa.Ifindex
		}
		return n, f, nil
	}
}

// tag is the VLAN that the kernel took a frame's tag off for.
func tag(oob []byte) uint16 {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return 0
	}
	for _, c := range messages {
		if c.Header.Level == unix.SOL_PACKET && c.Header.Type == unix.PACKET_AUXDATA && len(c.Data) >= int(unsafe.Sizeof(unix.TpacketAuxdata{})) {
			if a := (*unix.TpacketAuxdata)(unsafe.Pointer(&c.Data[0])); a.Status&unix.TP_STATUS_VLAN_VALID != 0 {
				return a.Vlan_tci & 0xfff
			}
		}
	}
	return 0
}

// Close closes the socket; whoever receives from it is told.
func (l *Link) Close() error { return l.conn.Close() }
