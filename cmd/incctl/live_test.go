package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	srv "incidentd/cmd/internal/server"
	"incidentd/netconf/client"
)

var admin = srv.Admin{Name: "admin", Password: "correct horse"}

// live is a server as operators have it, with the network of the drafts' examples, on the
// loopback interface.
type live struct {
	t   *testing.T
	s   *srv.Server
	dir string // its data directory
	app app    // what its programs work with
}

func newLive(t *testing.T, with ...func(*srv.Config)) *live {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	if _, err := srv.Init(dir, admin); err != nil {
		t.Fatal(err)
	}
	c := srv.Config{DataDir: dir, Listen: "127.0.0.1:0"}
	for _, f := range with {
		f(&c)
	}
	s, err := srv.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	l := &live{t: t, s: s, dir: dir}
	l.app = app{dial: l.dial, cache: t.TempDir(), state: t.TempDir()}
	network, err := os.ReadFile("../../testdata/interop/network.xml")
	if err != nil {
		t.Fatal(err)
	}
	l.want(0, "", l.run(string(network), "edit", "-", "--target", "running"))
	return l
}

func (l *live) dial(ctx context.Context) (*session, error) {
	return l.dialAs(ctx, admin.Name, admin.Password)
}

func (l *live) dialAs(ctx context.Context, user, password string) (*session, error) {
	return open(ctx, l.s.Addr().String(), client.Config{
		User: user, Password: password, HostKey: ssh.FixedHostKey(l.s.HostKey()), Timeout: 30 * time.Second,
	})
}

// run runs a command line with an input.
func (l *live) run(in string, args ...string) *program {
	p, a := &program{}, l.app
	var input io.Reader = strings.NewReader(in)
	a.stdin, a.stdout, a.stderr = input, &p.stdout, &p.stderr
	p.status = run(l.t.Context(), args, &a)
	return p
}

// show runs a command line and writes it down with what it prints, as a terminal has it.
func (l *live) show(out *strings.Builder, in string, args ...string) {
	p := l.run(in, args...)
	fmt.Fprintf(out, "$ incctl %s\n%s", strings.Join(args, " "), p.stdout.String())
	if p.stderr.String() != "" {
		fmt.Fprintf(out, "%s(status %d)\n", p.stderr.String(), p.status)
	}
	out.WriteString("\n")
}

// want fails the test when a program has ended otherwise; stderr is a part of it.
func (l *live) want(status int, stderr string, p *program) {
	l.t.Helper()
	if p.status != status || !strings.Contains(p.stderr.String(), stderr) || stderr == "" && p.stderr.String() != "" {
		l.t.Errorf("status %d and %q, want %d and %q", p.status, p.stderr.String(), status, stderr)
	}
}
