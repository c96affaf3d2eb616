package listen

import (
	"net/netip"
	"strconv"
	"time"

	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// Config is the groupings listener and endpoint.
type Config struct {
	Address netip.AddrPort
	// Allowed are the prefixes from where messages are taken; none: everywhere.
	Allowed []netip.Prefix
	// MaxMessage is in bytes; 0 where the container has only the grouping endpoint.
	MaxMessage int
	// RatePerPeer is in messages per second; 0: without limit.
	RatePerPeer int
}

// FromData reads the grouping listener, or endpoint, in a container that is valid. Its errors are
// those that the schema cannot find.
func FromData(at *data.Loc) (Config, error) {
	n := at.Node
	address, err := netip.ParseAddr(Text(n, "address"))
	if err != nil {
		return Config{}, rpcerr.InvalidValue("%v", err).At(at.Down(n.Child("address")).Path())
	}
	c := Config{Address: netip.AddrPortFrom(address, uint16(Number(n, "port"))), MaxMessage: Number(n, "max-message-size"), RatePerPeer: Number(n, "rate-per-peer")}
	for p := range n.Entries("allowed-prefix") {
		prefix, err := netip.ParsePrefix(p.Value())
		if err != nil {
			return Config{}, rpcerr.InvalidValue("%v", err).At(at.Down(p).Path())
		}
		c.Allowed = append(c.Allowed, prefix.Masked())
	}
	return c, nil
}

// Admits reports whether messages of an address are taken.
func (c *Config) Admits(peer netip.Addr) bool {
	if len(c.Allowed) == 0 {
		return true
	}
	peer = peer.Unmap().WithZone("")
	for _, p := range c.Allowed {
		if p.Contains(peer) {
			return true
		}
	}
	return false
}

// Connections is the grouping connections.
type Connections struct {
	Most, PerPeer int
	Idle          time.Duration
}

// idleTime is the default of idle-time.
const idleTime = time.Hour

// ConnectionsFromData reads the grouping connections in a container that is valid.
func ConnectionsFromData(n *data.Node) Connections {
	c := Connections{Most: Number(n, "max-connections"), PerPeer: Number(n, "max-connections-per-peer"), Idle: time.Duration(Number(n, "idle-time")) * time.Second}
	if c.Idle == 0 {
		c.Idle = idleTime
	}
	return c
}

// Text is the value of a leaf of a container or its default, "" without any.
func Text(n *data.Node, leaf string) string {
	if v := n.Leaf(leaf); v != "" {
		return v
	}
	if s := schema(n, leaf); s != nil && len(s.Defaults) > 0 {
		return s.Defaults[0]
	}
	return ""
}

// Number is the value of a leaf that holds a number, or its default, 0 without any.
func Number(n *data.Node, leaf string) int {
	v, err := strconv.Atoi(Text(n, leaf))
	if err != nil {
		return 0 // absent; the schema lets nothing else through
	}
	return v
}

func schema(n *data.Node, leaf string) *yang.Node { return n.Schema().ChildNamed(leaf) }
