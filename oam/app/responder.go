package app

import (
	"net/netip"
	"time"

	"incidentd/oam"
	"incidentd/oam/farend"
	"incidentd/oam/socket"
)

// forgetEchoed is how long a responder remembers who is silent.
const forgetEchoed = time.Minute

// ResponderConfig is what an echo responder is to do.
type ResponderConfig struct {
	Vantage oam.Vantage
	Port    uint16
	Allowed []netip.Prefix // who is answered; none: nobody
	MaxRate int            // packets per second of an address; 0: not bounded
}

// Respond begins an echo responder [RFC 862], for IPv4 and IPv6 as far as this host knows
// them: what comes goes back as it is. Each address has one rate, whatever its ports. It
// runs until Close.
func Respond(c ResponderConfig) (*farend.End, error) {
	return farend.Listen(farend.Config{
		Vantage: c.Vantage, Port: c.Port, Allowed: c.Allowed, MaxRate: c.MaxRate, Forget: forgetEchoed, OneHopLess: true,
	}, echoed)
}

// echoed is a farend.Answer.
func echoed(gate *farend.Gate, packet []byte, m socket.Message) ([]byte, bool) {
	_, ok := gate.Admit(farend.Peer{Addr: netip.AddrPortFrom(m.From.Addr(), 0)}, m, true)
	return packet, ok
}
