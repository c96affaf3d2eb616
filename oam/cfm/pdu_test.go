package cfm

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	near = MAC{0x02, 0, 0, 0, 0, 0x0a}
	far  = MAC{0x02, 0, 0, 0, 0, 0x0b}
	away = MAC{0x02, 0, 0, 0, 0, 0x0c}
)

// frames are one of each kind, with their octets behind the addresses.
var frames = []struct {
	name   string
	frame  Frame
	octets string
}{
	{"LBM", Frame{Destination: far, Source: near, Level: 5, OpCode: LBM, Transaction: 0x01020304, Data: []byte{0xaa, 0xbb}},
		"8902 a0 03 00 04 01020304 03 0002 aabb 00"},
	{"LBR without data", Frame{Destination: near, Source: far, OpCode: LBR, Transaction: 7}, "8902 00 02 00 04 00000007 00"},
	{"LTM", Frame{Destination: class2(3), Source: near, Level: 3, OpCode: LTM, Flags: UseFDBOnly, Transaction: 9, TTL: 64, Original: near, Target: far, Egress: egressOf(near)},
		"8902 60 05 80 11 00000009 40 02000000000a 02000000000b 07 0008 0000 02000000000a 00"},
	{"LTR", Frame{Destination: near, Source: far, Level: 3, OpCode: LTR, Flags: UseFDBOnly | FwdYes, Transaction: 9, TTL: 63, Relay: byFDB,
		Egress: egressOf(near), NextEgress: egressOf(away), Ingress: &Port{1, far}, Leaves: &Port{3, away}},
		"8902 60 04 c0 06 00000009 3f 02 08 0010 0000 02000000000a 0000 02000000000c 05 0007 01 02000000000b 06 0007 03 02000000000c 00"},
}

func TestFrames(t *testing.T) {
	for _, c := range frames {
		b := c.frame.Append(nil)
		if got, want := hex.EncodeToString(b[12:]), strings.ReplaceAll(c.octets, " ", ""); got != want {
			t.Errorf("%s is written as\n%s, want\n%s", c.name, got, want)
		}
		got, err := Decode(append(b, make([]byte, 20)...)) // what a link pads
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if diff := cmp.Diff(c.frame, got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
	tagged := frames[0].frame
	tagged.VLAN, tagged.Priority = 100, 7
	if got := hex.EncodeToString(tagged.Append(nil)[12:20]); got != "8100e0648902a003" {
		t.Errorf("the tag is %s", got)
	}
}

// Of a later version what is known is read: behind a longer head, and beside TLVs of others.
func TestLaterVersion(t *testing.T) {
	b := append(far[:], near[:]...)
	b = append(b, 0x89, 0x02, 2<<5|1, byte(LBM), 0, 6, 0, 0, 0, 5, 0xee, 0xee)
	b = appendTLV(b, 1, []byte("sender"))
	b = appendTLV(b, 31, []byte("organization"))
	b = appendTLV(b, dataTLV, []byte("data"))
	got, err := Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	want := Frame{Destination: far, Source: near, Level: 2, OpCode: LBM, Transaction: 5, Data: []byte("data")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRefused(t *testing.T) {
	whole := func(i int) []byte { return frames[i].frame.Append(nil) }
	for _, c := range []struct {
		name string
		b    []byte
		want string
	}{
		{"short", whole(0)[:17], "17 octets"},
		{"another protocol", append(append([]byte{}, whole(0)[:12]...), 8, 0, 0, 0, 0, 0), "its type is 0x0800"},
		{"continuity check", func() []byte { b := whole(0); b[15] = 1; return b }(), "opcode 1"},
		{"offset", func() []byte { b := whole(2); b[17] = 16; return b }(), "its TLVs begin at 16 of 29 octets"},
		{"offset beyond", func() []byte { b := whole(1); b[17] = 6; return b }(), "its TLVs begin at 6 of 5 octets"},
		{"TLV without length", append(whole(1)[:22], 3, 0), "a TLV is cut off"},
		{"TLV beyond the end", append(whole(1)[:22], 3, 0, 2, 0), "TLV 3 has 2 octets of 1"},
		{"short TLV", append(whole(2)[:35], 7, 0, 1, 0), "TLV 7 has 1 octets, and needs 8"},
	} {
		_, err := Decode(c.b)
		if !errors.Is(err, errFrame) || err.Error() != errFrame.Error()+": "+c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, c := range frames {
		f.Add(c.frame.Append(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := Decode(b)
		if err != nil {
			if !errors.Is(err, errFrame) {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		first := got.Append(nil)
		again, err := Decode(first)
		if err != nil || !bytes.Equal(again.Append(nil), first) {
			t.Fatalf("%x is read as %+v, and that is refused or another: %v", b, got, err)
		}
		for _, a := range answerMEP(got, far, 1) { // nothing of it does harm
			if a.Destination.group() || a.Level != got.Level {
				t.Fatalf("%+v is answered by %+v", got, a)
			}
		}
	})
}
