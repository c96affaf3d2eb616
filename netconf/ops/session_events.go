package ops

import (
	"context"
	"errors"
	"log/slog"

	"incidentd/datastore"
	"incidentd/datastore/journal"
	"incidentd/netconf"
	"incidentd/yang/data"
)

// sessionEvents tells the begin and the end of sessions [RFC 6470 section 2.2]. It is a
// netconf.Observer. Nobody waits for the disk: a session begins beside its first rpc and
// ends when its connection is closed already.
type sessionEvents struct {
	store *datastore.Store
	log   *slog.Logger
}

// Began implements netconf.Observer.
func (e sessionEvents) Began(s *netconf.Session) {
	e.append(s, data.Build(e.store.Schema().Notification(notifications, "netconf-session-start")), "", 0)
}

// Ended implements netconf.Observer.
func (e sessionEvents) Ended(s *netconf.Session, why netconf.Termination, by uint32) {
	e.append(s, data.Build(e.store.Schema().Notification(notifications, "netconf-session-end")), why, by)
}

func (e sessionEvents) append(s *netconf.Session, b *data.Builder, why netconf.Termination, by uint32) {
	sessionParameters(b, s.User(), s.ID(), s.Host())
	if by != 0 {
		b.Uint("killed-by", uint64(by))
	}
	b.Text("termination-reason", string(why))
	err := e.store.Update(context.Background(), func(tx *datastore.Tx) error {
		tx.Notify(journal.NETCONF, b.Node())
		return nil
	})
	if err != nil && !errors.Is(err, datastore.ErrClosed) {
		e.log.Error("a session is not told of", "session-id", s.ID(), "err", err)
	}
}
