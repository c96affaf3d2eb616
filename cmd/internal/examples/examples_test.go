package examples

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestExamples runs each block of commands of each document, line by line: what stands behind
// a prompt is run by a shell, and what follows has to be printed. … stands for any text within
// a line, and alone on a line for any lines. A server, which ends with &, is waited for until
// it listens.
func TestExamples(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the programs and runs servers")
	}
	documents, err := filepath.Glob("../../../examples/*/README.md")
	if err != nil || len(documents) == 0 {
		t.Fatalf("there are no examples: %v", err)
	}
	bin := t.TempDir()
	build := exec.Command("go", "build", "-o", bin+"/", "incidentd/cmd/incidentd", "incidentd/cmd/incctl")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, file := range documents {
		t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) { newReader(t, bin, filepath.Dir(file)).run() })
	}
}

// reader is somebody who does what a document says.
type reader struct {
	t     *testing.T
	dir   string // a copy of the example's
	env   []string
	ports *strings.Replacer
}

// newReader copies an example, with free ports in place of those that it names.
func newReader(t *testing.T, bin, example string) *reader {
	t.Helper()
	r := &reader{t: t, dir: t.TempDir()}
	home := t.TempDir()
	server := freePort(t)
	r.ports = strings.NewReplacer("1830", server, "8620", freePort(t), "8080", freePort(t))
	r.env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_STATE_HOME="+home, "XDG_CACHE_HOME="+home,
		"INCCTL_SERVER=127.0.0.1:"+server, "LC_ALL=C.UTF-8", "SSH_AUTH_SOCK=")
	files, err := os.ReadDir(example)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(example, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(r.dir, f.Name()), []byte(r.ports.Replace(string(text))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r.env = append(r.env, "LISTEN=127.0.0.1:"+server)
	return r
}

// freePort is a port of the loopback interface that nobody has, of TCP and UDP.
func freePort(t *testing.T) string {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		c, err := net.ListenPacket("udp", l.Addr().String())
		l.Close()
		if err == nil {
			c.Close()
			_, port, _ := net.SplitHostPort(l.Addr().String()) // it is one
			return port
		}
	}
	t.Fatal("there is no free port")
	return ""
}

// step is a command with what it is to print.
type step struct {
	command string
	want    []string
	line    int
}

// steps are those of a document.
func (r *reader) steps() (list []step) {
	text, err := os.ReadFile(filepath.Join(r.dir, "README.md"))
	if err != nil {
		r.t.Fatal(err)
	}
	inside := false
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		line = strings.TrimSuffix(line, "\n")
		command, prompt := strings.CutPrefix(line, "$ ")
		switch {
		case strings.HasPrefix(line, "```"):
			inside = line == "```console"
		case inside && prompt:
			list = append(list, step{command: command, line: number})
		case inside:
			list[len(list)-1].want = append(list[len(list)-1].want, line)
		}
	}
	return list
}

func (r *reader) run() {
	steps := r.steps()
	if len(steps) == 0 {
		r.t.Fatal("the document has no commands")
	}
	for _, s := range steps {
		if name, value, ok := strings.Cut(strings.TrimPrefix(s.command, "export "), "="); ok && strings.HasPrefix(s.command, "export ") {
			r.env = append(r.env, name+"="+strings.Trim(value, "'"))
			continue
		}
		if program, _, ok := strings.Cut(s.command, " "); ok {
			if _, err := exec.LookPath(program); err != nil && program == "ssh-keygen" {
				r.t.Logf("line %d is left out: %v", s.line, err)
				continue
			}
		}
		if command, ok := strings.CutSuffix(s.command, " &"); ok {
			r.serve(command)
			continue
		}
		cmd := exec.CommandContext(r.t.Context(), "sh", "-c", s.command)
		cmd.Dir, cmd.Env = r.dir, r.env
		out, err := cmd.CombinedOutput()
		if err != nil {
			r.t.Fatalf("line %d: %s: %v\n%s", s.line, s.command, err, out)
		}
		if pattern := expression(s.want); !pattern.Match(bytes.TrimRight(out, "\n")) {
			r.t.Fatalf("line %d: %s prints\n%s\nand not\n%s", s.line, s.command, out, strings.Join(s.want, "\n"))
		}
	}
}

// expression matches what a document says that a command prints.
func expression(want []string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`(?s)^`)
	for i, line := range want {
		if line == "…" {
			b.WriteString(`(?:.*\n?)?`)
			continue
		}
		parts := strings.Split(line, "…")
		for j := range parts {
			// Tables are as wide as what is in them.
			parts[j] = regexp.MustCompile(`\s+`).ReplaceAllString(regexp.QuoteMeta(parts[j]), `\s+`)
		}
		b.WriteString(strings.Join(parts, `[^\n]*`))
		if i < len(want)-1 {
			b.WriteString(`\n?`)
		}
	}
	b.WriteString(`$`)
	return regexp.MustCompile(b.String())
}

// serve starts a server, waits until it listens, and ends it with the test.
func (r *reader) serve(command string) {
	listen := ""
	for _, v := range r.env {
		if address, ok := strings.CutPrefix(v, "LISTEN="); ok {
			listen = address
		}
	}
	cmd := exec.Command("sh", "-c", "exec "+command+" --listen "+listen)
	cmd.Dir, cmd.Env = r.dir, r.env
	stderr, err := cmd.StderrPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	listening, log := make(chan struct{}), new(bytes.Buffer)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		said := false
		for scan := bufio.NewScanner(stderr); scan.Scan(); {
			fmt.Fprintln(log, scan.Text())
			if !said && strings.Contains(scan.Text(), "listening") {
				said = true
				close(listening)
			}
		}
		io.Copy(io.Discard, stderr)
	}()
	r.t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		<-ended
		if err := cmd.Wait(); err != nil {
			r.t.Errorf("%s: %v\n%s", command, err, log)
		}
	})
	select {
	case <-listening:
	case <-ended:
		r.t.Fatalf("%s has ended:\n%s", command, log)
	case <-time.After(time.Minute):
		r.t.Fatalf("%s does not listen", command)
	}
}
