package icmp

import (
	"bytes"
	"encoding/binary"

	"incidentd/oam/socket"
)

// The types of ICMP and ICMPv6.
const (
	echoRequest4, echoReply4 = 8, 0
	echoRequest6, echoReply6 = 128, 129
)

const (
	headerSize = 8
	// tokenSize is how much of the payload is ours: the token of the run and the number of
	// the packet. The rest is a pattern, as long as the test wants it.
	tokenSize = 12
)

// request builds an echo request. The kernel writes the checksum of ICMPv6, and that of
// ICMP where the socket is its own kind.
func request(six bool, id uint16, token uint64, number uint32, payload int) []byte {
	b := make([]byte, headerSize+payload)
	b[0] = echoRequest4
	if six {
		b[0] = echoRequest6
	}
	binary.BigEndian.PutUint16(b[4:], id)
	binary.BigEndian.PutUint16(b[6:], uint16(number))
	binary.BigEndian.PutUint64(b[8:], token)
	binary.BigEndian.PutUint32(b[16:], number)
	pattern(b[headerSize+tokenSize:])
	if !six {
		binary.BigEndian.PutUint16(b[2:], socket.Checksum(b, 0))
	}
	return b
}

// reply is an echo reply, taken apart.
type reply struct {
	token  uint64
	number uint32
	size   int  // of the payload
	intact bool // the payload is the one that was sent
}

// parse takes an echo reply apart. With header, the IP header stands before it, as raw
// sockets of IPv4 have it. It reports false for anything else than a reply of our form.
func parse(b []byte, six, header bool) (reply, bool) {
	if header {
		if len(b) < 20 || b[0]>>4 != 4 {
			return reply{}, false
		}
		size := int(b[0]&15) * 4
		if size < 20 || len(b) < size {
			return reply{}, false
		}
		b = b[size:]
	}
	kind := byte(echoReply4)
	if six {
		kind = echoReply6
	}
	if len(b) < headerSize+tokenSize || b[0] != kind || b[1] != 0 {
		return reply{}, false
	}
	rest := b[headerSize+tokenSize:]
	want := make([]byte, len(rest))
	pattern(want)
	return reply{
		token:  binary.BigEndian.Uint64(b[8:]),
		number: binary.BigEndian.Uint32(b[16:]),
		size:   len(b) - headerSize,
		intact: bytes.Equal(rest, want),
	}, true
}

// pattern fills what is left of a payload.
func pattern(b []byte) {
	for i := range b {
		b[i] = byte(i)
	}
}
