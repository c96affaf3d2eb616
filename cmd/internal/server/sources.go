package server

import (
	"incidentd/incident/ingest"
	"incidentd/incident/ingest/syslog"
)

// kinds are the kinds of sources.
func (s *Server) kinds() []ingest.Kind { return []ingest.Kind{syslog.Kind()} }

// inlet is the way in of the events of a source.
func (s *Server) inlet(source string) ingest.Inlet { return s.incidents.Inlet("source " + source) }
