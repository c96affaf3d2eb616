package ops

import (
	"context"
	"strconv"

	"incidentd/netconf"
	"incidentd/yang/rpcerr"
)

// closeSession answers <close-session> [RFC 6241 section 7.8].
func (o *operations) closeSession(_ context.Context, r *netconf.Request) (*netconf.Reply, error) {
	return &netconf.Reply{Then: r.Session.Close}, nil
}

// killSession answers <kill-session> [RFC 6241 section 7.9].
func (o *operations) killSession(_ context.Context, r *netconf.Request) (*netconf.Reply, error) {
	id, err := strconv.ParseUint(r.Input.Leaf("session-id"), 10, 32)
	if err != nil {
		return nil, err
	}
	if uint32(id) == r.Session.ID() {
		return nil, rpcerr.New(rpcerr.Protocol, rpcerr.TagInvalidValue, "a session cannot kill itself; it can close itself")
	}
	return nil, o.server.Kill(uint32(id), r.Session.ID())
}
