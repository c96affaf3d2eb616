package server

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"incidentd/netconf"
	"incidentd/netconf/auth"
	"incidentd/netconf/client"
	"incidentd/netconf/transport"
	"incidentd/yang/data"
)

// The defaults that the module states are those that the packages have.
func TestDefaultSettings(t *testing.T) {
	schema, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	want := &settings{
		transport: transport.Limits{LoginGrace: 30 * time.Second, MaxUnauthenticated: 64, MaxPerSource: 32, MaxSessions: 1024, MaxPerUser: 256,
			MaxAuthTries: 6, KeepAlive: 30 * time.Second, KeepAliveCount: 3, RekeyBytes: 1 << 30},
		netconf: netconf.Limits{Hello: 30 * time.Second, Stall: time.Minute, Queue: 16, Message: 64 << 20, Depth: 256, Memory: 512 << 20},
	}
	if diff := cmp.Diff(want, decodeSettings(data.New(schema.Root)), cmp.AllowUnexported(settings{})); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
}

// serverConfig is an edit of incidentd-server.
func serverConfig(content string) []byte {
	return []byte(`<server xmlns="urn:incidentd:yang:server">` + content + `</server>`)
}

func TestSettings(t *testing.T) {
	s, _ := started(t, initialised(t))
	c := session(t, s)
	edit := func(content string) error {
		return c.EditConfig(t.Context(), "running", serverConfig(content), "")
	}
	if err := edit(`<limits><sessions-per-user>2</sessions-per-user><depth>16</depth></limits><ssh><keepalive><enabled>false</enabled></keepalive></ssh>`); err != nil {
		t.Fatal(err)
	}
	second := session(t, s)
	if _, err := dial(t, s, admin.Name, admin.Password); err == nil || !strings.Contains(err.Error(), "too many sessions of this user") {
		t.Errorf("a third session: %v, want a refusal", err)
	}
	deep := []byte(strings.Repeat("<a>", 20) + strings.Repeat("</a>", 20))
	if _, err := second.Call(t.Context(), deep); err == nil || !strings.Contains(err.Error(), "malformed-message") {
		t.Errorf("20 levels where 16 are allowed: %v", err)
	}
	if _, err := c.Call(t.Context(), deep); err == nil || strings.Contains(err.Error(), "malformed-message") {
		t.Errorf("20 levels in a session that began before: %v", err)
	}
	r, err := c.Get(t.Context(), client.Subtree(string(serverConfig(`<statistics/>`))))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<sessions>2</sessions>", "<logins>3</logins>", "<sessions-refused>1</sessions-refused>", "<started>"} {
		if !bytes.Contains(r.Raw, []byte(want)) {
			t.Errorf("statistics without %s: %s", want, r.Raw)
		}
	}
	_, weak := newKey(t)
	err = edit(fmt.Sprintf(`<ssh><trusted-authority><name>ca</name><algorithm>ssh-rsa</algorithm><key-data>%s</key-data></trusted-authority></ssh>`,
		base64.StdEncoding.EncodeToString(weak.Data)))
	want := `/idsv:server/idsv:ssh/idsv:trusted-authority[idsv:name='ca']/idsv:key-data`
	if err == nil || !strings.Contains(err.Error(), "invalid-value") || !strings.Contains(err.Error(), want) {
		t.Errorf("a key of another algorithm: %v, want invalid-value at %s", err, want)
	}
	err = c.EditConfig(t.Context(), "running", []byte(`<system xmlns="urn:ietf:params:xml:ns:yang:ietf-system"><authentication><user><name>noc</name>
		<authorized-key><name>k</name><algorithm>ssh-ed25519</algorithm><key-data>AAAA</key-data></authorized-key></user></authentication></system>`), "")
	want = `/sys:system/sys:authentication/sys:user[sys:name='noc']/sys:authorized-key[sys:name='k']/sys:key-data`
	if err == nil || !strings.Contains(err.Error(), "invalid-value") || !strings.Contains(err.Error(), want) {
		t.Errorf("a key that is none: %v, want invalid-value at %s", err, want)
	}
}

// Certificates that ssh-keygen makes, shown by ssh.
func TestCertificatesOfOpenSSH(t *testing.T) {
	for _, program := range []string{"ssh", "ssh-keygen"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	dir := t.TempDir()
	run := func(name string, args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	sign := func(key string, args ...string) {
		t.Helper()
		if out, err := run("ssh-keygen", append(append([]string{"-q", "-s", "ca"}, args...), key+".pub")...); err != nil {
			t.Fatalf("ssh-keygen -s: %v, %s", err, out)
		}
	}
	for _, key := range []string{"ca", "ann", "bob", "eve", "old"} {
		if out, err := run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key); err != nil {
			t.Fatalf("ssh-keygen: %v, %s", err, out)
		}
	}
	sign("ann", "-I", "ann@laptop", "-n", "ann,noc", "-V", "+1h", "-z", "7")
	sign("bob", "-I", "bob", "-n", "bob", "-O", "force-command=id")
	sign("eve", "-I", "eve", "-n", "eve", "-z", "13")
	sign("old", "-I", "old", "-n", "old", "-V", "20200101:20200102")
	text, err := os.ReadFile(filepath.Join(dir, "ca.pub"))
	if err != nil {
		t.Fatal(err)
	}
	ca, err := auth.ParseAuthorizedKeys(text)
	if err != nil {
		t.Fatal(err)
	}

	s, l := started(t, initialised(t))
	edit := serverConfig(fmt.Sprintf(`<ssh><trusted-authority><name>ca</name><algorithm>%s</algorithm><key-data>%s</key-data>
		<revoked-serial>13</revoked-serial></trusted-authority></ssh>`, ca[0].Algorithm, base64.StdEncoding.EncodeToString(ca[0].Data)))
	if err := session(t, s).EditConfig(t.Context(), "running", edit, ""); err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(s.Addr().String())
	known := filepath.Join(dir, "known")
	if err := os.WriteFile(known, []byte(knownhosts.Line([]string{s.Addr().String()}, s.HostKey())+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	login := func(user, key string) (string, error) {
		cmd := exec.CommandContext(t.Context(), "ssh", "-F", "none", "-i", key, "-p", port, "-l", user,
			"-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes",
			"-o", "UserKnownHostsFile="+known, "-o", "GlobalKnownHostsFile=none", "-s", "127.0.0.1", "netconf")
		cmd.Dir = dir
		cmd.Stdin = strings.NewReader(`<hello xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><capabilities><capability>urn:ietf:params:netconf:base:1.0</capability></capabilities></hello>]]>]]>` +
			`<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="1"><close-session/></rpc>]]>]]>`)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := login("ann", "ann"); err != nil || !strings.Contains(out, "<ok/>") {
		t.Errorf("ann: %v, %s\n%s", err, out, l)
	}
	if want := `user=ann credential="certificate \"ann@laptop\", serial 7, of ` + ssh.FingerprintSHA256(mustKey(t, ca[0])); !strings.Contains(l.String(), want) {
		t.Errorf("the log has no %s:\n%s", want, l)
	}
	for _, tt := range []struct{ user, key, why string }{
		{"noc", "ann", `first principal is \"ann\"`}, // a group is no user
		{"bob", "bob", "force-command"},
		{"eve", "eve", "revoked"},
		{"old", "old", "expired"},
	} {
		if out, err := login(tt.user, tt.key); err == nil || !strings.Contains(out, "Permission denied") {
			t.Errorf("%s with the certificate of %s: %v, %s", tt.user, tt.key, err, out)
		}
		if !strings.Contains(l.String(), tt.why) {
			t.Errorf("%s: the log does not say %q:\n%s", tt.user, tt.why, l)
		}
	}
}

func mustKey(t testing.TB, k auth.Key) ssh.PublicKey {
	t.Helper()
	key, err := auth.ParseKey(k.Algorithm, k.Data)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// The sessions of a user who is removed end, those of others do not, and he who removes
// himself is answered.
func TestRemovedUser(t *testing.T) {
	s, _ := started(t, initialised(t))
	c := session(t, s)
	users := func(content string) error {
		return c.EditConfig(t.Context(), "running", []byte(`<system xmlns="urn:ietf:params:xml:ns:yang:ietf-system" xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0"><authentication>`+content+`</authentication></system>`), "")
	}
	if err := users(`<user><name>bob</name><password>$0$bobs-secret-word</password></user>`); err != nil {
		t.Fatal(err)
	}
	bob, err := dial(t, s, "bob", "bobs-secret-word")
	if err != nil {
		t.Fatal(err)
	}
	if err := users(`<user nc:operation="remove"><name>bob</name></user>`); err != nil {
		t.Fatal(err)
	}
	for range bob.Notifications() { // until the session has ended
	}
	if err := users(`<user nc:operation="remove"><name>` + admin.Name + `</name></user>`); err != nil {
		t.Errorf("who removes himself: %v", err)
	}
	for range c.Notifications() {
	}
}
