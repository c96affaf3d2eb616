package server

import (
	"context"
	"errors"
	"log/slog"

	"incidentd/datastore"
	"incidentd/datastore/journal"
	"incidentd/datastore/kv"
	"incidentd/netconf/ops"
	"incidentd/yang/data"
)

// store is an open store with what stands on it.
type store struct {
	db      *kv.DB
	journal *journal.Journal
	data    *datastore.Store
}

// openStore opens the store of a file, verifies it and validates its
// configuration.
func openStore(path string, mustExist bool, log *slog.Logger) (*store, error) {
	return openStoreWith(path, kv.Options{MustExist: mustExist}, datastore.Options{Log: log})
}

func openStoreWith(path string, keys kv.Options, o datastore.Options) (*store, error) {
	schema, err := Schema()
	if err != nil {
		return nil, err
	}
	s := &store{}
	o.Announce = ops.Announcer(schema)
	if s.db, err = kv.Open(path, keys); err != nil {
		return nil, err
	}
	if s.journal, err = journal.Open(s.db, journal.Options{}); err == nil {
		s.data, err = datastore.Open(s.db, s.journal, schema, o)
	}
	if err != nil {
		return nil, errors.Join(err, s.db.Close())
	}
	return s, nil
}

// boot makes running what startup is, if that was ever stored.
func (s *store) boot() error {
	return s.data.Update(context.Background(), func(tx *datastore.Tx) error {
		if startup := tx.Datastore(datastore.Startup); !startup.Empty() && !data.Equal(startup, tx.Running()) {
			tx.By(datastore.Author{Source: "startup"})
			tx.Copy(datastore.Startup, datastore.Running)
		}
		return nil
	})
}

func (s *store) close() error {
	s.data.Close()
	return s.db.Close()
}
