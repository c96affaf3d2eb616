package testnet

import (
	"context"
	"net/netip"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Every packet that ping sends and misses is in the log of the wire, and the time it
// measures is that of the wire.
func TestWire(t *testing.T) {
	if why := MissingWire(); why != "" {
		t.Skip(why)
	}
	if _, err := exec.LookPath("ping"); err != nil {
		t.Skip("ping is not installed (apt: iputils-ping)")
	}
	n := New()
	defer n.Close()
	a, err := n.Host("a")
	if err != nil {
		t.Fatal(err)
	}
	b, err := n.Host("b")
	if err != nil {
		t.Fatal(err)
	}
	wire, err := n.Wire(
		End{a, "wire0", netip.MustParsePrefix("10.9.0.1/30")}, End{b, "wire0", netip.MustParsePrefix("10.9.0.2/30")},
		Impairment{Delay: 3 * time.Millisecond, Loss: .1}, Impairment{Delay: 2 * time.Millisecond, Loss: .1, Duplicate: .05})
	if err != nil {
		t.Fatal(err)
	}
	out, _ := a.Command(context.Background(), "ping", "-n", "-q", "-i", "0.002", "-c", "300", "-W", "1", "10.9.0.2").CombinedOutput()
	if err := wire.Close(); err != nil {
		t.Error(err)
	}
	there, back := echoes(wire.Log(There)), echoes(wire.Log(Back))
	lost := func(log []Packet) (n int) {
		for _, p := range log {
			if p.Copies == 0 {
				n++
			}
		}
		return n
	}
	if len(there) != 300 || len(back) != 300-lost(there) {
		t.Errorf("%d requests, of which %d were lost, and %d replies; ping says\n%s", len(there), lost(there), len(back), out)
	}
	doubled := 0
	for _, p := range back {
		if p.Copies == 2 {
			doubled++
		}
	}
	if lost(there) == 0 || lost(back) == 0 || doubled == 0 {
		t.Errorf("%d and %d lost, %d doubled", lost(there), lost(back), doubled)
	}
	_, text, _ := strings.Cut(string(out), "transmitted, ")
	text, _, _ = strings.Cut(text, " received")
	if received, err := strconv.Atoi(text); err != nil || received != len(back)-lost(back) {
		t.Errorf("the wire passed %d replies on; ping says\n%s", len(back)-lost(back), out)
	}
	for _, log := range [][]Packet{there, back} {
		for _, p := range log {
			least := 3 * time.Millisecond
			if p.Direction == Back {
				least = 2 * time.Millisecond
			}
			if p.Copies > 0 && p.Out.Sub(p.In) < least {
				t.Fatalf("a packet took %s", p.Out.Sub(p.In))
			}
		}
	}
}

// What is sent faster than the rate waits in the queue, and is dropped when that is full.
func TestWireRate(t *testing.T) {
	v := &way{effect: Impairment{Rate: 8_000_000, Queue: 10_000}, wake: make(chan struct{}, 1)}
	now := time.Now()
	for range 20 {
		v.take(&Packet{Data: make([]byte, 1000), In: now})
	}
	for i, p := range v.log {
		if want := i < 10; (p.Copies == 1) != want {
			t.Errorf("packet %d passes: %t, want %t", i, !want, want)
		}
	}
	for i := range 10 {
		if p := v.due[i]; p.at.Sub(now) != time.Duration(p.order)*time.Millisecond {
			t.Errorf("packet %d leaves after %s", p.order, p.at.Sub(now))
		}
	}
}

// echoes are the packets of ICMP.
func echoes(log []Packet) (list []Packet) {
	for _, p := range log {
		if len(p.Data) > 9 && p.Data[0]>>4 == 4 && p.Data[9] == 1 {
			list = append(list, p)
		}
	}
	return list
}
