package server

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"incidentd/datastore"
	"incidentd/incident/event"
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

// TestRoles has each role do what it is for, and nothing else.
func TestRoles(t *testing.T) {
	s, l := started(t, initialised(t))
	boss := session(t, s)
	users, groups := "", ""
	names := []string{"nobody", "collectors", "operators", "oam-operator", "oam-viewer"}
	for _, name := range names {
		users += "<user><name>" + name + "</name><password>$0$secret</password></user>"
		if name != "nobody" {
			groups += "<group><name>" + name + "</name><user-name>" + name + "</user-name></group>"
		}
	}
	const test = `<oam-unitary-tests xmlns="urn:ietf:params:xml:ns:yang:ietf-oam-unitary-test"><oam-unitary-test><name>t</name>%s</oam-unitary-test></oam-unitary-tests>`
	edit := `<system xmlns="urn:ietf:params:xml:ns:yang:ietf-system"><authentication>` + users + `</authentication></system>
		<nacm xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-acm"><groups>` + groups + `</groups></nacm>` +
		fmt.Sprintf(test, `<icmp-echo xmlns="urn:incidentd:yang:oam-tests"><target>127.0.0.1</target><number-of-packets>1</number-of-packets></icmp-echo>
			<period-start>2090-01-01T00:00:00Z</period-start><frequency xmlns:s="urn:ietf:params:xml:ns:yang:ietf-schedule">s:yearly</frequency>`)
	if err := boss.EditConfig(t.Context(), "running", []byte(edit), ""); err != nil {
		t.Fatal(err)
	}
	configure(t, s, `<correlation xmlns="urn:incidentd:yang:correlation"><timing><soak-single>0</soak-single></timing></correlation>`)
	tell(t, s, "e1", "PE1", "if/1", event.Critical)
	incidentCount(t, s, l, "raised", 1)
	const (
		incident   = `<%s xmlns="urn:ietf:params:xml:ns:yang:ietf-incident"/>`
		management = `<%s xmlns="urn:incidentd:yang:management">%s</%[1]s>`
	)
	action := func(name string) func(*client.Client) error {
		return func(c *client.Client) error {
			_, err := c.Action(t.Context(), []byte(fmt.Sprintf(test, `<`+name+` xmlns="urn:incidentd:yang:oam-tests"/>`)))
			return err
		}
	}
	call := func(op string) func(*client.Client) error {
		return func(c *client.Client) error { _, err := c.Call(t.Context(), []byte(op)); return err }
	}
	everybody := strings.Join(names, " ")
	for _, tt := range []struct {
		name string
		do   func(*client.Client) error
		may  string
	}{
		{"read", call(`<get><filter><oam-unitary-tests xmlns="urn:ietf:params:xml:ns:yang:ietf-oam-unitary-test"/></filter></get>`), everybody},
		{"edit-config", func(c *client.Client) error { return setContact(t, c, "x") }, ""},
		{"report-events", call(`<report-events xmlns="urn:incidentd:yang:events"/>`), "collectors"},
		{"incident-acknowledge", call(fmt.Sprintf(incident, "incident-acknowledge")), "nobody collectors operators oam-operator"},
		{"incident-diagnose", call(fmt.Sprintf(incident, "incident-diagnose")), "nobody collectors operators oam-operator"},
		{"incident-resolve", call(fmt.Sprintf(incident, "incident-resolve")), "operators"},
		{"preview-resolution", call(`<preview-resolution xmlns="urn:incidentd:yang:resolution"><incident-id>inc-1</incident-id></preview-resolution>`), everybody},
		{"preview-resolution that asks the device", call(`<preview-resolution xmlns="urn:incidentd:yang:resolution"><incident-id>inc-1</incident-id><ask-device>true</ask-device></preview-resolution>`), "operators"},
		{"stop-resolution", call(`<stop-resolution xmlns="urn:incidentd:yang:resolution"><incident-id>inc-1</incident-id></stop-resolution>`), "operators"},
		{"merge-incidents", call(fmt.Sprintf(management, "merge-incidents", "<incident-id>inc-1</incident-id><other>inc-2</other>")), "operators"},
		{"split-incident", call(fmt.Sprintf(management, "split-incident", "<incident-id>inc-1</incident-id><event-id>e</event-id>")), "operators"},
		{"move-events", call(fmt.Sprintf(management, "move-events", "<event-id>e</event-id><incident-id>inc-1</incident-id>")), "operators"},
		{"comment-incident", call(fmt.Sprintf(management, "comment-incident", "<incident-id>inc-1</incident-id><text>x</text>")), "nobody collectors operators oam-operator"},
		{"approve-proposal", call(fmt.Sprintf(management, "approve-proposal", "<id>x</id>")), ""},
		{"start", action("start"), "nobody collectors operators oam-operator"},
		{"stop", action("stop"), "nobody collectors operators oam-operator"},
		{"preview-schedule", call(`<preview-schedule xmlns="urn:incidentd:yang:oam-tests"><unitary-test>t</unitary-test></preview-schedule>`), everybody},
	} {
		for _, name := range names {
			c, err := dial(t, s, name, "secret")
			if err != nil {
				t.Fatal(err)
			}
			if err := tt.do(c); denied(err) == strings.Contains(" "+tt.may+" ", " "+name+" ") {
				t.Errorf("%s of %s = %v, who may: %s", tt.name, name, err, tt.may)
			}
			c.Close()
		}
	}
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
