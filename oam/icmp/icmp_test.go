package icmp

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"testing"
	"time"

	"incidentd/oam"
	"incidentd/oam/oamtest"
	"incidentd/oam/socket"
	"incidentd/oam/testnet"
)

// permitted skips where the system lets nobody send echo requests.
func permitted(t testing.TB) {
	t.Helper()
	c, err := socket.Open(oam.Vantage{}, socket.ICMP, false, socket.Options{})
	if err != nil {
		t.Skip(err)
	}
	c.Close()
}

func TestLoopback(t *testing.T) {
	permitted(t)
	for _, target := range []string{"127.0.0.1", "::1", "localhost"} {
		var m Mux
		got, err := oamtest.Try(t.Context(), m.Engine, oamtest.Params(t, "icmp-echo", "target", target, "number-of-packets", "5", "interval", "2000",
			"packet-size", "1400", "dscp", "46", "thresholds/max-loss-ratio", "0", "thresholds/max-average-delay", "2000000000"), "")
		if err != nil {
			if target == "::1" {
				t.Logf("no IPv6 here: %v", err)
				continue
			}
			t.Fatal(err)
		}
		if *got.Packets != (oam.Packets{Sent: 5, Received: 5}) || got.Errors.Lost != 0 || got.Verdict != oam.Pass {
			t.Errorf("%s: %+v %+v, verdict %s", target, got.Packets, got.Errors, got.Verdict)
		}
		if got.TwoWay.Min <= 0 || got.Quality.Timestamping != oam.KernelTimestamps {
			t.Errorf("%s: delay %+v, quality %+v", target, got.TwoWay, got.Quality)
		}
		if len(m.shared) != 0 {
			t.Error("a socket stays open")
		}
	}
}

// Runs at once share a socket, and each gets its own replies.
func TestMux(t *testing.T) {
	permitted(t)
	var m Mux
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			got := oamtest.Run(t, m.Engine, oamtest.Params(t, "icmp-echo", "target", "127.0.0.1", "number-of-packets", "20", "interval", "2000"), "")
			if *got.Packets != (oam.Packets{Sent: 20, Received: 20}) || got.Errors.Duplicates != 0 {
				t.Errorf("%+v %+v", got.Packets, got.Errors)
			}
		})
	}
	wait.Wait()
	if len(m.shared) != 0 {
		t.Errorf("%d sockets stay open", len(m.shared))
	}
}

// A run that is stopped tells what it has so far; the answers on their way are no losses.
func TestStop(t *testing.T) {
	permitted(t)
	var m Mux
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	test, err := m.Engine(oamtest.Params(t, "icmp-echo", "target", "127.0.0.1", "number-of-packets", "1000000", "interval", "10000"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := test.Run(ctx, oamtest.Env(test, ""))
	if err != nil {
		t.Fatal(err)
	}
	if got.Packets.Sent == 0 || got.Errors.Lost != 0 {
		t.Errorf("%+v %+v", got.Packets, got.Errors)
	}
}

func TestFaults(t *testing.T) {
	permitted(t)
	var m Mux
	p := oamtest.Params(t, "icmp-echo", "target", "name.invalid")
	_, err := oamtest.Try(t.Context(), m.Engine, p, "")
	if f := fault(err); f != oam.BadTarget {
		t.Errorf("a name without an address: %v", err)
	}
	test, err := m.Engine(oamtest.Params(t, "icmp-echo", "target", "127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	env := oamtest.Env(test, "")
	env.Permit = func(a netip.Addr) error { return oam.Faultf(oam.TargetDenied, "%s is denied", a) }
	if err := test.Check(t.Context(), env); fault(err) != oam.TargetDenied {
		t.Errorf("Check of a denied target: %v", err)
	}
	if _, err := test.Run(t.Context(), env); fault(err) != oam.TargetDenied {
		t.Errorf("Run to a denied target: %v", err)
	}
	if len(m.shared) != 0 {
		t.Error("a socket stays open")
	}
}

func fault(err error) oam.Reason {
	var f *oam.Fault
	if errors.As(err, &f) {
		return f.Reason
	}
	return ""
}

// accuracy measures over a wire, and is what the wire did.
func accuracy(t testing.TB) (*oam.Measurement, oamtest.Truth) {
	a, _, wire := oamtest.Wired(t,
		testnet.Impairment{Delay: 4 * time.Millisecond, Loss: .03}, testnet.Impairment{Delay: 6 * time.Millisecond, Loss: .02, Duplicate: .02})
	var m Mux
	got := oamtest.Run(t, m.Engine, oamtest.Params(t, "icmp-echo", "target", "10.9.0.2", "number-of-packets", "1000", "interval", "2000", "session-timeout", "500"), a.Namespace)
	return got, oamtest.Exchanged(wire, 1, func(d testnet.Direction, icmp []byte) string {
		if kind := [...]byte{testnet.There: echoRequest4, testnet.Back: echoReply4}[d]; len(icmp) < 20 || icmp[0] != kind {
			return ""
		}
		return string(icmp[8:20]) // the token and the number
	})
}

// Loss, duplicates and delay are those of the wire, packet for packet.
func TestAccuracy(t *testing.T) {
	got, want := accuracy(t)
	if got.Packets.Sent != 1000 || int(got.Errors.Lost) != want.LostThere+want.LostBack || int(got.Errors.Duplicates) != want.Doubled {
		t.Errorf("%+v %+v; the wire lost %d and %d and doubled %d", got.Packets, got.Errors, want.LostThere, want.LostBack, want.Doubled)
	}
	oamtest.Compare(t, "there and back", got.TwoWay, want.Both)
}

// BenchmarkAccuracy is how far loss and delay are from those of the wire.
func BenchmarkAccuracy(b *testing.B) {
	for b.Loop() {
		got, want := accuracy(b)
		b.ReportMetric(float64(int(got.Errors.Lost)-want.LostThere-want.LostBack), "loss-off")
		oamtest.Report(b, "rtt", got.TwoWay, want.Both)
	}
}
