package ingest

import (
	"net/netip"
	"testing"
)

func TestClash(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"[::]:514", "[::]:514", true},
		{"[::]:514", "[::]:515", false},
		{"[::]:0", "[::]:0", false},
		{"[::]:514", "192.0.2.1:514", true},
		{"[::]:514", "[2001:db8::1]:514", true},
		{"0.0.0.0:514", "192.0.2.1:514", true},
		{"0.0.0.0:514", "[2001:db8::1]:514", false},
		{"0.0.0.0:514", "[::]:514", true},
		{"192.0.2.1:514", "192.0.2.2:514", false},
		{"192.0.2.1:514", "[::ffff:192.0.2.1]:514", true},
	} {
		a, b := Endpoint{"udp", netip.MustParseAddrPort(tt.a)}, Endpoint{"udp", netip.MustParseAddrPort(tt.b)}
		if got, back := a.clash(b), b.clash(a); got != tt.want || back != tt.want {
			t.Errorf("clash(%s, %s) = %t, the other way %t, want %t", tt.a, tt.b, got, back, tt.want)
		}
		if b.Network = "tcp"; a.clash(b) {
			t.Errorf("udp %s and tcp %s clash", tt.a, tt.b)
		}
	}
}
