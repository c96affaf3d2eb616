package farend

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"incidentd/oam/socket"
)

func TestGate(t *testing.T) {
	allowed := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("fe80::/10")}
	for _, tt := range []struct {
		name   string
		config Config
		from   string
		hops   int
		bad    bool
		want   bool
	}{
		{"allowed", Config{Allowed: allowed}, "192.0.2.1:50000", 60, false, true},
		{"of another service", Config{Allowed: allowed}, "192.0.2.1:50000", 60, true, false},
		{"from elsewhere", Config{Allowed: allowed}, "198.51.100.1:50000", 60, false, false},
		{"nobody", Config{}, "192.0.2.1:50000", 60, false, false},
		{"with a zone", Config{Allowed: allowed}, "[fe80::1%eth0]:50000", 60, false, true},
		{"echo", Config{Allowed: allowed}, "192.0.2.1:7", 60, false, false},
		{"chargen", Config{Allowed: allowed, SenderPort: 862}, "192.0.2.1:19", 60, false, false},
		{"no port", Config{Allowed: allowed}, "192.0.2.1:0", 60, false, false},
		{"the last system port", Config{Allowed: allowed}, "192.0.2.1:1023", 60, false, false},
		{"the first user port", Config{Allowed: allowed}, "192.0.2.1:1024", 60, false, true},
		{"the senders' port", Config{Allowed: allowed, SenderPort: 862}, "192.0.2.1:862", 60, false, true},
		{"at its last hop", Config{Allowed: allowed, OneHopLess: true}, "192.0.2.1:50000", 1, false, false},
		{"with a hop left", Config{Allowed: allowed, OneHopLess: true}, "192.0.2.1:50000", 2, false, true},
		{"hops that do not matter", Config{Allowed: allowed}, "192.0.2.1:50000", 1, false, true},
	} {
		g := NewGate(tt.config)
		from := netip.MustParseAddrPort(tt.from)
		_, got := g.Admit(Peer{Addr: from}, socket.Message{From: from, At: time.Now(), HopLimit: tt.hops}, !tt.bad)
		if got != tt.want {
			t.Errorf("%s: admitted %t, want %t", tt.name, got, tt.want)
		}
		if s := g.Stats(); s.Received != 1 || (s.Refused == 0) != tt.want {
			t.Errorf("%s: %+v", tt.name, s)
		}
	}
}

// Each peer has its own rate, and is counted from 0; one that is silent is forgotten.
func TestGateRate(t *testing.T) {
	g := NewGate(Config{Allowed: []netip.Prefix{netip.MustParsePrefix("::/0")}, MaxRate: 2, Forget: time.Minute})
	now := time.Now()
	admit := func(host byte, after time.Duration) (uint32, bool) {
		from := netip.AddrPortFrom(netip.AddrFrom16([16]byte{15: host}), 50000)
		return g.Admit(Peer{Addr: from}, socket.Message{From: from, At: now.Add(after)}, true)
	}
	for i, step := range []struct {
		host  byte
		after time.Duration
		want  uint32
		ok    bool
	}{
		{1, 0, 0, true}, {1, 0, 1, true}, {1, 0, 0, false}, {2, 0, 0, true}, {1, time.Second / 2, 2, true}, {1, time.Second / 2, 0, false},
		{1, time.Minute, 3, true}, {1, 2*time.Minute + time.Second, 0, true},
	} {
		if got, ok := admit(step.host, step.after); got != step.want || ok != step.ok {
			t.Errorf("step %d: %d, %t", i, got, ok)
		}
	}
}

// The memory of a gate is bounded: those who come when it is full are refused, until others
// have been silent.
func TestGateFull(t *testing.T) {
	g := NewGate(Config{Allowed: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}, Forget: time.Minute})
	now := time.Now()
	admit := func(host uint32, after time.Duration) bool {
		from := netip.AddrPortFrom(netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, host))), 50000)
		_, ok := g.Admit(Peer{Addr: from}, socket.Message{From: from, At: now.Add(after)}, true)
		return ok
	}
	for i := range uint32(maxPeers) {
		if !admit(i, 0) {
			t.Fatalf("peer %d is refused", i)
		}
	}
	if admit(maxPeers, time.Second) {
		t.Error("there is no bound")
	}
	if !admit(0, time.Second) {
		t.Error("a peer that is known is refused")
	}
	if !admit(maxPeers, 2*time.Minute) || len(g.peers) != 1 {
		t.Errorf("%d peers are remembered", len(g.peers))
	}
}
