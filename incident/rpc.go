package incident

import (
	"context"
	"errors"

	"incidentd/datastore"
	"incidentd/netconf"
)

// Register gives the operations of ietf-incident, incidentd-events and incidentd-management
// their handlers, but for incident-diagnose and incident-resolve, which others have.
func (m *Manager) Register(s *netconf.Server) error {
	return errors.Join(
		m.alarms.Register(s),
		s.Handle("incidentd-events", "report-events", m.reportEvents),
		s.Handle("ietf-incident", "incident-acknowledge", m.acknowledgeIncidents),
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
		s.HandleAction(m.windows.nodes.end, m.endWindow),
	)
}

// reportEvents answers report-events of incidentd-events.
func (m *Manager) reportEvents(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	out, err := m.ReportEvents(ctx, r.Session.User(), r.Input)
	if err != nil {
		return nil, err
	}
	return reply(out), nil
}

// acknowledgeIncidents answers incident-acknowledge of ietf-incident.
func (m *Manager) acknowledgeIncidents(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	return nil, m.store.Update(ctx, func(tx *datastore.Tx) error {
		before := tx.State()
		r.Sign(tx, r.Author())
		if err := m.acknowledge(tx, r.Session.User(), r.Access, r.Input); err != nil {
			return err
		}
		r.Changed(datastore.Operational, before, tx.State())
		return nil
	})
}
