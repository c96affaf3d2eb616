package server

import (
	"context"
	"maps"
	"os"
	"time"

	"incidentd/cmd/internal/version"
	"incidentd/incident/ingest/supervision"
	"incidentd/netconf/sshsig"
	"incidentd/oam"
	"incidentd/oam/activation"
	"incidentd/oam/app"
	"incidentd/oam/bfd"
	"incidentd/oam/cfm"
	"incidentd/oam/icmp"
	"incidentd/oam/linkmetrics"
	"incidentd/oam/path"
	"incidentd/oam/report"
	"incidentd/oam/stamp"
)

// startTests begins to run the OAM tests that are configured, and the reflectors.
func (s *Server) startTests() (err error) {
	echo, node, in := new(icmp.Mux), stamp.New(s.directory.sharedKey), s.incidents.Inlet("supervision")
	s.onStop("supervision", func(context.Context) error { in.Close(); return nil })
	engines := map[string]oam.Engine{
		"icmp-echo":          echo.Engine,
		"path-discovery":     path.Discovery,
		"path-mtu":           path.MTU,
		"tcp-connect":        app.Connect,
		"udp-echo":           app.Echo,
		"dns-query":          app.Query,
		"http-request":       app.Request,
		"stamp":              node.Engine,
		"service-activation": activation.Engine(node),
		"bfd-liveness":       bfd.New(s.directory.sharedKey).Engine,
		"cfm-loopback":       cfm.Loopback,
		"cfm-linktrace":      cfm.Linktrace,
	}
	maps.Copy(engines, s.cfg.Engines)
	metrics, err := linkmetrics.New(s.store.data, s.log)
	if err != nil {
		return err
	}
	s.onStop("link metrics", s.background(metrics.Run))
	s.tests, err = oam.New(oam.Config{Store: s.store.data, DB: s.store.db, Log: s.log, Certifier: s.certifier(), Engines: engines, Finished: metrics.Observe,
		Supervise: supervision.New(s.store.data, in).Supervise})
	if err != nil {
		return err
	}
	if err := s.tests.Register(s.netconf); err != nil {
		return err
	}
	s.onStop("reflectors", s.background(newReflectors(node, s.store.data, s.log).run))
	s.onStop("echo responders", s.background(newEchoResponders(s.store.data, s.log).run))
	s.onStop("maintenance points", s.background(newMaintenancePoints(s.store.data, s.log).run))
	s.onStop("OAM tests", func(context.Context) error { s.tests.Stop(); return nil })
	return s.tests.Start()
}

// certifier makes the certificates of sequences, in the name of this server.
func (s *Server) certifier() *report.Certifier {
	return &report.Certifier{Name: s.name, Software: "incidentd " + version.Text(), PublicKey: sshsig.AuthorizedKey(s.hostKey.PublicKey()),
		Sign: func(document []byte) ([]byte, error) { return sshsig.Sign(s.hostKey, report.Namespace, document) },
		Clock: func() (bool, time.Duration) {
			e := stamp.Clock()
			return e.Synchronized, e.Error()
		}}
}

// name is what the server is called: as configured, or as the host is.
func (s *Server) name() string {
	if name := s.store.data.Snapshot().Running.Child("system").Leaf("hostname"); name != "" {
		return name
	}
	if name, err := os.Hostname(); err == nil && name != "" {
		return name
	}
	return "incidentd"
}
