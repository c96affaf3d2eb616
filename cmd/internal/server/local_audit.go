package server

import (
	"context"

	"incidentd/netconf/audit"
)

// VerifyAudit goes through the audit of a data directory, whether a server runs on it or
// not.
func VerifyAudit(path string) (audit.Result, error) {
	return onStore[audit.Result](path, "audit-verify", struct{}{})
}

// ListAudit returns the last records of the audit, at most n, the oldest first.
func ListAudit(path string, n int) ([]*audit.Record, error) {
	return onStore[[]*audit.Record](path, "audit-list", lastRecords{n})
}

// lastRecords says how many records are wanted.
type lastRecords struct {
	N int `json:"n"`
}

func verifyAudit(ctx context.Context, s *store, _ struct{}) (audit.Result, error) {
	return audit.Verify(ctx, s.data, s.db)
}

func listAudit(ctx context.Context, s *store, last lastRecords) ([]*audit.Record, error) {
	return audit.List(ctx, s.data, last.N)
}
