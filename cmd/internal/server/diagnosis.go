package server

import (
	"context"

	"incidentd/incident/diagnose"
)

// startDiagnoses begins to diagnose incidents: those that users ask for, and the server's
// own where that is configured.
func (s *Server) startDiagnoses() (err error) {
	s.diagnoses, err = diagnose.New(diagnose.Config{Store: s.store.data, Incidents: s.incidents, Tests: s.tests, Log: s.log})
	if err != nil {
		return err
	}
	if err := s.diagnoses.Register(s.netconf); err != nil {
		return err
	}
	s.onStop("diagnoses", func(context.Context) error { s.diagnoses.Stop(); return nil })
	return s.diagnoses.Start()
}
