package app

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"

	"incidentd/oam"
	"incidentd/oam/socket"
	"incidentd/oam/train"
)

// echoHeader is what tells a packet of udp-echo: eight random octets of its run, and its
// number.
const echoHeader = 12

// echo is a test of udp-echo.
type echo struct {
	target  string
	port    uint16
	dscp    uint8
	payload int
	plan    train.Plan
}

// Echo makes tests of udp-echo [RFC 862]; it is an oam.Engine. A packet that a host or a
// router says it cannot deliver is lost at once, and the reason is a response.
func Echo(p oam.Params) (oam.Test, error) {
	payload := p.Int("packet-size")
	return &echo{
		target:  p.String("target"),
		port:    uint16(p.Uint("destination-port")),
		dscp:    uint8(p.Uint("dscp")),
		payload: payload,
		plan:    train.ReadPlan(p, datagram(payload, true)), // the larger header, until the address is known
	}, nil
}

// datagram is the size of the IP packet of a payload of UDP.
func datagram(payload int, six bool) int {
	if six {
		return 40 + 8 + payload
	}
	return 20 + 8 + payload
}

// Demand is what a run takes.
func (e *echo) Demand() oam.Demand { return e.plan.Demand(e.target) }

// Check finds the target's address and opens the socket once.
func (e *echo) Check(ctx context.Context, env *oam.Env) error {
	conn, _, err := e.open(ctx, env)
	if err != nil {
		return err
	}
	return conn.Close()
}

func (e *echo) open(ctx context.Context, env *oam.Env) (*socket.Conn, bool, error) {
	target, err := permitted(ctx, env, e.target)
	if err != nil {
		return nil, false, err
	}
	conn, err := socket.Open(env.Vantage, socket.UDP, target.Is6(),
		socket.Options{DSCP: e.dscp, Errors: true, Connect: netip.AddrPortFrom(target, e.port)})
	return conn, target.Is6(), err
}

// Run sends the packets and takes the echoes.
func (e *echo) Run(ctx context.Context, env *oam.Env) (*oam.Measurement, error) {
	conn, six, err := e.open(ctx, env)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	plan := e.plan
	plan.Octets = datagram(e.payload, six)
	r := &echoes{record: train.NewRecord(plan), packet: make([]byte, e.payload), codes: map[string]uint32{}}
	rand.Read(r.packet) // the whole of it: an echo is the same, octet for octet
	var wait sync.WaitGroup
	wait.Go(func() { r.receive(conn) })
	packet := slices.Clone(r.packet)
	err = plan.Pace(ctx, env, r.record, func(i int) (time.Time, error) {
		binary.BigEndian.PutUint32(packet[8:], uint32(i))
		return conn.Send(packet, netip.AddrPort{})
	})
	conn.Close()
	wait.Wait()
	if err != nil {
		return nil, err
	}
	m := r.record.Measurement(plan.Thresholds)
	m.Responses = responses(r.codes)
	return m, nil
}

// echoes are those of a run. One goroutine receives them.
type echoes struct {
	record *train.Record
	packet []byte            // as it is sent, but for its number
	codes  map[string]uint32 // of errors
}

// receive records echoes and errors until the socket is closed.
func (r *echoes) receive(conn *socket.Conn) {
	buffer := make([]byte, 65536)
	for {
		n, m, err := conn.Receive(buffer)
		if err != nil {
			return
		}
		r.take(buffer[:n], m)
	}
}

func (r *echoes) take(b []byte, m socket.Message) {
	if m.Error != nil {
		r.codes[refusal(m.Error)]++
		// A router may send back no more than the header; the packet is lost when its time is
		// over then.
		if number, ok := r.number(b); ok {
			r.record.Lost(number)
		}
		return
	}
	number, ok := r.number(b)
	if !ok || len(b) != len(r.packet) || !bytes.Equal(b[echoHeader:], r.packet[echoHeader:]) {
		r.record.Bad()
		return
	}
	r.record.Received(number, m.At, m.Kernel)
}

// number tells which packet of the run begins so.
func (r *echoes) number(b []byte) (int, bool) {
	if len(b) < echoHeader || !bytes.Equal(b[:8], r.packet[:8]) {
		return 0, false
	}
	return int(binary.BigEndian.Uint32(b[8:])), true
}

// refusal is the response that an ICMP error stands for.
func refusal(e *socket.ICMPError) string {
	if syscall.Errno(e.Errno) == syscall.ECONNREFUSED {
		return "refused"
	}
	return "unreachable"
}

// responses are the codes with their counts, in order.
func responses(codes map[string]uint32) (list []oam.Response) {
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		list = append(list, oam.Response{Code: code, Count: codes[code]})
	}
	return list
}
