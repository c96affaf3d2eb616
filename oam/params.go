package oam

import (
	"net/netip"
	"strconv"
	"time"

	"incidentd/yang/data"
)

// Params are the parameters of a test: the container of the case of its type. Leafs that
// are absent have their defaults; names that the schema does not have are a bug and
// panic.
type Params struct{ Node *data.Node }

// Has reports whether a leaf was configured or a container has anything in it.
func (p Params) Has(name string) bool { return p.Node != nil && p.Node.Has(name) }

// In are the parameters of a container in this one.
func (p Params) In(name string) Params {
	if c := p.Node.Child(name); c != nil {
		return Params{c}
	}
	return Params{data.New(p.Node.Schema().ChildNamed(name))}
}

// String is the value of a leaf, "" when it is absent and has no default.
func (p Params) String(name string) string {
	if c := p.Node.Child(name); c != nil {
		return c.Value()
	}
	if d := p.Node.Schema().ChildNamed(name).Defaults; len(d) > 0 {
		return d[0]
	}
	return ""
}

// Strings are the values of a leaf-list, in order.
func (p Params) Strings(name string) []string { return p.Node.Values(name) }

// Uint is the value of a leaf of an unsigned type, 0 without one.
func (p Params) Uint(name string) uint64 {
	v, _ := strconv.ParseUint(p.String(name), 10, 64) // the schema has checked it
	return v
}

// Int is the value of a leaf of an integer type that an int can hold.
func (p Params) Int(name string) int { return int(p.Uint(name)) }

// Float is the value of a leaf of type decimal64, 0 without one.
func (p Params) Float(name string) float64 {
	v, _ := strconv.ParseFloat(p.String(name), 64) // the schema has checked it
	return v
}

// Bool is the value of a leaf of type boolean.
func (p Params) Bool(name string) bool { return p.String(name) == "true" }

// Duration is the value of a leaf in units such as time.Microsecond.
func (p Params) Duration(name string, unit time.Duration) time.Duration {
	return time.Duration(p.Uint(name)) * unit
}

// Addr is the value of a leaf of an address, the zero value without one. A zone of the
// address stays.
func (p Params) Addr(name string) netip.Addr {
	a, _ := netip.ParseAddr(p.String(name)) // the schema has checked it
	return a
}
