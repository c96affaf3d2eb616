package stamp

import (
	"crypto/hmac"
	"encoding/binary"
)

// The types of extensions [RFC 8972 section 5.1] that are known here.
const (
	extraPadding   = 1
	classOfService = 4
	hmacTLV        = 8
)

// The flags of an extension [RFC 8972 section 4].
const (
	unrecognized = 0x80 // U: the reflector does not know it
	malformed    = 0x40 // M: its length cannot be
	integrity    = 0x20 // I: the HMAC of the extensions is wrong
)

const (
	tlvHeader = 4
	// cosSize is the value of Class of Service.
	cosSize = 4
)

// TLV is an extension.
type TLV struct {
	Flags, Type uint8
	Value       []byte
}

// tlvs reads the extensions behind a packet. What is left when one is malformed is one
// extension with the flag M, so that it can be sent back as it came.
func tlvs(b []byte) []TLV {
	var list []TLV
	for len(b) > 0 {
		if len(b) < tlvHeader {
			return list // padding that is no extension
		}
		size := int(binary.BigEndian.Uint16(b[2:]))
		t := TLV{Flags: b[0], Type: b[1]}
		if b = b[tlvHeader:]; size > len(b) {
			t.Flags |= malformed
			size = len(b)
		}
		t.Value, b = b[:size], b[size:]
		list = append(list, t)
	}
	return list
}

// extensions are the ones a sender adds to its packets, so that they have a size: Class of
// Service with the DSCP it sends with, and padding. Less than an extension needs is filled
// with zeros, as TWAMP Light pads.
func extensions(room int, dscp uint8, key []byte) []byte {
	b := make([]byte, 0, room)
	tail := 0
	if key != nil {
		tail = tlvHeader + macSize
	}
	left := room - (tlvHeader + cosSize) - tail
	if left < 0 || left > 0 && left < tlvHeader {
		// Padding alone, which needs no HMAC.
		left, tail = room, 0
	} else {
		// The DSCP for the way back, then what the reflector finds [RFC 8972 section 4.4].
		b = append(b, unrecognized, classOfService, 0, cosSize, dscp<<2, 0, 0, 0)
	}
	if left >= tlvHeader {
		b = append(b, unrecognized, extraPadding)
		b = binary.BigEndian.AppendUint16(b, uint16(left-tlvHeader))
		b = b[:len(b)+left-tlvHeader]
	}
	if tail > 0 {
		b = append(b, unrecognized, hmacTLV, 0, macSize)
	}
	return b[:room]
}

// sealTLVs writes the HMAC extension, which is the last one: over the number of the packet
// and the extensions before it [RFC 8972 section 4.8].
func sealTLVs(packet []byte, key []byte) {
	if at := authenticatedSize; key != nil && len(packet) >= at+tlvHeader+macSize {
		if h := len(packet) - tlvHeader - macSize; packet[h+1] == hmacTLV {
			copy(packet[h+tlvHeader:], macTLVs(packet, packet[at:h], key))
		}
	}
}

func macTLVs(packet, before []byte, key []byte) []byte {
	return mac(append(append(make([]byte, 0, 4+len(before)), packet[:4]...), before...), key)
}

// reflectTLVs makes the extensions of a reply out of those of a probe, in place behind
// the first octets of packet, which are those of the reply.
func reflectTLVs(packet []byte, key []byte, arrived uint8) {
	at := base(key)
	wrong := uint8(0)
	if key != nil && !authenticTLVs(packet, key) {
		wrong = integrity
	}
	for at < len(packet) {
		rest := packet[at:]
		if len(rest) < tlvHeader {
			return // padding that is no extension
		}
		size := int(binary.BigEndian.Uint16(rest[2:]))
		if size > len(rest)-tlvHeader {
			if rest[0] = malformed; !known(rest[1], key) {
				rest[0] |= unrecognized
			}
			return
		}
		value := rest[tlvHeader : tlvHeader+size]
		rest[0] = wrong // those that are reserved are zero
		switch kind := rest[1]; {
		case wrong != 0:
		case !known(kind, key):
			rest[0] |= unrecognized
		case kind == classOfService && size != cosSize:
			rest[0] |= malformed
		case kind == classOfService:
			// DSCP1, 6 bits; DSCP2, 6 bits; ECN, 2 bits; RP, 2 bits.
			v := binary.BigEndian.Uint32(value)&(63<<26) | uint32(arrived>>2)<<20 | uint32(arrived&3)<<18
			// The way back has the class with which the probe came: where that is not the one
			// asked for, the reflector tells that it did not follow.
			if uint32(arrived>>2) != v>>26 {
				v |= 1 << 16
			}
			binary.BigEndian.PutUint32(value, v)
		}
		at += tlvHeader + size
	}
}

// known reports whether a reflector knows a type of extensions.
func known(kind uint8, key []byte) bool {
	return kind == extraPadding || kind == classOfService || kind == hmacTLV && key != nil
}

// authenticTLVs reports whether the HMAC over the extensions is right. With a key there has
// to be one, as the last extension, as soon as there is any but padding.
func authenticTLVs(packet []byte, key []byte) bool {
	list := tlvs(packet[authenticatedSize:])
	at, padding := authenticatedSize, true
	for i, t := range list {
		if t.Type == hmacTLV && len(t.Value) == macSize {
			return i == len(list)-1 && hmac.Equal(t.Value, macTLVs(packet, packet[authenticatedSize:at], key))
		}
		padding = padding && t.Type == extraPadding
		at += tlvHeader + len(t.Value)
	}
	return padding
}

// remarked tells from the extensions of a reply which DSCP the probe had when it arrived;
// false when the reflector does not tell.
func remarked(ext []byte) (arrived uint8, ok bool) {
	for _, t := range tlvs(ext) {
		if t.Type == classOfService && t.Flags&(unrecognized|malformed|integrity) == 0 && len(t.Value) == cosSize {
			return uint8(binary.BigEndian.Uint32(t.Value) >> 20 & 63), true
		}
	}
	return 0, false
}
