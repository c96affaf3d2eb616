package server

import (
	"context"
	"errors"
	"net/http"
	"os"

	"incidentd/netconf"
	"incidentd/netconf/auth"
	"incidentd/netconf/ops"
	"incidentd/netconf/push"
	"incidentd/netconf/subscribe"
	"incidentd/yang"
)

// bind gives every rpc of the schema that is supported its handler.
func (s *Server) bind(files *os.Root) error {
	password := s.store.data.Schema().Root.ChildNamed("system").ChildNamed("authentication").ChildNamed("user").ChildNamed("password")
	stored := map[*yang.Node]func(string) (string, error){password: auth.StoredHash}
	storedTokens(s.store.data.Schema(), stored)
	publisher, err := subscribe.Register(subscribe.Config{Server: s.netconf, Call: s.call, Log: s.log})
	if err != nil {
		return err
	}
	s.publisher = publisher
	err = errors.Join(
		push.Register(push.Config{Server: s.netconf, Publisher: publisher}),
		ops.Register(ops.Config{
			Server: s.netconf,
			Access: s.access,
			Files:  files,
			HTTP:   s.https(),
			Stored: stored,
		}),
		s.netconf.Handle("incidentd-events", "report-events", s.reportEvents),
		s.netconf.Handle("incidentd-mapping", "test-mapping", s.testMapping),
		s.netconf.Handle("ietf-incident", "incident-acknowledge", s.acknowledge),
		s.incidents.Register(s.netconf),
	)
	for _, rpc := range s.netconf.Unhandled() {
		s.log.Debug("an operation is not supported", "rpc", rpc.QName())
	}
	return err
}

// https is the client for URLs, nil when they are not allowed. It follows redirects only
// to other https URLs.
func (s *Server) https() *http.Client {
	if !s.cfg.AllowHTTPS {
		return nil
	}
	return &http.Client{CheckRedirect: func(r *http.Request, via []*http.Request) error {
		if r.URL.Scheme != "https" || len(via) > 3 {
			return http.ErrUseLastResponse
		}
		return nil
	}}
}

// reportEvents answers report-events of incidentd-events.
func (s *Server) reportEvents(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	out, err := s.incidents.ReportEvents(ctx, r.Session.User(), r.Input)
	if err != nil {
		return nil, err
	}
	return &netconf.Reply{Output: out}, nil
}

// acknowledge answers incident-acknowledge of ietf-incident.
func (s *Server) acknowledge(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	return nil, s.incidents.Acknowledge(ctx, r.Session.User(), r.Access, r.Input)
}
