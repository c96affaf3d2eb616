package ops

import (
	"context"

	"incidentd/netconf"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
	"incidentd/yang/xmltext"
)

// formatYANG is the one language that schemas are kept in.
const formatYANG = "ietf-netconf-monitoring:yang"

// getSchema answers <get-schema> [RFC 6022 section 3.1]. There is one revision of
// each module, so that its name alone is never ambiguous.
func (o *operations) getSchema(_ context.Context, r *netconf.Request) (*netconf.Reply, error) {
	name, version, format := r.Input.Leaf("identifier"), r.Input.Leaf("version"), r.Input.Leaf("format")
	m := o.schema.Module(name)
	if m == nil || r.Input.Has("version") && version != m.Revision || format != "" && format != formatYANG {
		return nil, rpcerr.InvalidValue("there is no schema of that identifier, version and format")
	}
	b := r.Output()
	out := b.Node()
	text := data.NewAny(out.Schema().ChildNamed("data"), xmltext.Raw{Content: xmltext.AppendText(make([]byte, 0, len(m.Source)+len(m.Source)/16), string(m.Source))})
	return &netconf.Reply{Output: out.With(text)}, nil
}
