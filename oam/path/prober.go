package path

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net/netip"
	"sync"
	"time"

	"incidentd/oam"
	"incidentd/oam/socket"
)

// answer is what came back to a probe.
type answer struct {
	number uint32
	known  bool // the number; a router that quotes little leaves it out
	from   netip.Addr
	at     time.Time
	kernel bool
	icmp   *oam.ICMP // nil: the answer of the target itself
	what   meaning
	mtu    int // what would have fitted, of one that is too big; 0: not told
}

// prober sends probes of one protocol. send may fail for one probe; answers come by the
// function that it was made with, from any goroutine.
type prober interface {
	send(number uint32, hopLimit int) (time.Time, error)
	octets() int
	close()
}

// datagrams probes by UDP or ICMP over one socket.
type datagrams struct {
	conn   *socket.Conn
	target netip.AddrPort
	icmp   bool
	six    bool
	id     uint16
	size   int
	wait   sync.WaitGroup
}

// newDatagrams opens the socket. The payload has so many octets, 4 at least.
func newDatagrams(v oam.Vantage, target netip.AddrPort, icmp bool, size int, o socket.Options, got func(answer)) (*datagrams, error) {
	d := &datagrams{target: target, icmp: icmp, six: target.Addr().Is6(), size: max(size, 4)}
	kind := socket.UDP
	if icmp {
		kind = socket.ICMP
		d.target = netip.AddrPortFrom(target.Addr(), 0)
	} else {
		o.Connect = target
	}
	o.Errors = true
	var err error
	if d.conn, err = socket.Open(v, kind, d.six, o); err != nil {
		return nil, err
	}
	var id [2]byte
	rand.Read(id[:]) // never fails
	d.id = binary.BigEndian.Uint16(id[:])
	d.wait.Go(func() { d.receive(got) })
	return d, nil
}

func (d *datagrams) octets() int {
	if d.six {
		return 40 + 8 + d.size
	}
	return 20 + 8 + d.size
}

func (d *datagrams) send(number uint32, hopLimit int) (time.Time, error) {
	if hopLimit > 0 {
		if err := d.conn.SetHopLimit(hopLimit); err != nil {
			return time.Time{}, err
		}
	}
	if d.icmp {
		return d.conn.Send(echo(d.six, d.id, number, d.size), d.target)
	}
	b := make([]byte, d.size)
	binary.BigEndian.PutUint32(b, number)
	return d.conn.Send(b, d.target)
}

func (d *datagrams) close() {
	d.conn.Close()
	d.wait.Wait()
}

func (d *datagrams) receive(got func(answer)) {
	raw := d.icmp && !d.conn.Datagram()
	request, reply := byte(8), byte(0)
	if d.six {
		request, reply = 128, 129
	}
	buffer := make([]byte, 65536)
	for {
		n, m, err := d.conn.Receive(buffer)
		if err != nil {
			return
		}
		a := answer{from: m.From.Addr(), at: m.At, kernel: m.Kernel}
		switch {
		case m.Error != nil && !m.Error.Offender.IsValid():
			continue // the own system; Send has told it already
		case m.Error != nil:
			a.from, a.what = m.Error.Offender, read(d.six, m.Error)
			a.icmp, a.mtu = &oam.ICMP{Type: m.Error.Type, Code: m.Error.Code}, m.Error.MTU
			if d.icmp {
				a.number, a.known = echoed(buffer[:n], d.six, raw, d.id, request)
				if !a.known && raw && n >= 12 {
					continue // about somebody else's
				}
			} else if n >= 4 {
				a.number, a.known = binary.BigEndian.Uint32(buffer), true
			}
		case d.icmp:
			if a.number, a.known = echoed(buffer[:n], d.six, raw, d.id, reply); !a.known || a.from != d.target.Addr() {
				continue
			}
			a.what = arrived
		default:
			a.what = arrived // the target has something at that port
			if n >= 4 {
				a.number, a.known = binary.BigEndian.Uint32(buffer), true
			}
		}
		got(a)
	}
}

// connections probes by TCP: a connection of its own for each probe, which is given up.
type connections struct {
	vantage oam.Vantage
	target  netip.AddrPort
	dscp    uint8
	timeout time.Duration
	got     func(answer)
	ctx     context.Context
	cancel  context.CancelFunc
	wait    sync.WaitGroup
}

func (c *connections) octets() int {
	if c.target.Addr().Is6() {
		return 40 + 40
	}
	return 20 + 40
}

func (c *connections) send(number uint32, hopLimit int) (time.Time, error) {
	attempt, err := socket.Connect(c.vantage, c.target, socket.Options{DSCP: c.dscp, HopLimit: hopLimit, Errors: true})
	if err != nil {
		return time.Time{}, err
	}
	c.wait.Go(func() {
		defer attempt.Close()
		stop := context.AfterFunc(c.ctx, func() { attempt.Close() })
		defer stop()
		m, err := attempt.Wait(time.Now().Add(c.timeout))
		if err != nil {
			return
		}
		a := answer{number: number, known: true, from: c.target.Addr(), at: m.At, kernel: m.Kernel, what: arrived}
		if m.Error != nil {
			if !m.Error.Offender.IsValid() {
				return
			}
			a.from, a.what = m.Error.Offender, read(c.target.Addr().Is6(), m.Error)
			a.icmp = &oam.ICMP{Type: m.Error.Type, Code: m.Error.Code}
		}
		c.got(a)
	})
	return attempt.Began, nil
}

func (c *connections) close() {
	c.cancel()
	c.wait.Wait()
}

// isFault reports whether an error is one that ends a run.
func isFault(err error) bool {
	var f *oam.Fault
	return errors.As(err, &f)
}
