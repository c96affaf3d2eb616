package cfm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
)

// EtherType is that of CFM.
const EtherType = 0x8902

// etherTypeVLAN is that of a tag [IEEE 802.1Q clause 9].
const etherTypeVLAN = 0x8100

// OpCode is the kind of a frame [IEEE 802.1Q table 21-4].
type OpCode uint8

// The kinds that are known here.
const (
	LBR OpCode = 2
	LBM OpCode = 3
	LTR OpCode = 4
	LTM OpCode = 5
)

// The flags of link trace.
const (
	UseFDBOnly  = 0x80
	FwdYes      = 0x40 // LTR: the message was passed on
	TerminalMEP = 0x20 // LTR: by a MEP
)

// Types of TLVs [IEEE 802.1Q table 21-6].
const (
	endTLV                 = 0
	dataTLV                = 3
	replyIngressTLV        = 5
	replyEgressTLV         = 6
	ltmEgressIdentifierTLV = 7
	ltrEgressIdentifierTLV = 8
)

// MAC is an address of a station.
type MAC [6]byte

// String is the address as yang:mac-address has it.
func (m MAC) String() string { return net.HardwareAddr(m[:]).String() }

// group reports whether it is an address of several stations.
func (m MAC) group() bool { return m[0]&1 != 0 }

// class2 is the group address of link trace messages of a level [IEEE 802.1Q table 8-9].
func class2(level uint8) MAC { return MAC{0x01, 0x80, 0xc2, 0x00, 0x00, 0x38 + level} }

// EgressID names where a link trace message left [IEEE 802.1Q clause 21.8.8].
type EgressID [8]byte

func egressOf(m MAC) (id EgressID) {
	copy(id[2:], m[:])
	return id
}

// Port is what a link trace reply tells of a port [IEEE 802.1Q clauses 21.9.8 and 21.9.9].
type Port struct {
	Action uint8 // 1: OK, 2: down, 3: blocked, 4: not of the VLAN
	MAC    MAC
}

// Frame is a frame of loopback or link trace. What a kind does not have is zero.
type Frame struct {
	Destination, Source MAC
	VLAN                uint16 // 0: no tag
	Priority            uint8  // of the tag

	Level       uint8 // of the maintenance domain
	OpCode      OpCode
	Flags       uint8
	Transaction uint32
	TTL         uint8 // of LTM and LTR

	Original, Target MAC // of an LTM: who asks, and for whom

	Relay           uint8    // of an LTR: 1: hit, 2: by the filtering database, 3: by the MIP's
	Egress          EgressID // of an LTM, and the last one of an LTR
	NextEgress      EgressID // of an LTR
	Ingress, Leaves *Port    // of an LTR

	Data []byte // of LBM and LBR; nil without the TLV
}

const (
	ethernetHeader = 14
	tagSize        = 4
	cfmHeader      = 4
)

// sizes are the fixed parts behind the CFM header, by kind.
var sizes = map[OpCode]int{LBR: 4, LBM: 4, LTR: 6, LTM: 17}

// Append appends the frame with its Ethernet header.
func (f *Frame) Append(b []byte) []byte {
	b = append(append(b, f.Destination[:]...), f.Source[:]...)
	if f.VLAN != 0 {
		b = binary.BigEndian.AppendUint16(b, etherTypeVLAN)
		b = binary.BigEndian.AppendUint16(b, uint16(f.Priority)<<13|f.VLAN)
	}
	b = binary.BigEndian.AppendUint16(b, EtherType)
	b = append(b, f.Level<<5, byte(f.OpCode), f.Flags, byte(sizes[f.OpCode]))
	b = binary.BigEndian.AppendUint32(b, f.Transaction)
	switch f.OpCode {
	case LTM:
		b = append(append(append(b, f.TTL), f.Original[:]...), f.Target[:]...)
		b = appendTLV(b, ltmEgressIdentifierTLV, f.Egress[:])
	case LTR:
		b = append(b, f.TTL, f.Relay)
		b = appendTLV(b, ltrEgressIdentifierTLV, append(f.Egress[:], f.NextEgress[:]...))
		for _, p := range []struct {
			kind byte
			port *Port
		}{{replyIngressTLV, f.Ingress}, {replyEgressTLV, f.Leaves}} {
			if p.port != nil {
				b = appendTLV(b, p.kind, append([]byte{p.port.Action}, p.port.MAC[:]...))
			}
		}
	case LBM, LBR:
		if f.Data != nil {
			b = appendTLV(b, dataTLV, f.Data)
		}
	}
	return append(b, endTLV)
}

func appendTLV(b []byte, kind byte, value []byte) []byte {
	return append(binary.BigEndian.AppendUint16(append(b, kind), uint16(len(value))), value...)
}

// errFrame is of every frame that is none of loopback or link trace, or damaged.
var errFrame = errors.New("cfm: not a frame of loopback or link trace")

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errFrame}, args...)...)
}

// Decode reads a frame without a tag. Of a later version it reads what this one knows, and
// of TLVs those that it knows [IEEE 802.1Q clause 20.51].
func Decode(b []byte) (Frame, error) {
	var f Frame
	if len(b) < ethernetHeader+cfmHeader {
		return f, refuse("%d octets", len(b))
	}
	if kind := binary.BigEndian.Uint16(b[12:]); kind != EtherType {
		return f, refuse("its type is %#04x", kind)
	}
	f.Destination, f.Source = MAC(b[:6]), MAC(b[6:12])
	b = b[ethernetHeader:]
	f.Level, f.OpCode, f.Flags = b[0]>>5, OpCode(b[1]), b[2]
	offset := int(b[3])
	b = b[cfmHeader:]
	size, known := sizes[f.OpCode]
	switch {
	case !known:
		return Frame{}, refuse("opcode %d", f.OpCode)
	case offset < size || offset > len(b):
		return Frame{}, refuse("its TLVs begin at %d of %d octets", offset, len(b))
	}
	f.Transaction = binary.BigEndian.Uint32(b)
	switch f.OpCode {
	case LTM:
		f.TTL, f.Original, f.Target = b[4], MAC(b[5:11]), MAC(b[11:17])
	case LTR:
		f.TTL, f.Relay = b[4], b[5]
	}
	if err := f.tlvs(b[offset:]); err != nil {
		return Frame{}, err
	}
	return f, nil
}

// tlvs reads TLVs up to the end TLV. What a link pads is behind that.
func (f *Frame) tlvs(b []byte) error {
	for len(b) > 0 && b[0] != endTLV {
		if len(b) < 3 {
			return refuse("a TLV is cut off")
		}
		kind, size := b[0], int(binary.BigEndian.Uint16(b[1:]))
		if b = b[3:]; size > len(b) {
			return refuse("TLV %d has %d octets of %d", kind, size, len(b))
		}
		value := b[:size]
		b = b[size:]
		if err := f.tlv(kind, value); err != nil {
			return err
		}
	}
	return nil
}

func (f *Frame) tlv(kind byte, value []byte) error {
	least := map[byte]int{replyIngressTLV: 7, replyEgressTLV: 7, ltmEgressIdentifierTLV: 8, ltrEgressIdentifierTLV: 16}[kind]
	if len(value) < least {
		return refuse("TLV %d has %d octets, and needs %d", kind, len(value), least)
	}
	switch {
	case kind == dataTLV && (f.OpCode == LBM || f.OpCode == LBR):
		f.Data = append([]byte{}, value...)
	case kind == ltmEgressIdentifierTLV && f.OpCode == LTM:
		f.Egress = EgressID(value)
	case kind == ltrEgressIdentifierTLV && f.OpCode == LTR:
		f.Egress, f.NextEgress = EgressID(value), EgressID(value[8:])
	case kind == replyIngressTLV && f.OpCode == LTR:
		f.Ingress = &Port{value[0], MAC(value[1:])}
	case kind == replyEgressTLV && f.OpCode == LTR:
		f.Leaves = &Port{value[0], MAC(value[1:])}
	}
	return nil
}
