package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"incidentd/netconf/client"
	"incidentd/yang/rpcerr"
)

var listening = regexp.MustCompile(`msg=listening addr=(\S+)`)

// process is an incidentd of its own.
type process struct {
	t    testing.TB
	cmd  *exec.Cmd
	addr string
	log  *buffer
	done chan error // gets the end of the process
}

// spawn starts incidentd with arguments.
func spawn(t testing.TB, args ...string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return spawnIn(t, self, args...)
}

// spawnIn starts a program that becomes incidentd.
func spawnIn(t testing.TB, program string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(program, args...), log: newBuffer(), done: make(chan error, 1)}
	p.cmd.Env = append(os.Environ(), "INCIDENTD_TEST_MAIN=1")
	p.cmd.Stderr = p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.done <- p.cmd.Wait() }()
	t.Cleanup(func() { p.cmd.Process.Kill() })
	return p
}

// serveAt starts a server and waits until it listens.
func serveAt(t testing.TB, dir string) *process {
	t.Helper()
	return listens(t, spawn(t, "serve", "--data", dir, "--listen", "127.0.0.1:0"))
}

// listens waits until a server does.
func listens(t testing.TB, p *process) *process {
	t.Helper()
	for {
		if m := listening.FindStringSubmatch(p.log.String()); m != nil {
			p.addr = m[1]
			return p
		}
		select {
		case <-p.log.grown:
		case err := <-p.done:
			t.Fatalf("the server ended: %v\n%s", err, p.log)
		case <-t.Context().Done():
			t.Fatalf("the server does not listen:\n%s", p.log)
		}
	}
}

// kill is kill -9.
func (p *process) kill() {
	p.t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		p.t.Fatal(err)
	}
	<-p.done
}

func (p *process) session() *client.Client {
	p.t.Helper()
	c, err := client.Dial(p.t.Context(), p.addr, client.Config{User: "admin", Password: password, HostKey: ssh.InsecureIgnoreHostKey()})
	if err != nil {
		p.t.Fatalf("%v\n%s", err, p.log)
	}
	p.t.Cleanup(func() { c.Close() })
	return c
}

func TestServe(t *testing.T) {
	for _, sig := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		dir := initialised(t)
		p := serveAt(t, dir)
		c := p.session()
		if err := c.CreateSubscription(t.Context(), "", client.Filter{}, time.Time{}, time.Time{}); err != nil {
			t.Fatal(err)
		}
		for _, command := range [][]string{{"serve", "--listen", "127.0.0.1:0"}, {"check"}} {
			status, _, stderr := call(t, "", append(command, "--data", dir)...)
			if status != 1 || !strings.Contains(stderr, "in use by another process; an incidentd that runs there has to be stopped first") {
				t.Errorf("%v beside a server = %d, %s", command, status, stderr)
			}
		}
		// The server makes a backup of itself.
		backup := filepath.Join(t.TempDir(), "b")
		must(t, "", "backup", "--data", dir, "--out", backup)
		must(t, "", "restore", "--data", filepath.Join(t.TempDir(), "restored"), "--in", backup)
		if err := p.cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		if err := <-p.done; err != nil {
			t.Errorf("after %v: %v\n%s", sig, err, p.log)
		}
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("it took %s to stop after %v", took, sig)
		}
		if log := p.log.String(); !strings.Contains(log, "msg=stopped") {
			t.Errorf("the log does not tell of the end:\n%s", log)
		}
		<-c.Done()
		must(t, "", "check", "--data", dir)
	}
}

const network = `<networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network" xmlns:nt="urn:ietf:params:xml:ns:yang:ietf-network-topology">
<network><network-id>ip</network-id>
<node><node-id>P1</node-id><nt:termination-point><nt:tp-id>eth1</nt:tp-id></nt:termination-point></node>
<node><node-id>P2</node-id><nt:termination-point><nt:tp-id>eth0</nt:tp-id></nt:termination-point></node>
<nt:link><nt:link-id>P1-P2</nt:link-id><nt:source><nt:source-node>P1</nt:source-node><nt:source-tp>eth1</nt:source-tp></nt:source><nt:destination><nt:dest-node>P2</nt:dest-node><nt:dest-tp>eth0</nt:dest-tp></nt:destination></nt:link>
</network></networks>`

// report is a report-events of events at seconds after a time a day ago, so that
// the clock of the correlator is theirs and nothing has to be waited for.
func report(start time.Time, events ...reported) []byte {
	var b bytes.Buffer
	b.WriteString(`<report-events xmlns="urn:incidentd:yang:events" xmlns:idc="urn:incidentd:yang:collector">`)
	for _, e := range events {
		at := start.Add(time.Duration(e.second) * time.Second).Format(time.RFC3339)
		fmt.Fprintf(&b, `<event><id>%s</id><time>%s</time><kind>%s</kind><node>%s</node><resource>%s</resource><alarm-type-id>%s</alarm-type-id><severity>%s</severity><idc:arrival>%[2]s</idc:arrival></event>`,
			e.id, at, e.kind, e.node, e.resource, e.what, e.severity)
	}
	b.WriteString(`</report-events>`)
	return b.Bytes()
}

type reported struct {
	second                         int
	id, kind                       string
	node, resource, what, severity string
}

// TestKill kills the server with SIGKILL after each step of an incident's life, and
// looks whether all that was acknowledged is there when it comes back, and whether
// the replay log has each step of the incident once.
func TestKill(t *testing.T) {
	dir := initialised(t)
	start := time.Now().UTC().Add(-24 * time.Hour).Truncate(time.Second)
	down := []reported{
		{0, "e1", "alarm", "P1", "eth1", "link-down", "critical"},
		{1, "e2", "alarm", "P2", "eth0", "link-down", "critical"},
	}
	later := func(second int) reported {
		return reported{second, fmt.Sprintf("n%d", second), "notification", "P2", "", "configuration-changed", "indeterminate"}
	}
	up := []reported{
		{120, "e3", "alarm", "P1", "eth1", "link-down", "cleared"},
		{121, "e4", "alarm", "P2", "eth0", "link-down", "cleared"},
	}
	call := func(c *client.Client, op string, want string) {
		t.Helper()
		r, err := c.Call(t.Context(), []byte(op))
		if err != nil {
			t.Fatalf("%s: %v", op, err)
		}
		if !bytes.Contains(r.Raw, []byte(want)) {
			t.Fatalf("%s: no %s in %s", op, want, r.Raw)
		}
	}
	const get = `<get><filter><incidents xmlns="urn:ietf:params:xml:ns:yang:ietf-incident"/></filter></get>`
	const ack = `<incident-acknowledge xmlns="urn:ietf:params:xml:ns:yang:ietf-incident"><incident-id>inc-1</incident-id></incident-acknowledge>`
	steps := []struct {
		name string
		// do is acknowledged before the kill; after sees it when the server is back.
		do, after func(*client.Client)
	}{
		{"configure", func(c *client.Client) {
			if err := c.EditConfig(t.Context(), "running", []byte(network), ""); err != nil {
				t.Fatal(err)
			}
		}, func(c *client.Client) {
			call(c, `<get-config><source><running/></source></get-config>`, "<link-id>P1-P2</link-id>")
		}},
		{"report", func(c *client.Client) { call(c, string(report(start, down...)), ">2</accepted>") },
			func(c *client.Client) {
				call(c, string(report(start, down...)), ">2</duplicates>")
				call(c, `<get><filter><alarms xmlns="urn:ietf:params:xml:ns:yang:ietf-alarms"/></filter></get>`, "<resource>P2/eth0</resource>")
			}},
		{"raise", func(c *client.Client) { call(c, string(report(start, later(60))), ">1</accepted>") },
			func(c *client.Client) { call(c, get, "<status>raised</status>") }},
		{"acknowledge", func(c *client.Client) { call(c, ack, "<ok/>") },
			func(c *client.Client) {
				call(c, get, "<ack-status>acknowledged</ack-status>")
				var e *rpcerr.Error
				if _, err := c.Call(t.Context(), []byte(ack)); !errors.As(err, &e) || e.AppTag != rpcerr.AppRepeatedAcknowledge {
					t.Errorf("acknowledging again = %v", err)
				}
			}},
		{"clear", func(c *client.Client) { call(c, string(report(start, append(up, later(600))...)), ">3</accepted>") },
			func(c *client.Client) {
				call(c, get, "<status>cleared</status>")
				call(c, get, ">admin</ack-user>")
			}},
	}
	p := serveAt(t, dir)
	for _, s := range steps {
		s.do(p.session())
		p.kill()
		p = serveAt(t, dir)
		s.after(p.session())
		p.kill() // what it did on coming back is done again, or not at all
		p = serveAt(t, dir)
		s.after(p.session())
	}
	// The whole log: one raise, one clear, and no step twice.
	c := p.session()
	if err := c.CreateSubscription(t.Context(), "incidents", client.Filter{}, start, time.Time{}); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for n := range c.Notifications() {
		e, err := n.Event()
		if err != nil {
			t.Fatal(err)
		}
		if e.Tag == "replayComplete" {
			break
		}
		text := func(name string) string { return e.SelectElement(name).Text() }
		seen[text("incident-id")+" "+text("status")]++
		seen["at "+text("status")+" "+text("time")]++
	}
	for what, n := range seen {
		if n != 1 && (strings.HasPrefix(what, "at ") || !strings.HasSuffix(what, "updated")) {
			t.Errorf("%d times: %s", n, what)
		}
	}
	if seen["inc-1 raised"] != 1 || seen["inc-1 cleared"] != 1 {
		t.Errorf("the replay log has %v, want one raised and one cleared of inc-1", seen)
	}
	p.kill()
	must(t, "", "check", "--data", dir)
}

// A file size limit stands for a full disk: a clear error for the client, and what
// was stored stays.
func TestFull(t *testing.T) {
	dir := initialised(t)
	p := serveAt(t, dir)
	c := p.session()
	if err := c.EditConfig(t.Context(), "running", []byte(network), ""); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	limit := &syscall.Rlimit{Cur: uint64(info.Size()), Max: uint64(info.Size())}
	if err := prlimit(p.cmd.Process.Pid, syscall.RLIMIT_FSIZE, limit); err != nil {
		t.Skipf("the limit of another process cannot be set: %v", err)
	}
	var b strings.Builder
	b.WriteString(`<networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network"><network><network-id>large</network-id>`)
	for i := range 100_000 {
		fmt.Fprintf(&b, "<node><node-id>a-node-of-a-rather-long-name-%d</node-id></node>", i)
	}
	b.WriteString(`</network></networks>`)
	var refused *rpcerr.Error
	for range 10 { // until it is more than the file can hold
		if err = c.EditConfig(t.Context(), "running", []byte(b.String()), ""); err != nil {
			break
		}
		b.Reset()
		b.WriteString(`<networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network"><network><network-id>larger</network-id>`)
		for i := range 200_000 {
			fmt.Fprintf(&b, "<node><node-id>a-node-of-a-rather-long-name-%d</node-id></node>", i)
		}
		b.WriteString(`</network></networks>`)
	}
	if !errors.As(err, &refused) || refused.Tag != rpcerr.TagResourceDenied || !strings.Contains(refused.Message, "disk") {
		t.Fatalf("edit-config on a full disk = %v, want resource-denied", err)
	}
	r, err := c.GetConfig(t.Context(), "running", client.Subtree(`<networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network"><network><network-id>ip</network-id></network></networks>`))
	if err != nil || !bytes.Contains(r.Raw, []byte("<node-id>P2</node-id>")) {
		t.Errorf("what was stored: %s, %v", r.Raw, err)
	}
	p.kill()
	must(t, "", "check", "--data", dir)
}

func TestDemo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, errs := newBuffer(), newBuffer()
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	// On a port that is taken, so that it has to look for another.
	taken := serveAt(t, initialised(t))
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"demo", "--listen", taken.addr, "--every", "1s", "--seed", "1"}, &app{stdin: strings.NewReader(""), stdout: out, stderr: errs})
	}()
	text := out.await(t, "raised ")
	text = out.await(t, "root cause: ")
	for _, want := range []string{taken.addr + " is taken by another program", "now broken: ", "--create-subscription incidents"} {
		if !strings.Contains(text, want) {
			t.Errorf("the demo does not print %q:\n%s", want, text)
		}
	}
	// The lines to paste work.
	line := regexp.MustCompile(`ssh -p (\d+) -i (\S+) -o UserKnownHostsFile=(\S+) admin@127.0.0.1`).FindStringSubmatch(text)
	if line == nil {
		t.Fatalf("no line for ssh:\n%s", text)
	}
	key, err := os.ReadFile(line[2])
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.ParsePrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	hosts, err := client.OpenKnownHosts(line[3], false)
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.Dial(t.Context(), "127.0.0.1:"+line[1], client.Config{User: "admin", Signers: []ssh.Signer{signer}, HostKey: hosts.Check})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	r, err := c.Get(t.Context(), client.Subtree(`<incidents xmlns="urn:ietf:params:xml:ns:yang:ietf-incident"><incident><name/></incident></incidents>`))
	if err != nil || !bytes.Contains(r.Raw, []byte("<name>")) {
		t.Errorf("the incidents: %s, %v", r.Raw, err)
	}
	cancel()
	if status := <-ended; status != 0 {
		t.Errorf("the demo ended with %d, %s", status, errs)
	}
	for s := bufio.NewScanner(strings.NewReader(out.String())); s.Scan(); {
		if strings.Contains(s.Text(), "\x1b") {
			t.Errorf("colours, but not on a terminal: %q", s.Text())
		}
	}
	if left, err := filepath.Glob(filepath.Join(tmp, "incidentd-demo-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
