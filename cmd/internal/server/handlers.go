package server

import (
	"errors"
	"net/http"
	"os"

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
		s.netconf.Handle("incidentd-mapping", "test-mapping", s.testMapping),
		s.incidents.Register(s.netconf),
		s.cures.Register(s.netconf),
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
