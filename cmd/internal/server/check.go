package server

import (
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"

	"incidentd/datastore"
	"incidentd/datastore/kv"
	"incidentd/yang/rpcerr"
)

// Findings is what Check has looked at and found to be in order.
type Findings struct {
	HostKey  ssh.PublicKey
	Users    []string // in running
	Networks int      // in running
	// Incidents and Alarms are those in the operational datastore.
	Incidents, Alarms int
	// Notifications are the numbers of the first and the last one in the journal.
	First, Last uint64
	// Bytes is the size of the store.
	Bytes int64
}

// Check reads everything that a data directory has: modes, host key, the structure
// and each row of the store, its configuration against the schema, the history of
// its commits, its state. It needs the directory to itself, and changes nothing, but
// that a confirmed commit which nobody confirmed is reverted as by any start. The error is the first fault:
// ErrNotInitialised, ErrMode, ErrInUse, kv.ErrDamaged, or that of a host key or of
// a configuration.
func Check(path string) (*Findings, error) {
	d, err := openDirectory(path)
	if err != nil {
		return nil, err
	}
	defer d.close()
	key, err := d.loadHostKey()
	if err != nil {
		return nil, err
	}
	f, err := checkStore(d.file(storeFile))
	if err != nil {
		return nil, err
	}
	f.HostKey = key.PublicKey()
	return f, nil
}

// checkStore checks a store that nobody uses.
func checkStore(path string) (*Findings, error) {
	s, err := openStore(path, true, nil)
	if err != nil {
		return nil, err
	}
	defer s.close()
	if err := s.data.Check(); err != nil {
		return nil, err
	}
	snap := s.data.Snapshot()
	if err := stateFaults(s, snap); err != nil {
		return nil, fmt.Errorf("the stored state is not valid: %w", err)
	}
	f := &Findings{First: s.journal.First(), Last: s.journal.Last(), Bytes: s.db.Stats().FileBytes}
	for u := range snap.Running.Descend("system", "authentication").Entries("user") {
		f.Users = append(f.Users, u.Leaf("name"))
	}
	for range snap.Running.Child("networks").Entries("network") {
		f.Networks++
	}
	for range snap.State.Child("incidents").Entries("incident") {
		f.Incidents++
	}
	for range snap.State.Descend("alarms", "alarm-list").Entries("alarm") {
		f.Alarms++
	}
	return f, nil
}

// stateFaults validates the stored state. Below top-level nodes of which nothing is
// stored, things are made only when a server is asked for them.
func stateFaults(s *store, snap *datastore.Snapshot) error {
	err := s.data.Validator().Tree(snap.Operational(), false)
	all, known := rpcerr.List(err)
	if !known {
		return err
	}
	var faults rpcerr.Errors
	for _, e := range all {
		for top := range snap.State.Children() {
			at := "/" + top.Schema().Module.Prefix + ":" + top.Name()
			if e.Path.Expr == at || strings.HasPrefix(e.Path.Expr, at+"/") {
				faults = append(faults, e)
			}
		}
	}
	return faults.Err()
}

// Compact writes the store of a data directory anew without the room that deleted
// rows have left, and returns its size in bytes before and after. It needs the
// directory to itself. Errors are those of Check; a store with damage stays as it is.
func Compact(path string) (before, after int64, err error) {
	d, err := openDirectory(path)
	if err != nil {
		return 0, 0, err
	}
	defer d.close()
	return kv.Compact(d.file(storeFile), kv.Options{})
}
