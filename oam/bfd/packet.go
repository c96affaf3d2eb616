package bfd

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Ports of BFD.
const (
	SingleHopPort = 3784 // RFC 5881 section 4
	MultihopPort  = 4784 // RFC 5883 section 5
)

const (
	version    = 1
	headerSize = 24
)

// The bits of the second octet, beside the state.
const (
	poll byte = 1 << (5 - iota)
	final
	controlPlaneIndependent
	authenticationPresent
	demand
	multipoint
)

// Control is a BFD control packet without its authentication [RFC 5880 section 4.1].
// Intervals are whole microseconds.
type Control struct {
	Diagnostic              Diagnostic
	State                   State
	Poll, Final             bool
	ControlPlaneIndependent bool
	AuthenticationPresent   bool
	Demand                  bool
	DetectMult              uint8
	MyDiscriminator         uint32
	YourDiscriminator       uint32
	DesiredMinTx            time.Duration
	RequiredMinRx           time.Duration
	RequiredMinEchoRx       time.Duration
}

// Append appends the packet, with its length as it is without authentication.
func (c *Control) Append(b []byte) []byte {
	flags := byte(c.State) << 6
	for _, f := range []struct {
		is  bool
		bit byte
	}{{c.Poll, poll}, {c.Final, final}, {c.ControlPlaneIndependent, controlPlaneIndependent}, {c.AuthenticationPresent, authenticationPresent}, {c.Demand, demand}} {
		if f.is {
			flags |= f.bit
		}
	}
	b = append(b, version<<5|byte(c.Diagnostic), flags, c.DetectMult, headerSize)
	b = binary.BigEndian.AppendUint32(b, c.MyDiscriminator)
	b = binary.BigEndian.AppendUint32(b, c.YourDiscriminator)
	for _, d := range []time.Duration{c.DesiredMinTx, c.RequiredMinRx, c.RequiredMinEchoRx} {
		b = binary.BigEndian.AppendUint32(b, uint32(d/time.Microsecond))
	}
	return b
}

// errPacket is of every packet that is to be discarded.
var errPacket = errors.New("bfd: the packet is discarded")

func discard(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errPacket}, args...)...)
}

// Decode reads the payload of a datagram, and checks what can be checked without a session
// [RFC 5880 section 6.8.6]. It returns the packet as far as its length tells, its
// authentication section included.
func Decode(b []byte) (c Control, packet []byte, err error) {
	if len(b) < headerSize {
		return c, nil, discard("it has %d octets, and needs %d", len(b), headerSize)
	}
	flags, length := b[1], int(b[3])
	c = Control{
		Diagnostic:              Diagnostic(b[0] & largestDiagnostic),
		State:                   State(flags >> 6),
		Poll:                    flags&poll != 0,
		Final:                   flags&final != 0,
		ControlPlaneIndependent: flags&controlPlaneIndependent != 0,
		AuthenticationPresent:   flags&authenticationPresent != 0,
		Demand:                  flags&demand != 0,
		DetectMult:              b[2],
		MyDiscriminator:         binary.BigEndian.Uint32(b[4:]),
		YourDiscriminator:       binary.BigEndian.Uint32(b[8:]),
		DesiredMinTx:            microseconds(b[12:]),
		RequiredMinRx:           microseconds(b[16:]),
		RequiredMinEchoRx:       microseconds(b[20:]),
	}
	least := headerSize
	if c.AuthenticationPresent {
		least += 2
	}
	switch {
	case b[0]>>5 != version:
		err = discard("version %d", b[0]>>5)
	case length < least || length > len(b):
		err = discard("its length is %d in %d octets", length, len(b))
	case c.DetectMult == 0:
		err = discard("the detection multiplier is 0")
	case flags&multipoint != 0:
		err = discard("the multipoint bit is set")
	case c.MyDiscriminator == 0:
		err = discard("my discriminator is 0")
	case c.YourDiscriminator == 0 && c.State != Down && c.State != AdminDown:
		err = discard("your discriminator is 0 in state %s", c.State)
	}
	if err != nil {
		return Control{}, nil, err
	}
	return c, b[:length], nil
}

func microseconds(b []byte) time.Duration {
	return time.Duration(binary.BigEndian.Uint32(b)) * time.Microsecond
}
