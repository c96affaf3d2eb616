package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"

	"incidentd/cmd/internal/load"
)

// incidentd is our server.
type incidentd struct {
	bin, dir, key string
	signer        ssh.Signer
	address       string
	process       *exec.Cmd
}

func (*incidentd) name() string { return "incidentd" }

func (p *incidentd) start(ctx context.Context, _ variant, again bool) error {
	data := filepath.Join(p.dir, "data")
	if !again {
		if err := os.RemoveAll(data); err != nil {
			return err
		}
		if err := os.MkdirAll(p.dir, 0o700); err != nil {
			return err
		}
		if text, err := exec.CommandContext(ctx, p.bin, "init", "--data", data, "--authorized-key", p.key).CombinedOutput(); err != nil {
			return fmt.Errorf("%s init: %w: %s", p.bin, err, text)
		}
		address, err := freeAddress()
		if err != nil {
			return err
		}
		p.address = address
	}
	p.process = exec.Command(p.bin, "serve", "--data", data, "--listen", p.address, "--log-level", "error")
	if err := launch(p.process, filepath.Join(p.dir, "log")); err != nil {
		return err
	}
	if err := await(ctx, p.server(), filepath.Join(p.dir, "log")); err != nil {
		p.stop()
		return err
	}
	if again {
		return nil
	}
	// One user makes all the sessions.
	return load.NewBench(p.server()).Configure(ctx, `<server xmlns="urn:incidentd:yang:server"><limits><sessions>4000</sessions><sessions-per-user>4000</sessions-per-user></limits></server>`)
}

func (p *incidentd) server() *load.Server { return serverAt(p.address, "admin", p.signer) }

func (p *incidentd) processes() load.Processes { return load.Processes{p.process.Process.Pid} }

func (p *incidentd) pid() int { return p.process.Process.Pid }

func (p *incidentd) stop() { end(p.process) }

func serverAt(address, user string, signer ssh.Signer) *load.Server {
	s := &load.Server{Address: address, Timeout: 4 * time.Minute}
	s.SSH.User, s.SSH.Auth, s.SSH.HostKeyCallback = user, []ssh.AuthMethod{ssh.PublicKeys(signer)}, ssh.InsecureIgnoreHostKey()
	return s
}

func freeAddress() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer ln.Close()
	return ln.Addr().String(), nil
}

// launch starts a process that dies with us, and writes what it says into a file.
func launch(c *exec.Cmd, log string) error {
	f, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	c.Stdout, c.Stderr = f, f
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return c.Start()
}

// end ends a process and waits for it: asked first, killed if it does not.
func end(c *exec.Cmd) {
	if c == nil || c.ProcessState != nil {
		return
	}
	c.Process.Signal(syscall.SIGTERM)
	late := time.AfterFunc(8*time.Second, func() { c.Process.Kill() })
	c.Wait()
	late.Stop()
}

// await waits until a server takes sessions.
func await(ctx context.Context, s *load.Server, log string) error {
	quick := *s
	quick.Timeout = 5 * time.Second
	var err error
	for begin := time.Now(); time.Since(begin) < 30*time.Second; time.Sleep(20 * time.Millisecond) {
		ss, failed := quick.Dial(ctx)
		if err = failed; err == nil {
			return ss.End()
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	text, _ := os.ReadFile(log)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	progress("the log of a server that does not take sessions ends with\n%s", strings.Join(lines[max(0, len(lines)-10):], "\n"))
	return fmt.Errorf("it does not take sessions: %w", err)
}
