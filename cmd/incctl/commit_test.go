package main

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// changing is what differs from run to run.
var changing = regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| CET)?|\b\d\d:\d\d:\d\d\b|incctl-[a-z2-7]{10}|just now|\d+s ago`)

func steady(text string) string {
	return changing.ReplaceAllStringFunc(text, func(s string) string {
		switch {
		case strings.HasPrefix(s, "incctl-"):
			return "TOKEN"
		case strings.HasSuffix(s, "ago") || s == "just now":
			return "AGO"
		}
		return "TIME"
	})
}

func TestCommit(t *testing.T) {
	l := newLive(t)
	golden(t, "commit", steady(l.play(
		words("set /system/hostname nms1"),
		words("commit -m 'a name for it'"),
		words("set /system/hostname nms2"),
		words("commit --confirmed 10m"),
		words("commit confirm"),
		words("commit confirm"),
		words("set /system/hostname nms3"),
		words("commit --confirmed 10m --json"),
		words("history -n 2"),
		words("cancel-commit"),
		words("cancel-commit"),
		words("get-config /system/hostname -f tree"),
		words("history"),
		words("history 3"),
		words("history x"),
		words("diff 2 3"),
		words("diff 99"),
		words("diff 3 3"),
		words("diff backup"),
		words("rollback 2 --to candidate"),
		words("diff"),
		words("discard"),
		words("rollback 2 -m back"),
		words("history -n 1"),
		words("rollback 99"),
		words("copy-config running startup"),
		words("diff startup running"),
		words("commit --confirmed 1m confirm"),
	)))
}

// A lock is held while a command runs in its session, and what is in the way is told.
func TestLock(t *testing.T) {
	l := newLive(t)
	other, err := l.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer other.close()
	if err := other.c.Lock(t.Context(), "candidate"); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString(l.play(
		words("set /system/hostname nms1"),
		words("lock -- set /system/hostname nms1"),
		words("sessions"),
	))
	if err := other.c.Unlock(t.Context(), "candidate"); err != nil {
		t.Fatal(err)
	}
	b.WriteString(l.play(
		words("lock"),
		words("lock -- set /system/hostname nms1"),
		words("lock --target running -- diff -p /nowhere"),
		words("kill-session 99999"),
		words("unlock"),
	))
	golden(t, "lock", steady(b.String()))
}

// What a user may not do is refused with what to ask next, and that has an answer.
func TestDenied(t *testing.T) {
	l := newLive(t)
	l.want(0, "", l.run("", "set", "/system/authentication/user=noc/password", "$0$let me in", "--target", "running"))
	l.app.dial = func(ctx context.Context) (*session, error) { return l.dialAs(ctx, "noc", "let me in") }
	l.app.user = "noc"
	golden(t, "denied", l.play(
		words("set /system/hostname nms1 --target running"),
		words("delete /networks/network=VPN-A --target running"),
		words("kill-session 1"),
		words("nacm explain noc update /system/hostname"),
	))
}

func TestRPC(t *testing.T) {
	l := newLive(t)
	golden(t, "rpc", l.play(
		append([]string{`<get-config><source><running/></source><filter><networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network"><network><network-id/></network></networks></filter></get-config>`}, words("rpc -")...),
		append([]string{`<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><unlock><target><running/></target></unlock></rpc>`}, words("rpc -")...),
		append([]string{"<rpc xmlns=\"urn:ietf:params:xml:ns:netconf:base:1.0\">\n<unlock></rpc>"}, words("rpc -")...),
		append([]string{`<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"/>`}, words("rpc -")...),
	))
}

func TestSchema(t *testing.T) {
	l := newLive(t)
	golden(t, "schema", l.play(
		words("schema /system/authentication/user"),
		words("schema /system/authentication/user/authorized-key/algorithm"),
		words("schema /incidents/incident/priority"),
		words("schema incidentd-events"),
		words("schema nothing"),
		words("schema /system/autentication"),
		words("schema /system/authentication --json"),
	))
	p := l.run("", "schema", "ietf-system", "--source")
	if l.want(0, "", p); !strings.HasPrefix(p.stdout.String(), "module ietf-system {") {
		t.Errorf("the source begins %.40q", p.stdout.String())
	}
	p = l.run("", "schema")
	if l.want(0, "", p); !strings.Contains(p.stdout.String(), "ietf-netconf-monitoring") {
		t.Errorf("no module ietf-netconf-monitoring:\n%s", p.stdout.String())
	}
}

// The schema is fetched once, and again when what is kept is damaged.
func TestSchemaCache(t *testing.T) {
	l := newLive(t)
	l.app.cache = t.TempDir()
	files := func() (list []string) {
		list, err := filepath.Glob(filepath.Join(l.app.cache, "*", "*"))
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	l.want(0, "", l.run("", "schema"))
	kept := files()
	if len(kept) < 20 {
		t.Fatalf("%d files are kept", len(kept))
	}
	before, err := os.Stat(kept[0])
	if err != nil {
		t.Fatal(err)
	}
	l.want(0, "", l.run("", "schema"))
	if after, err := os.Stat(kept[0]); err != nil || !os.SameFile(before, after) {
		t.Errorf("the schema was fetched twice (%v)", err)
	}
	if err := os.WriteFile(kept[0], []byte("module broken {"), 0o600); err != nil {
		t.Fatal(err)
	}
	l.want(0, "", l.run("", "schema"))
	if text, err := os.ReadFile(kept[0]); err != nil || strings.HasPrefix(string(text), "module broken") {
		t.Errorf("what is damaged stays so (%v)", err)
	}
}

// An editor that a script plays.
func TestInteractive(t *testing.T) {
	l := newLive(t)
	edit := func(script, in string, args ...string) *program {
		t.Helper()
		t.Setenv("VISUAL", "")
		t.Setenv("EDITOR", script)
		return l.run(in, append([]string{"edit", "-i"}, args...)...)
	}
	check := func(p *program, status int, stdout, stderr string) {
		t.Helper()
		if p.status != status || p.stdout.String() != stdout || p.stderr.String() != stderr {
			t.Errorf("status %d, stdout %q, stderr %q; want %d, %q, %q", p.status, p.stdout.String(), p.stderr.String(), status, stdout, stderr)
		}
	}
	l.want(0, "", l.run("", "set", "/system/hostname", "old", "--target", "running"))
	l.want(0, "", l.run("", "discard"))
	const change = "  system\n-   hostname old\n+   hostname new\n"
	check(edit("true", "", "/system"), 0, "Nothing has changed.\n", "")
	check(edit("false", "", "/system"), 1, "", "incctl: the editor false: exit status 1; nothing was changed\n")
	check(edit("sed -i s/old/new/", "y\n", "/system"), 0, change+"Changed the candidate; incctl diff shows the change, incctl commit makes it running.\n", "Send this to candidate? [y/n] ")
	l.want(0, "", l.run("", "discard"))
	check(edit("sed -i s/old/new/", "", "/system", "--xml", "-y"), 0, change+"Changed the candidate; incctl diff shows the change, incctl commit makes it running.\n", "")
	l.want(0, "", l.run("", "discard"))
	check(edit("sed -i s/old/new/", "n\nn\n", "/system"), 0, change, "Send this to candidate? [y/n] Edit again? [y/n] ")
	check(edit(`sed -i 's/"old"/7/'`, "n\n", "/system"), 1, "",
		"incctl: config.json:3: invalid-value: it is a number, where a string belongs [/sys:system/sys:hostname]\nEdit again? [y/n] incctl: nothing was changed\n")
	check(edit("sed -i s/old/new/", "", "/system/authentication"), 0, "Nothing has changed.\n", "")
	check(edit("sed -i s/old/new/", "", "/system/authentication/user"), 1, "", "incctl: /system/authentication/user is a list: name one entry, as in /system/authentication/user=NAME\n")
	l.want(1, "the text changes more than /system/authentication/user=admin/password:", edit("sed -i s/admin/root/", "n\n", "/system/authentication/user=admin/password"))
	if p := l.run("", "diff"); p.stdout.String() != "candidate is as running.\n" {
		t.Errorf("in the end:\n%s", p.stdout.String())
	}
}
