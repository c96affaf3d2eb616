package incident

import (
	"errors"

	"incidentd/netconf"
)

// Register gives the operations of incidentd-management, and those of ietf-incident that
// need the session, their handlers.
func (m *Manager) Register(s *netconf.Server) error {
	return errors.Join(
		m.alarms.Register(s),
		s.Handle("ietf-incident", "incident-resolve", m.resolve),
		s.Handle(management, "explain-incident", m.explainIncident),
		s.Handle(management, "why-not", m.whyNot),
		s.Handle(management, "merge-incidents", m.mergeIncidents),
		s.Handle(management, "split-incident", m.splitIncident),
		s.Handle(management, "move-events", m.moveEvents),
		s.Handle(management, "comment-incident", m.commentIncident),
		s.Handle(management, "get-incident-history", m.getHistory),
		s.Handle(management, "list-proposals", m.listProposals),
		s.Handle(management, "approve-proposal", m.approveProposal),
		s.Handle(management, "reject-proposal", m.rejectProposal),
		s.Handle(management, "preview-failure", m.previewFailure),
		s.Handle(management, "dry-run", m.dryRun),
	)
}
