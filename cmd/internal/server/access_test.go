package server

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"incidentd/datastore"
	"incidentd/netconf/client"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// onStopped changes the store of a directory that no server uses.
func onStopped(t *testing.T, dir string, change func(*datastore.Tx)) {
	t.Helper()
	d, err := openDirectory(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := openStore(d.file(storeFile), true, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = s.data.Update(t.Context(), func(tx *datastore.Tx) error {
		change(tx)
		return nil
	})
	if err := errors.Join(err, s.close(), d.close()); err != nil {
		t.Fatal(err)
	}
}

func withoutNACM(running *data.Node) *data.Node {
	return running.WithOnly(running.Schema().ChildNamed("nacm"))
}

func setContact(t *testing.T, c *client.Client, text string) error {
	t.Helper()
	return c.EditConfig(t.Context(), "running", []byte(`<system xmlns="urn:ietf:params:xml:ns:yang:ietf-system"><contact>`+text+`</contact></system>`), "")
}

// TestAdopt starts servers on stores from before access control, and on one whose
// administrator has removed its configuration.
func TestAdopt(t *testing.T) {
	dir := initialised(t)
	onStopped(t, dir, func(tx *datastore.Tx) {
		tx.SetRunning(withoutNACM(tx.Running()))
		tx.Delete(tableServer, rowAccess)
	})
	s, l := started(t, dir)
	if err := setContact(t, session(t, s), "x"); err != nil {
		t.Errorf("a user of the store from before may not write: %v", err)
	}
	if want := "all its users are administrators now"; strings.Count(l.String(), want) != 1 {
		t.Errorf("the log does not say %q:\n%s", want, l)
	}
	if err := s.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	onStopped(t, dir, func(tx *datastore.Tx) { tx.SetRunning(withoutNACM(tx.Running())) })
	s, _ = started(t, dir)
	if err := setContact(t, session(t, s), "y"); !denied(err) {
		t.Errorf("without rules, in a store that knows of them, write = %v", err)
	}
}

func denied(err error) bool {
	var e *rpcerr.Error
	return errors.As(err, &e) && e.Tag == rpcerr.TagAccessDenied
}

// TestAccess has users of no group, of the collectors and of the administrators.
func TestAccess(t *testing.T) {
	s, _ := started(t, initialised(t))
	boss := session(t, s)
	user := func(name string) string {
		return fmt.Sprintf("<user><name>%s</name><password>$0$secret</password></user>", name)
	}
	edit := `<system xmlns="urn:ietf:params:xml:ns:yang:ietf-system"><authentication>` + user("noc") + user("probe") + `</authentication></system>
		<nacm xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-acm"><groups><group><name>collectors</name><user-name>probe</user-name></group></groups></nacm>`
	if err := boss.EditConfig(t.Context(), "running", []byte(edit), ""); err != nil {
		t.Fatal(err)
	}
	const report = `<report-events xmlns="urn:incidentd:yang:events"><event><id>%s</id><node>n</node><alarm-type-id>link-down</alarm-type-id></event></report-events>`
	for _, tt := range []struct {
		name           string
		reports, edits bool
	}{{"noc", false, false}, {"probe", true, false}, {admin.Name, true, true}} {
		c := boss
		if tt.name != admin.Name {
			var err error
			if c, err = dial(t, s, tt.name, "secret"); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := c.Call(t.Context(), []byte(fmt.Sprintf(report, tt.name))); denied(err) == tt.reports || err != nil && !denied(err) {
			t.Errorf("%s: report-events = %v, want permitted: %v", tt.name, err, tt.reports)
		}
		if err := setContact(t, c, tt.name); denied(err) == tt.edits || err != nil && !denied(err) {
			t.Errorf("%s: edit-config = %v, want permitted: %v", tt.name, err, tt.edits)
		}
		r, err := c.Get(t.Context(), client.Subtree(`<system xmlns="urn:ietf:params:xml:ns:yang:ietf-system"/><nacm xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-acm"/>`))
		if err != nil {
			t.Fatal(err)
		}
		if sees := strings.Contains(string(r.Raw), "rule-list"); sees != tt.edits {
			t.Errorf("%s sees the rules: %v", tt.name, sees)
		}
		if sees := strings.Contains(string(r.Raw), "</password>"); sees != tt.edits {
			t.Errorf("%s sees hashes of passwords: %v", tt.name, sees)
		}
	}
}
