package server

import (
	"incidentd/incident/ingest"
	"incidentd/incident/ingest/syslog"
)

// kinds are the kinds of sources.
func (s *Server) kinds() []ingest.Kind { return []ingest.Kind{syslog.Kind()} }
