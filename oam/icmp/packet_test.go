package icmp

import (
	"testing"

	"incidentd/oam/socket"
)

func TestPacket(t *testing.T) {
	for _, six := range []bool{false, true} {
		b := request(six, 7, 0xfeed, 70000, 56)
		if !six && socket.Checksum(b, 0) != 0 {
			t.Error("the checksum is wrong")
		}
		if _, ok := parse(b, six, false); ok {
			t.Error("a request is taken for a reply")
		}
		b[0] = echoReply4
		if six {
			b[0] = echoReply6
		}
		r, ok := parse(b, six, false)
		if !ok || r != (reply{token: 0xfeed, number: 70000, size: 56, intact: true}) {
			t.Errorf("parse = %+v, %t", r, ok)
		}
		b[40]++
		if r, _ := parse(b, six, false); r.intact {
			t.Error("another payload is taken for ours")
		}
	}
}

func FuzzParse(f *testing.F) {
	b := request(false, 1, 2, 3, 56)
	b[0] = echoReply4
	f.Add(b, false, false)
	f.Add(append([]byte{0x45, 19: 0}, b...), false, true)
	f.Add([]byte{0x4f}, false, true)
	f.Fuzz(func(t *testing.T, b []byte, six, header bool) {
		r, ok := parse(b, six, header)
		if ok && (r.size < tokenSize || r.size > len(b)) {
			t.Errorf("a payload of %d octets in a packet of %d", r.size, len(b))
		}
	})
}
