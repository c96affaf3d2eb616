package listen

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"incidentd/incident/ingest"
)

// readBuffer is what the operating system is asked to keep of UDP between two reads.
const readBuffer = 8 << 20

// errPeer is why a datagram is refused.
var errPeer = errors.New("its address is not allowed")

// UDP takes datagrams until ctx is done. What comes from where it may, and not too fast, is
// handed to take, which must not keep it; it is a byte longer than MaxMessage when it is too
// long. What take returns, unless nil, is sent back.
func UDP(ctx context.Context, c *Config, rate *Rate, f *ingest.Feed, take func(b []byte, peer netip.Addr) []byte) error {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(c.Address))
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if err := conn.SetReadBuffer(readBuffer); err != nil {
		f.Log().Debug("the system keeps a smaller buffer", "err", err)
	}
	f.Up("udp " + conn.LocalAddr().String())
	buf := make([]byte, c.MaxMessage+1)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		peer := from.Addr().Unmap().WithZone("")
		f.Received(n)
		switch {
		case !c.Admits(peer):
			f.Refused(fmt.Errorf("message from %s: %w", peer, errPeer))
			continue
		case rate.Take(peer) > 0:
			rate.Back(peer)
			f.Dropped(1, "more than rate-per-peer from "+peer.String())
			continue
		}
		f.Guard(func() {
			if answer := take(buf[:n], peer); answer != nil {
				conn.WriteToUDPAddrPort(answer, from)
			}
		})
	}
}
