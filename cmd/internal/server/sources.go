package server

import "incidentd/incident/ingest"

// kinds are the kinds of sources.
func (s *Server) kinds() []ingest.Kind { return nil }
