package bfd

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
)

// Meticulous keyed SHA1 [RFC 5880 sections 4.4 and 6.7.4].
const (
	meticulousKeyedSHA1 = 5
	sectionSize         = 28
	hashAt              = headerSize + 8 // in the packet
)

// authentication seals packets and checks those of the far end. It belongs to a session.
type authentication struct {
	id  uint8
	key [sha1.Size]byte

	transmit uint32 // bfd.XmitAuthSeq
	receive  uint32 // bfd.RcvAuthSeq
	known    bool   // bfd.AuthSeqKnown
}

// newAuthentication begins with a number of its own for each session, so that packets of
// another one cannot be played back.
func newAuthentication(id uint8, key []byte, first uint32) (*authentication, error) {
	a := &authentication{id: id, transmit: first}
	if len(key) == 0 || len(key) > len(a.key) {
		return nil, fmt.Errorf("it has %d octets; a key of BFD has 1 to %d", len(key), len(a.key))
	}
	copy(a.key[:], key)
	return a, nil
}

// seal appends the section to a packet, whose length and flag become right.
func (a *authentication) seal(packet []byte) []byte {
	packet[1] |= authenticationPresent
	packet[3] = headerSize + sectionSize
	packet = append(packet, meticulousKeyedSHA1, sectionSize, a.id, 0)
	packet = binary.BigEndian.AppendUint32(packet, a.transmit)
	packet = append(packet, a.key[:]...)
	a.transmit++
	hash := sha1.Sum(packet)
	copy(packet[hashAt:], hash[:])
	return packet
}

// check reports whether a packet is one of the far end's, and not an old one. mult is the
// multiplier of the far end: so many packets in a row may be lost.
func (a *authentication) check(packet []byte, mult uint8) error {
	section := packet[headerSize:]
	switch {
	case section[0] != meticulousKeyedSHA1:
		return discard("authentication is of type %d, not meticulous keyed SHA1", section[0])
	case len(section) != sectionSize || section[1] != sectionSize:
		return discard("the authentication section has %d octets", len(section))
	case section[2] != a.id:
		return discard("the key's number is %d", section[2])
	}
	sealed := append([]byte(nil), packet...)
	copy(sealed[hashAt:], a.key[:])
	if hash := sha1.Sum(sealed); !hmac.Equal(hash[:], packet[hashAt:]) {
		return discard("the hash is wrong")
	}
	number := binary.BigEndian.Uint32(section[4:])
	if a.known && number-a.receive-1 >= 3*uint32(mult) { // in circular numbers
		return discard("number %d after %d", number, a.receive)
	}
	a.receive, a.known = number, true
	return nil
}
