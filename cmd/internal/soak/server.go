package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"

	"incidentd/netconf/client"
)

// startTime is how long a server may take to listen.
const startTime = time.Minute

// server is the process that is under load.
type server struct {
	bin, data, log string
	addr, monitor  string
	password       string
	turns          atomic.Int64 // odd while there is no process that listens
	mu             sync.Mutex
	cmd            *exec.Cmd
}

// initialise makes a data directory and starts a server on it.
func (s *soak) initialise(ctx context.Context) (*server, error) {
	p := &server{bin: filepath.Join(s.bin, "incidentd"), data: filepath.Join(s.dir, "data"), log: filepath.Join(s.dir, "log"), password: s.password}
	var err error
	if p.addr, err = freeAddress(); err == nil {
		p.monitor, err = freeAddress()
	}
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, p.bin, "init", "--data", p.data, "--password-stdin")
	cmd.Stdin = bytes.NewBufferString(s.password + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s init: %w, %s (make build makes the binaries)", p.bin, err, out)
	}
	p.turns.Store(1)
	return p, p.start(ctx)
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// start starts the process and waits until it listens.
func (p *server) start(ctx context.Context) error {
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(p.bin, "serve", "--data", p.data, "--listen", p.addr, "--log-json", "--log-level", "warn")
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		return err
	}
	p.mu.Lock()
	p.cmd = cmd
	p.mu.Unlock()
	for end := time.Now().Add(startTime); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", p.addr); err == nil {
			p.turns.Add(1)
			return c.Close()
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return fmt.Errorf("it does not listen on %s after %s", p.addr, startTime)
}

// kill ends the process at once.
func (p *server) kill() {
	p.turns.Add(1)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		p.cmd.Process.Kill()
		p.cmd.Wait()
		p.cmd = nil
	}
}

// end asks the process to end, and reports how it did.
func (p *server) end() error {
	p.turns.Add(1)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	err := p.cmd.Wait()
	p.cmd = nil
	return err
}

// faults are the lines of the log that tell of an error.
func (p *server) faults() (all []string, _ error) {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return nil, err
	}
	for line := range bytes.Lines(text) {
		var l struct{ Level, Msg string }
		if json.Unmarshal(line, &l) != nil || l.Level == "ERROR" {
			all = append(all, string(bytes.TrimSpace(line)))
		}
	}
	return all, nil
}

// dial opens a session.
func (p *server) dial(ctx context.Context) (*client.Client, error) {
	return client.Dial(ctx, p.addr, client.Config{User: "admin", Password: p.password,
		// Nobody else can listen there: the directory's lock is with this process.
		HostKey: ssh.InsecureIgnoreHostKey(), Timeout: startTime})
}

// errLost is the end of a session by a kill.
var errLost = errors.New("the session is lost")

// forever works in one session after the other until ctx is done. A session may end only
// because the server was killed; any other error is a finding.
func (s *soak) forever(ctx context.Context, name string, work func(context.Context, *client.Client) error) {
	for ctx.Err() == nil {
		before := s.server.turns.Load()
		if before%2 == 1 {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		c, err := s.server.dial(ctx)
		if err == nil {
			err = work(ctx, c)
			c.Close()
		}
		if err != nil && ctx.Err() == nil && s.server.turns.Load() == before {
			// The kill may be under way.
			time.Sleep(100 * time.Millisecond)
			if s.server.turns.Load() == before {
				s.found("%s: %v", name, err)
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// port is that of an address.
func port(addr string) int {
	_, text, _ := net.SplitHostPort(addr)
	n, _ := strconv.Atoi(text) // it was one
	return n
}
