package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"incidentd/cmd/internal/server"
)

// A day in the life of the users of a server, once on a stopped one and once on one
// that runs: the commands say the same.
func TestUser(t *testing.T) {
	private, public := keyPair(t)
	_, other := keyPair(t)
	steps := []struct {
		args, stdin string
		status      int
		says        string // $FP stands for a fingerprint
	}{
		{"user list --data $DIR", "", 0, "NAME    PASSWORD   GROUPS   KEYS\nadmin   yes        admin    -\n"},
		{"user add noc --data $DIR --authorized-key " + public, "", 0, "noc may log in with 1 key.\n"},
		{"user add --data $DIR noc --password-stdin", "x\n", 1, "incidentd: there is a user noc already; --update gives that user the keys and groups in addition, and the password instead of the old one\n"},
		{"user add --data $DIR noc --password-stdin --update --authorized-key " + other + " --authorized-key " + public, "secret\n", 0, "noc may log in with a password and 2 keys.\n"},
		{"user list --data $DIR", "", 0, "NAME    PASSWORD   GROUPS   KEYS\n" +
			"admin   yes        admin    -\nnoc     yes        -        ed25519 $FP (key-1)\n                            ed25519 $FP (key-2)\n"},
		{"user add --data $DIR bob --update --password-stdin", "x\n", 1, `incidentd: there is no user "bob"; there are admin, noc` + "\n"},
		{"user add bob --data $DIR --authorized-key " + private, "", 1, "incidentd: " + private + " is a private key; give the public one, which is usually " + private + ".pub\n"},
		{"user add bob --data $DIR", "", 2, "incidentd: the user needs --password-stdin, --authorized-key FILE, or both ('incidentd help user add' shows how it is used)\n"},
		{"user add noc --data $DIR --update", "", 2, "incidentd: there is nothing to update: --password-stdin, --authorized-key FILE or --group NAME is missing ('incidentd help user add' shows how it is used)\n"},
		{"user add --data $DIR --password-stdin", "x\n", 2, "incidentd: user add needs a NAME ('incidentd help user add' shows how it is used)\n"},
		{"user add a b --data $DIR --password-stdin", "x\n", 2, `incidentd: user add takes one NAME, "b" is too much ('incidentd help user add' shows how it is used)` + "\n"},
		{"user add bob", "", 2, "incidentd: --data is missing ('incidentd help user add' shows how it is used)\n"},
		{"user add b\x01b --data $DIR --password-stdin", "x\n", 1, `incidentd: the name "b\x01b" cannot be used: up to 64 bytes, no spaces, no control characters` + "\n"},
		{"user add bob --data $DIR --password-stdin", "\n", 1, "incidentd: the first line of standard input is not a usable password: it is empty\n"},
		{"user", "", 2, "incidentd: \"user\" is none of the commands user add, user remove, user list ('incidentd help user' shows how it is used)\n"},
		{"user remove admin --data $DIR", "", 1, "incidentd: admin is the last user of the group admin, and nobody could change the rules of access any more; add another one with --group admin first, or remove this one with --force\n"},
		{"user remove admin --data $DIR --force", "", 0, "admin is removed, who had a password, in the group admin.\n"},
		{"user remove admin --data $DIR", "", 1, `incidentd: there is no user "admin"; there are noc` + "\n"},
		{"user remove noc --data $DIR", "", 1, "incidentd: noc is the last user, and nobody could log in any more; add another one first, or remove this one with --force\n"},
		{"user remove noc --data $DIR --force", "", 0, "noc is removed, who had a password and 2 keys.\n"},
		{"user list --data $DIR", "", 0, "NAME   PASSWORD   GROUPS   KEYS\n"},
		{"user add admin --data $DIR --password-stdin", "secret\n", 0, "admin may log in with a password.\n"},
		{"user add bob --data $DIR --password-stdin --group admin --group noc", "secret\n", 0, "bob may log in with a password, in the groups admin, noc.\n"},
		{"user list --data $DIR", "", 0, "NAME    PASSWORD   GROUPS       KEYS\nadmin   yes        -            -\nbob     yes        admin, noc   -\n"},
		{"user remove bob --data $DIR", "", 1, "incidentd: bob is the last user of the group admin"},
		{"user add admin --data $DIR --update --group admin", "", 0, "admin may log in with a password, in the group admin.\n"},
		{"user remove bob --data $DIR", "", 0, "bob is removed, who had a password, in the groups admin, noc.\n"},
	}
	for _, running := range []bool{false, true} {
		t.Run(map[bool]string{false: "stopped", true: "running"}[running], func(t *testing.T) {
			dir := initialised(t)
			if running {
				s, err := server.New(server.Config{DataDir: dir, Listen: "127.0.0.1:0"})
				if err != nil {
					t.Fatal(err)
				}
				defer s.Stop(t.Context())
				if err := s.Start(); err != nil {
					t.Fatal(err)
				}
			}
			for _, step := range steps {
				args := strings.ReplaceAll(step.args, "$DIR", dir)
				status, stdout, stderr := call(t, step.stdin, strings.Fields(args)...)
				got := regexp.MustCompile(`SHA256:[A-Za-z0-9+/]{43}`).ReplaceAllString(stdout+stderr, "$$FP")
				if status != step.status || !strings.HasPrefix(got, step.says) {
					t.Errorf("incidentd %s = %d, want %d (-want +got):\n%s", args, status, step.status, cmp.Diff(step.says, got))
				}
			}
		})
	}
	if status, _, stderr := call(t, "", "user", "list", "--data", t.TempDir()); status != 1 || !strings.Contains(stderr, "incidentd init") {
		t.Errorf("user list of an empty directory = %d, %s", status, stderr)
	}
}

func TestUserListJSON(t *testing.T) {
	dir := initialised(t)
	_, public := keyPair(t)
	must(t, "", "user", "add", "noc", "--data", dir, "--authorized-key", public)
	stdout, _ := must(t, "", "user", "list", "--data", dir, "--json")
	var got []server.User
	for line := range strings.Lines(stdout) {
		var u server.User
		if err := json.Unmarshal([]byte(line), &u); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		got = append(got, u)
	}
	if len(got) != 2 || got[1].Name != "noc" || got[1].Password || len(got[1].Keys) != 1 || !strings.HasPrefix(got[1].Keys[0].Fingerprint, "SHA256:") {
		t.Errorf("user list --json = %s", stdout)
	}
}
