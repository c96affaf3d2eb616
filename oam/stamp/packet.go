package stamp

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// Sizes of the packets without extensions [RFC 8762 section 4].
const (
	plainSize         = 44
	authenticatedSize = 112
	macSize           = 16
	// twampSize is the reply of a reflector of TWAMP Light that leaves out what RFC 8762
	// requires behind the sender's error estimate.
	twampSize = 38
)

// Estimate is an error estimate: how far a clock may be wrong [RFC 8762 section 4.2.1,
// RFC 4656 section 4.1.2].
type Estimate struct {
	Synchronized bool
	PTP          bool // the format of the timestamp: PTPv2, else NTP
	Scale        uint8
	Multiplier   uint8
}

// Clock is what the system says of the clock of this host.
func Clock() Estimate { return clock() }

// NewEstimate is that of a clock that may be wrong by so much.
func NewEstimate(synchronized bool, wrong time.Duration) Estimate {
	e := Estimate{Synchronized: synchronized}
	units := float64(wrong) / float64(time.Second) * (1 << 32)
	for ; units > 255 && e.Scale < 63; units /= 2 {
		e.Scale++
	}
	// RFC 4656 has 0 mean nothing.
	e.Multiplier = uint8(max(1, min(255, units)))
	return e
}

// Error is how far the clock may be wrong.
func (e Estimate) Error() time.Duration {
	seconds := float64(e.Multiplier) / (1 << 32)
	for range e.Scale {
		seconds *= 2
	}
	return time.Duration(min(seconds*float64(time.Second), float64(1<<62)))
}

func (e Estimate) encode() uint16 {
	v := uint16(e.Scale&63)<<8 | uint16(e.Multiplier)
	if e.Synchronized {
		v |= 1 << 15
	}
	if e.PTP {
		v |= 1 << 14
	}
	return v
}

func decodeEstimate(v uint16) Estimate {
	return Estimate{Synchronized: v>>15 == 1, PTP: v>>14&1 == 1, Scale: uint8(v >> 8 & 63), Multiplier: uint8(v)}
}

// The first second of NTP, 1900, as seconds before that of Unix.
const ntpEpoch = 2208988800

// ntp is a time as a timestamp of NTP [RFC 5905 section 6].
func ntp(t time.Time) uint64 {
	seconds, fraction := uint64(t.Unix()+ntpEpoch), uint64(t.Nanosecond())
	return seconds<<32 | (fraction<<32+5e8)/1e9
}

// fromTimestamp is the time of a timestamp of NTP or PTP. An era ends in 2036; what is
// early in an era is of the next one.
func fromTimestamp(v uint64, ptp bool) time.Time {
	seconds, fraction := int64(v>>32), int64(v&0xffffffff)
	if ptp {
		return time.Unix(seconds, fraction)
	}
	if seconds < 1<<31 {
		seconds += 1 << 32
	}
	return time.Unix(seconds-ntpEpoch, (fraction*1e9+1<<31)>>32)
}

// Probe is the packet of a sender.
type Probe struct {
	Sequence  uint32
	Timestamp uint64
	Estimate  Estimate
	SSID      uint16
}

// Reply is the packet of a reflector.
type Reply struct {
	Probe             // of the reflector: T3
	Received   uint64 // T2
	Sender     Probe  // copied: T1; it has no SSID
	SenderTTL  uint8
	Unfinished bool // the reply is that of TWAMP Light and has no SenderTTL
}

// base is the size of a packet without extensions.
func base(key []byte) int {
	if key != nil {
		return authenticatedSize
	}
	return plainSize
}

// put writes a probe into a packet: its offsets depend on whether it is authenticated.
func (p Probe) put(b []byte, key []byte) {
	binary.BigEndian.PutUint32(b, p.Sequence)
	at := 4
	if key != nil {
		at = 16
	}
	binary.BigEndian.PutUint64(b[at:], p.Timestamp)
	binary.BigEndian.PutUint16(b[at+8:], p.Estimate.encode())
	binary.BigEndian.PutUint16(b[at+10:], p.SSID)
}

func getProbe(b []byte, key []byte) Probe {
	at := 4
	if key != nil {
		at = 16
	}
	return Probe{
		Sequence:  binary.BigEndian.Uint32(b),
		Timestamp: binary.BigEndian.Uint64(b[at:]),
		Estimate:  decodeEstimate(binary.BigEndian.Uint16(b[at+8:])),
		SSID:      binary.BigEndian.Uint16(b[at+10:]),
	}
}

// Encode writes a probe of a size, which is that without extensions or more; what follows
// is for the caller. With a key it is authenticated.
func (p Probe) Encode(b []byte, key []byte) {
	clear(b[:base(key)])
	p.put(b, key)
	seal(b, key)
}

// DecodeProbe reads the packet of a sender. It reports false for what is none, and for
// one whose authentication fails.
func DecodeProbe(b []byte, key []byte) (Probe, bool) {
	// A sender of TWAMP Light may leave out the zeros behind its 14 octets.
	if key == nil && len(b) < 14 || key != nil && len(b) < authenticatedSize || !authentic(b, key) {
		return Probe{}, false
	}
	if len(b) < 16 {
		b = append(b[:len(b):len(b)], 0, 0)
	}
	return getProbe(b, key), true
}

// Encode writes a reply, as Probe.Encode does.
func (r Reply) Encode(b []byte, key []byte) {
	clear(b[:base(key)])
	r.put(b, key)
	if key == nil {
		binary.BigEndian.PutUint64(b[16:], r.Received)
		binary.BigEndian.PutUint32(b[24:], r.Sender.Sequence)
		binary.BigEndian.PutUint64(b[28:], r.Sender.Timestamp)
		binary.BigEndian.PutUint16(b[36:], r.Sender.Estimate.encode())
		b[40] = r.SenderTTL
		return
	}
	binary.BigEndian.PutUint64(b[32:], r.Received)
	binary.BigEndian.PutUint32(b[48:], r.Sender.Sequence)
	binary.BigEndian.PutUint64(b[64:], r.Sender.Timestamp)
	binary.BigEndian.PutUint16(b[72:], r.Sender.Estimate.encode())
	b[80] = r.SenderTTL
	seal(b, key)
}

// DecodeReply reads the packet of a reflector, as DecodeProbe does.
func DecodeReply(b []byte, key []byte) (Reply, bool) {
	if key != nil {
		if len(b) < authenticatedSize || !authentic(b, key) {
			return Reply{}, false
		}
		return Reply{
			Probe:    getProbe(b, key),
			Received: binary.BigEndian.Uint64(b[32:]),
			Sender: Probe{
				Sequence:  binary.BigEndian.Uint32(b[48:]),
				Timestamp: binary.BigEndian.Uint64(b[64:]),
				Estimate:  decodeEstimate(binary.BigEndian.Uint16(b[72:])),
			},
			SenderTTL: b[80],
		}, true
	}
	if len(b) < twampSize {
		return Reply{}, false
	}
	r := Reply{
		Probe:    getProbe(b, key),
		Received: binary.BigEndian.Uint64(b[16:]),
		Sender: Probe{
			Sequence:  binary.BigEndian.Uint32(b[24:]),
			Timestamp: binary.BigEndian.Uint64(b[28:]),
			Estimate:  decodeEstimate(binary.BigEndian.Uint16(b[36:])),
		},
	}
	if r.Unfinished = len(b) <= 40; !r.Unfinished {
		r.SenderTTL = b[40]
	}
	return r, true
}

// seal writes the HMAC of a packet with a key [RFC 8762 section 4.4]: the first half of
// HMAC-SHA-256 over what stands before it.
func seal(b []byte, key []byte) {
	if key != nil {
		copy(b[authenticatedSize-macSize:authenticatedSize], mac(b[:authenticatedSize-macSize], key))
	}
}

func authentic(b []byte, key []byte) bool {
	return key == nil || hmac.Equal(b[authenticatedSize-macSize:authenticatedSize], mac(b[:authenticatedSize-macSize], key))
}

func mac(b []byte, key []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(b)
	return h.Sum(nil)[:macSize]
}
