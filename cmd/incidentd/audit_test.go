package main

import (
	"encoding/binary"
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"

	"incidentd/cmd/internal/server"
	"incidentd/datastore/kv"
	"incidentd/netconf/audit"
	"incidentd/netconf/client"
)

// Everybody who did something stands in the audit: over NETCONF, on the machine, in
// vain. Verify works on a running server and on a stopped one, and finds a removed line.
func TestAudit(t *testing.T) {
	dir := initialised(t)
	stdout, _ := must(t, "", "audit", "verify", "--data", dir)
	if !strings.HasPrefix(stdout, "The audit is whole: no records.\n") {
		t.Errorf("audit verify of a new directory says %s", stdout)
	}
	must(t, "secret\n", "user", "add", "noc", "--data", dir, "--password-stdin")

	s, err := server.New(server.Config{DataDir: dir, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop(t.Context())
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	login := func(secret string) (*client.Client, error) {
		return client.Dial(t.Context(), s.Addr().String(), client.Config{User: "admin", Password: secret, HostKey: ssh.FixedHostKey(s.HostKey())})
	}
	if _, err := login("a wrong secret"); err == nil {
		t.Fatal("a wrong password")
	}
	c, err := login(password)
	if err != nil {
		t.Fatal(err)
	}
	edit := `<system xmlns="urn:ietf:params:xml:ns:yang:ietf-system"><hostname>h</hostname><authentication><user><name>noc</name><password>$0$another secret</password></user></authentication></system>`
	if err := c.EditConfig(t.Context(), "running", []byte(edit), ""); err != nil {
		t.Fatal(err)
	}
	if err := c.EditConfig(t.Context(), "running", []byte(`<system xmlns="urn:ietf:params:xml:ns:yang:ietf-system"><frob/></system>`), ""); err == nil {
		t.Fatal("an unknown element")
	}
	must(t, "", "user", "remove", "noc", "--data", dir)
	if status, _, _ := call(t, "", "user", "remove", "nobody", "--data", dir); status != 1 {
		t.Fatal("a user that is not there was removed")
	}
	if live, _ := must(t, "", "audit", "list", "--data", dir, "--last", "1"); !strings.Contains(live, "incidentd user remove nobody") {
		t.Errorf("audit list --last 1 of a running server says %s", live)
	}
	if running, _ := must(t, "", "audit", "verify", "--data", dir); !strings.HasPrefix(running, "The audit is whole: 7 good records, 1 to 7.\nlast hash: ") {
		t.Errorf("audit verify of a running server says %s", running)
	}
	if err := c.CloseSession(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.Close()
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}

	stdout, _ = must(t, "", "audit", "list", "--data", dir)
	got := regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`).ReplaceAllString(stdout, "TIME")
	got = regexp.MustCompile(`127.0.0.1:\d+`).ReplaceAllString(got, "FROM")
	got = regexp.MustCompile(` +`).ReplaceAllString(got, " ")
	want := `NUMBER TIME USER FROM SESSION WHAT RESULT TOUCHED
1 TIME - - - incidentd user add noc ok -
2 TIME admin FROM - login-failed by password error -
3 TIME admin FROM - login by password ok -
4 TIME admin FROM 1 edit-config ok create running /sys:system/sys:hostname and 1 more
5 TIME admin FROM 1 edit-config unknown-element -
6 TIME - - - incidentd user remove noc ok -
7 TIME - - - incidentd user remove nobody operation-failed -
8 TIME admin FROM 1 close-session ok -
9 TIME admin FROM 1 session-end close-session ok -
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("audit list (-want +got):\n%s", diff)
	}
	stdout, _ = must(t, "", "audit", "list", "--data", dir, "--json", "--last", "6")
	if strings.Contains(stdout, "secret") || strings.Contains(stdout, password) || strings.Contains(stdout, "$6$") {
		t.Errorf("there are secrets in the audit:\n%s", stdout)
	}
	var first audit.Record
	if err := json.NewDecoder(strings.NewReader(stdout)).Decode(&first); err != nil || first.Number != 4 || len(first.Touched) != 2 ||
		first.Touched[1].Path != "/sys:system/sys:authentication/sys:user[sys:name='noc']/sys:password" {
		t.Errorf("audit list --json = %v, %+v\n%s", err, first, stdout)
	}
	if stopped, _ := must(t, "", "audit", "verify", "--data", dir); !strings.HasPrefix(stopped, "The audit is whole: 9 good records, 1 to 9.\nlast hash: ") {
		t.Errorf("audit verify of the stopped server says %s", stopped)
	}

	db, err := kv.Open(filepath.Join(dir, "store.db"), kv.Options{MustExist: true})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(w *kv.Writer) error {
		for k, row := range w.Scan("journal", nil, nil) { // the record of the failed login
			if strings.Contains(string(row), "login-failed") {
				var last [8]byte
				binary.BigEndian.PutUint64(last[:], binary.BigEndian.Uint64(k)+1)
				return w.Put("journal", append([]byte{}, k...), append([]byte{}, w.Get("journal", last[:])...))
			}
		}
		return nil
	})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	status, stdout, stderr := call(t, "", "audit", "verify", "--data", dir)
	if want := "incidentd: the audit is not as it was written: record 2"; status != 1 || stdout != "" || !strings.HasPrefix(stderr, want) {
		t.Errorf("audit verify of a forged audit = %d, %s%s, want %s", status, stdout, stderr, want)
	}
	if status, _, stderr := call(t, "", "audit", "list", "--data", dir, "--last", "0"); status != 2 {
		t.Errorf("audit list --last 0 = %d, %s", status, stderr)
	}
}
