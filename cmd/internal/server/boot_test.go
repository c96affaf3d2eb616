package server

import (
	"context"
	"slices"
	"testing"

	"incidentd/datastore"
	"incidentd/yang/data"
)

// hostname makes a configuration with one.
func hostname(tx *datastore.Tx, name string) *data.Node {
	system := tx.Running().Child("system")
	return tx.Running().With(system.With(data.NewLeaf(system.Schema().ChildNamed("hostname"), name)))
}

// served runs f on a server of a directory, and stops it.
func served(t *testing.T, c Config, f func(*datastore.Store)) {
	t.Helper()
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	f(s.Store())
	if err := s.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

func update(t *testing.T, s *datastore.Store, f func(*datastore.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

// running is the hostname of running.
func running(s *datastore.Store) string { return s.Snapshot().Running.Child("system").Leaf("hostname") }

// A restart goes on with running, and begins with startup when it is told to.
func TestFromStartup(t *testing.T) {
	dir := initialised(t)
	served(t, Config{DataDir: dir, FromStartup: true}, func(s *datastore.Store) {
		if s.Snapshot().Running.Empty() {
			t.Error("a startup that was never stored has emptied running")
		}
		update(t, s, func(tx *datastore.Tx) error { tx.Set(datastore.Startup, hostname(tx, "kept")); return nil })
		update(t, s, func(tx *datastore.Tx) error { tx.Set(datastore.Running, hostname(tx, "latest")); return nil })
	})
	served(t, Config{DataDir: dir}, func(s *datastore.Store) {
		if got := running(s); got != "latest" {
			t.Errorf("running is %q after a restart, want latest", got)
		}
	})
	served(t, Config{DataDir: dir, FromStartup: true}, func(s *datastore.Store) {
		commits, err := s.History()
		if got := running(s); got != "kept" || err != nil || commits[0].Source != "startup" {
			t.Errorf("running is %q by %+v, %v, want that of startup", got, commits[0], err)
		}
	})
}

// A confirmed commit that the end of the server has caught is taken back at the next
// start, which is told.
func TestConfirmedCommitOverRestart(t *testing.T) {
	dir := initialised(t)
	var before uint64
	served(t, Config{DataDir: dir}, func(s *datastore.Store) {
		update(t, s, func(tx *datastore.Tx) error {
			tx.By(datastore.Author{User: "admin", Session: 7})
			tx.Set(datastore.Candidate, hostname(tx, "tried"))
			return tx.Commit(datastore.CommitOptions{Confirmed: true, Persist: "token"})
		})
		if got := running(s); got != "tried" {
			t.Errorf("running is %q, want tried", got)
		}
		before = s.Journal().Last()
	})
	served(t, Config{DataDir: dir}, func(s *datastore.Store) {
		if got := running(s); got != "" || s.Snapshot().Pending() != nil {
			t.Errorf("running is %q, a commit waits: %v", got, s.Snapshot().Pending() != nil)
		}
		var told []string
		for c := s.Journal().Cursor(before + 1); ; {
			r, err := c.TryNext()
			if err != nil {
				t.Fatal(err)
			}
			if r == nil {
				break
			}
			told = append(told, r.Name)
		}
		want := []string{"ietf-netconf-notifications:netconf-config-change", "ietf-netconf-notifications:netconf-confirmed-commit"}
		if !slices.Equal(told, want) {
			t.Errorf("told: %q, want %q", told, want)
		}
	})
}
