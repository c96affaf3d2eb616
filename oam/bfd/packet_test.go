package bfd

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// example is a packet as the figure of RFC 5880 section 4.1 lays it out.
var example = Control{
	Diagnostic: NeighborSignaledDown, State: Init, Poll: true, ControlPlaneIndependent: true, DetectMult: 5,
	MyDiscriminator: 0x01020304, YourDiscriminator: 0x0a0b0c0d,
	DesiredMinTx: time.Second, RequiredMinRx: 300 * time.Millisecond, RequiredMinEchoRx: 50 * time.Microsecond,
}

const exampleOctets = "23a80518" + "01020304" + "0a0b0c0d" + "000f4240" + "000493e0" + "00000032"

func TestControl(t *testing.T) {
	b := example.Append(nil)
	if got := hex.EncodeToString(b); got != exampleOctets {
		t.Errorf("encoded %s, want %s", got, exampleOctets)
	}
	got, packet, err := Decode(append(b, "what a link pads"...))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(example, got); diff != "" || !bytes.Equal(packet, b) {
		t.Errorf("%s%x", diff, packet)
	}
}

// What must be discarded, each for its reason.
func TestDiscard(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(b []byte) []byte
		want   string
	}{
		{"version", func(b []byte) []byte { b[0] = 2<<5 | b[0]&31; return b }, "version 2"},
		{"short", func(b []byte) []byte { return b[:23] }, "it has 23 octets, and needs 24"},
		{"length below the least", func(b []byte) []byte { b[3] = 23; return b }, "its length is 23 in 24 octets"},
		{"length beyond the payload", func(b []byte) []byte { b[3] = 25; return b }, "its length is 25 in 24 octets"},
		{"authentication without a section", func(b []byte) []byte { b[1] |= 4; b[3] = 25; return append(b, 0) }, "its length is 25 in 25 octets"},
		{"multiplier", func(b []byte) []byte { b[2] = 0; return b }, "the detection multiplier is 0"},
		{"multipoint", func(b []byte) []byte { b[1] |= 1; return b }, "the multipoint bit is set"},
		{"my discriminator", func(b []byte) []byte { clear(b[4:8]); return b }, "my discriminator is 0"},
		{"your discriminator", func(b []byte) []byte { clear(b[8:12]); return b }, "your discriminator is 0 in state Init"},
	} {
		_, _, err := Decode(c.change(example.Append(nil)))
		if !errors.Is(err, errPacket) || err.Error() != errPacket.Error()+": "+c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(example.Append(nil))
	a := authenticated(f, 7)
	f.Add(a.seal(example.Append(nil)))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, packet, err := Decode(b)
		if err != nil {
			if !errors.Is(err, errPacket) {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		again := c.Append(nil)
		again[3] = byte(len(packet)) // the section stays
		if !bytes.Equal(again, packet[:headerSize]) {
			t.Fatalf("%x is read and written as %x", packet, again)
		}
		if c.AuthenticationPresent { // any section is refused or taken, and does no harm
			authenticated(t, 7).check(packet, c.DetectMult)
		}
	})
}

func authenticated(t testing.TB, first uint32) *authentication {
	t.Helper()
	a, err := newAuthentication(9, []byte("a key of BFD"), first)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAuthentication(t *testing.T) {
	const first = 1<<32 - 2 // the numbers go round
	a, b := authenticated(t, first), authenticated(t, 0)
	for i := range 4 {
		packet := a.seal(example.Append(nil))
		c, whole, err := Decode(packet)
		if err != nil || !c.AuthenticationPresent || len(whole) != 52 {
			t.Fatalf("%v, %+v, %d octets", err, c, len(whole))
		}
		for at := range packet { // no octet can be changed
			bad := bytes.Clone(packet)
			bad[at] ^= 1
			if at == headerSize+3 {
				continue // reserved; it is part of the hash all the same
			}
			if _, w, err := Decode(bad); err == nil && b.check(w, 5) == nil {
				t.Errorf("octet %d can be changed", at)
			}
		}
		if err := b.check(packet, 5); err != nil {
			t.Errorf("packet %d: %v", i, err)
		}
		if err := b.check(packet, 5); !errors.Is(err, errPacket) {
			t.Errorf("packet %d is taken twice", i)
		}
	}
	lost := bytes.Clone(a.seal(example.Append(nil)))
	for range 14 { // with the one above 15 lost packets: 3 times 5, less the one that comes
		a.seal(example.Append(nil))
	}
	late := a.seal(example.Append(nil))
	if err := b.check(late, 5); err == nil {
		t.Error("16 packets after the last one, a packet is taken")
	}
	if err := b.check(lost, 5); err != nil {
		t.Error(err)
	}
	if err := b.check(late, 5); err != nil {
		t.Errorf("15 packets after the last one: %v", err)
	}
	if _, err := newAuthentication(1, make([]byte, 21), 0); err == nil || err.Error() != "it has 21 octets; a key of BFD has 1 to 20" {
		t.Error(err)
	}
}
