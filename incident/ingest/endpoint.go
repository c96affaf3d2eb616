package ingest

import (
	"net/netip"

	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// Endpoint is an address at which a source listens.
type Endpoint struct {
	Network string // udp or tcp
	Address netip.AddrPort
}

// Listener is a Source that listens: no two may at one place.
type Listener interface{ Endpoint() Endpoint }

// clash reports whether a system lets only one of two listen. Port 0 is any that is free, and
// the address :: is all, of IPv4 too.
func (e Endpoint) clash(o Endpoint) bool {
	if e.Network != o.Network || e.Address.Port() != o.Address.Port() || e.Address.Port() == 0 {
		return false
	}
	a, b := e.Address.Addr().Unmap(), o.Address.Addr().Unmap()
	covers := func(a, b netip.Addr) bool { return a.IsUnspecified() && (a.Is6() || b.Is4()) }
	return a == b || covers(a, b) || covers(b, a)
}

// listening is a source that listens, with its configuration.
type listening struct {
	name   string
	where  Endpoint
	config *data.Loc
}

// refuse is the error at a source's port if one of others listens where it wants to.
func (l *listening) refuse(others []listening) *rpcerr.Error {
	for _, o := range others {
		if o.where.clash(l.where) {
			return rpcerr.InvalidValue("the source %q listens at port %d of %s already, by %s: give one of them another port or address", o.name, o.where.Address.Port(), o.where.Address.Addr(), o.where.Network).
				At(l.config.Down(l.config.Node.Child("port")).Path())
		}
	}
	return nil
}
