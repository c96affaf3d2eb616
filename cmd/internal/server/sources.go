package server

import (
	"context"
	"net/netip"
	"time"

	"incidentd/incident/ingest"
	"incidentd/incident/ingest/alertmanager"
	"incidentd/incident/ingest/device"
	"incidentd/incident/ingest/jsonlines"
	"incidentd/incident/ingest/kafka"
	"incidentd/incident/ingest/listen"
	"incidentd/incident/ingest/mapping"
	"incidentd/incident/ingest/snmp"
	"incidentd/incident/ingest/syslog"
	"incidentd/netconf"
	"incidentd/yang"
	"incidentd/yang/rpcerr"
)

// kinds are the kinds of sources.
func (s *Server) kinds() []ingest.Kind {
	users := newCredentials(s)
	return []ingest.Kind{alertmanager.Kind(users), device.Kind(s.store.db), jsonlines.Kind(users), kafka.Kind(), snmp.Kind(), syslog.Kind()}
}

// inlet is the way in of the events of a source.
func (s *Server) inlet(source string) ingest.Inlet { return s.incidents.Inlet("source " + source) }

// storedTokens says of the tokens of sources that their hashes are stored.
func storedTokens(schema *yang.Schema, stored map[*yang.Node]func(string) (string, error)) {
	source := schema.Root.ChildNamed("sources").ChildNamed("source")
	for _, kind := range []string{"alertmanager", "json-lines"} {
		stored[source.ChildNamed(kind).ChildNamed("token").ChildNamed("hash")] = listen.StoredToken
	}
}

// testMapping answers test-mapping of incidentd-mapping.
func (s *Server) testMapping(_ context.Context, r *netconf.Request) (*netconf.Reply, error) {
	var m *mapping.Message
	if n := r.Input.Child("fields"); n != nil {
		m = mapping.MessageFromData(n)
	} else {
		var err error
		if m, err = syslog.Parse([]byte(r.Input.Leaf("line")), time.Now(), time.UTC); m == nil {
			return nil, rpcerr.InvalidValue("%v", err)
		}
		m.Peer, _ = netip.ParseAddr(r.Input.Leaf("from")) // absent, or valid
	}
	if m.Kind == "" {
		m.Kind = "syslog"
	}
	out := r.Output()
	x := s.sources.Mapper().Explain(m)
	x.Encode(out, m)
	return &netconf.Reply{Output: out.Node()}, nil
}
