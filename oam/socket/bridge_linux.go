package socket

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"incidentd/oam"
)

// Bridge is what a Linux bridge knows at a moment.
type Bridge struct {
	Ports   map[int]Station // by index
	aware   bool            // of VLANs
	entries map[entry]int
}

// entry is an address in a VLAN, or wherever it was seen first for 0.
type entry struct {
	address [6]byte
	vlan    uint16
}

// Port is the port behind which an address is, or whose address it is. It reports false for
// an address that the bridge has not learned.
func (b *Bridge) Port(address [6]byte, vlan uint16) (int, bool) {
	if !b.aware {
		vlan = 0
	}
	port, ok := b.entries[entry{address, vlan}]
	return port, ok
}

// ReadBridge reads the ports of a bridge and where it has learned addresses to be.
func ReadBridge(v oam.Vantage, name string) (*Bridge, error) {
	b := &Bridge{Ports: map[int]Station{}, entries: map[entry]int{}}
	err := In(v, func() error {
		self, err := device(name)
		if err != nil {
			return oam.Faultf(oam.BadTarget, "there is no interface %s", name)
		}
		links, err := routing(unix.RTM_GETLINK, unix.AF_UNSPEC, unix.SizeofIfInfomsg)
		if err != nil {
			return err
		}
		for _, m := range links {
			index := int(int32(binary.NativeEndian.Uint32(m.head[4:])))
			if master := m.attributes[unix.IFLA_MASTER]; len(master) != 4 || int(binary.NativeEndian.Uint32(master)) != self.Index {
				continue
			}
			if i, err := net.InterfaceByIndex(index); err == nil && len(i.HardwareAddr) == 6 {
				b.Ports[index] = Station{i.Name, i.Index, i.HardwareAddr, i.MTU, i.Flags&net.FlagUp != 0}
			}
		}
		if len(b.Ports) == 0 {
			return oam.Faultf(oam.BadTarget, "%s is no bridge with ports", name)
		}
		neighbours, err := routing(unix.RTM_GETNEIGH, unix.AF_BRIDGE, unix.SizeofNdMsg)
		if err != nil {
			return err
		}
		for _, m := range neighbours {
			port := int(int32(binary.NativeEndian.Uint32(m.head[4:])))
			address := m.attributes[unix.NDA_LLADDR]
			if _, ours := b.Ports[port]; !ours || len(address) != 6 || len(m.attributes[unix.NDA_MASTER]) != 4 {
				continue // of another bridge, or a group that the port itself listens to
			}
			e := entry{address: [6]byte(address)}
			if _, known := b.entries[e]; !known {
				b.entries[e] = port
			}
			if vlan := m.attributes[unix.NDA_VLAN]; len(vlan) == 2 {
				b.aware = true
				e.vlan = binary.NativeEndian.Uint16(vlan)
				b.entries[e] = port
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return b, nil
}

// tableEntry is a message of a table of the kernel's.
type tableEntry struct {
	head       []byte
	attributes map[uint16][]byte
}

// routing reads a table of the kernel's, whose messages have heads of a size [RFC 3549].
func routing(kind uint16, family byte, head int) ([]tableEntry, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	request := binary.NativeEndian.AppendUint32(nil, uint32(unix.NLMSG_HDRLEN+head))
	request = binary.NativeEndian.AppendUint16(request, kind)
	request = binary.NativeEndian.AppendUint16(request, unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	request = append(request, make([]byte, 8+head)...) // no number, the kernel's port, and no filter
	request[unix.NLMSG_HDRLEN] = family
	if err := unix.Sendto(fd, request, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, os.NewSyscallError("sendto", err)
	}
	var list []tableEntry
	buffer := make([]byte, 64<<10)
	for {
		n, _, err := unix.Recvfrom(fd, buffer, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, os.NewSyscallError("recvfrom", err)
		}
		messages, err := syscall.ParseNetlinkMessage(buffer[:n])
		if err != nil {
			return nil, os.NewSyscallError("netlink", err)
		}
		for _, m := range messages {
			switch {
			case m.Header.Type == unix.NLMSG_DONE || m.Header.Type == unix.NLMSG_ERROR:
				if len(m.Data) >= 4 {
					if number := int32(binary.NativeEndian.Uint32(m.Data)); number != 0 {
						return nil, os.NewSyscallError("netlink", unix.Errno(-number))
					}
				}
				return list, nil
			case len(m.Data) >= head:
				list = append(list, tableEntry{bytes.Clone(m.Data[:head]), attributes(bytes.Clone(m.Data[head:]))})
			}
		}
	}
}

// attributes are those behind the head of a message.
func attributes(b []byte) map[uint16][]byte {
	all := map[uint16][]byte{}
	for len(b) >= unix.SizeofRtAttr {
		size := int(binary.NativeEndian.Uint16(b))
		if size < unix.SizeofRtAttr || size > len(b) {
			break
		}
		all[binary.NativeEndian.Uint16(b[2:])] = b[unix.SizeofRtAttr:size]
		b = b[min(len(b), (size+unix.RTA_ALIGNTO-1)&^(unix.RTA_ALIGNTO-1)):]
	}
	return all
}
