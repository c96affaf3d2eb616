package app

import (
	"context"
	"math/bits"
	"net"
	"net/netip"
	"time"

	"incidentd/oam"
	"incidentd/oam/socket"
	"incidentd/oam/train"
)

// synSize is a SYN with its options over IPv6. What follows it is smaller.
const synSize = 80

// connect is a test of tcp-connect.
type connect struct {
	target string
	port   uint16
	dscp   uint8
	attempts
}

// Connect makes tests of tcp-connect; it is an oam.Engine. The delay is that of the
// handshake [RFC 9293 section 3.5]: as TCP itself has measured it where the system tells and
// no SYN was lost, else until this process knows of the connection. Each connection is reset
// at once, so that the far end keeps nothing of it.
func Connect(p oam.Params) (oam.Test, error) {
	plan := train.ReadPlan(p, synSize)
	return &connect{
		target: p.String("target"),
		port:   uint16(p.Uint("destination-port")),
		dscp:   uint8(p.Uint("dscp")),
		// SYN, ACK and RST; or without an answer SYN again and again, in pauses that double
		// from one second on [RFC 6298].
		attempts: attempts{plan, max(3, bits.Len(uint(plan.Timeout/time.Second)+1))},
	}, nil
}

// Demand is what a run takes.
func (c *connect) Demand() oam.Demand { return c.demand(c.target) }

// Check finds the target's address.
func (c *connect) Check(ctx context.Context, env *oam.Env) error {
	_, err := permitted(ctx, env, c.target)
	return err
}

// Run opens and resets the connections.
func (c *connect) Run(ctx context.Context, env *oam.Env) (*oam.Measurement, error) {
	target, err := permitted(ctx, env, c.target)
	if err != nil {
		return nil, err
	}
	to := netip.AddrPortFrom(target, c.port)
	return c.run(ctx, env, func(ctx context.Context, _ int) (string, bool, time.Duration, error) {
		conn, err := socket.Dial(ctx, env.Vantage, "tcp", to, c.dscp)
		if err != nil {
			return "", false, 0, local(err)
		}
		defer reset(conn)
		return "connected", true, socket.Handshake(conn), nil
	})
}

// reset closes a connection with a RST.
func reset(conn net.Conn) {
	if c, ok := conn.(*net.TCPConn); ok {
		c.SetLinger(0)
	}
	conn.Close()
}

// permitted finds the address of a target that the limits allow.
func permitted(ctx context.Context, env *oam.Env, target string) (netip.Addr, error) {
	a, err := socket.Lookup(ctx, env.Vantage, target)
	if err != nil {
		return a, err
	}
	return a, env.Permit(a)
}
