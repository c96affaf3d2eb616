package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// password is that of the lab's administrator; nobody outside the namespace can reach
// the server.
const password = "lab-of-four-routers"

// story tells what happens in the network.
type story struct {
	*network
	bin    string
	server *exec.Cmd
	began  time.Time
}

// say prints a paragraph with the time since the beginning.
func (s *story) say(format string, args ...any) {
	fmt.Printf("\n[%5.1f s] %s\n", time.Since(s.began).Seconds(), fmt.Sprintf(format, args...))
}

// environment is what incctl needs to log in.
func (s *story) environment() string {
	return fmt.Sprintf("INCCTL_PASSWORD=%s INCCTL_SERVER=127.0.0.1:%d HOME=%s PATH=%s:$PATH", password, netconfPort, s.dir, s.bin)
}

// command is a program beside the server, with what incctl needs to log in.
func (s *story) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := s.manager.Command(ctx, filepath.Join(s.bin, name), args...)
	cmd.Env = append(os.Environ(), "HOME="+s.dir, "INCCTL_PASSWORD="+password, fmt.Sprintf("INCCTL_SERVER=127.0.0.1:%d", netconfPort))
	return cmd
}

// show runs incctl as an operator would: the command and what it prints are shown.
func (s *story) show(ctx context.Context, args ...string) (string, error) {
	fmt.Printf("\n    $ incctl")
	for _, a := range args {
		if strings.Contains(a, " ") {
			a = `"` + a + `"`
		}
		fmt.Print(" ", a)
	}
	fmt.Println()
	out, err := s.quiet(ctx, args...)
	for line := range strings.Lines(out) {
		fmt.Print("    ", line)
	}
	return out, err
}

// quiet runs incctl and shows nothing.
func (s *story) quiet(ctx context.Context, args ...string) (string, error) {
	cmd := s.command(ctx, "incctl", args...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("incctl %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

// serve makes the server's directory and starts it; it is ready when serve returns.
func (s *story) serve(ctx context.Context) error {
	data := filepath.Join(s.dir, "data")
	init := s.command(ctx, "incidentd", "init", "--data", data, "--password-stdin")
	init.Stdin = strings.NewReader(password + "\n")
	if out, err := init.CombinedOutput(); err != nil {
		return fmt.Errorf("incidentd init: %w: %s", err, out)
	}
	s.server = s.command(context.Background(), "incidentd", "serve", "--data", data, "--listen", fmt.Sprintf("127.0.0.1:%d", netconfPort))
	s.server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	log, err := os.Create(filepath.Join(s.dir, "incidentd.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	s.server.Stdout, s.server.Stderr = log, log
	if err := s.server.Start(); err != nil {
		return err
	}
	for range 100 {
		if _, err := s.quiet(ctx, "list"); err == nil {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return errors.New("incidentd serve does not answer")
}

// end stops the server.
func (s *story) end() {
	if s.server == nil {
		return
	}
	s.server.Process.Signal(syscall.SIGTERM)
	s.server.Wait()
}

// evidence prints what is needed to find out why the story went wrong.
func (s *story) evidence() {
	s.say("It went wrong. The end of the server's log, its sources and its incidents:")
	if f, err := os.Open(filepath.Join(s.dir, "incidentd.log")); err == nil {
		defer f.Close()
		var lines []string
		for scan := bufio.NewScanner(f); scan.Scan(); {
			lines = append(lines, scan.Text())
		}
		for _, line := range lines[max(0, len(lines)-20):] {
			fmt.Println("   ", line)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	s.show(ctx, "sources")
	s.show(ctx, "list", "--all")
	list, _ := s.incidents(ctx)
	for _, i := range list {
		s.show(ctx, "explain", i.ID)
	}
}

// configure writes a file and has incctl make it part of running.
func (s *story) configure(ctx context.Context, name string, content []byte, err error) error {
	if err != nil {
		return err
	}
	file := filepath.Join(s.dir, name)
	if err := os.WriteFile(file, content, 0o600); err != nil {
		return err
	}
	_, err = s.show(ctx, "edit", "--target", "running", file)
	return err
}

// incident is what the story looks at of one.
type incident struct {
	ID         string   `json:"incident-id"`
	Name       string   `json:"name"`
	Status     string   `json:"status"`
	Services   []string `json:"service-instance"`
	Ticket     bool     `json:"incidentd-incident:ticket"`
	Labels     []string `json:"incidentd-incident:label"`
	RootCauses struct {
		List []struct {
			Node     string `json:"node"`
			Resource []struct {
				Name string `json:"name"`
			} `json:"resource"`
		} `json:"root-cause"`
	} `json:"root-causes"`
}

// incidents are those of the server, cleared ones too.
func (s *story) incidents(ctx context.Context) ([]incident, error) {
	out, err := s.quiet(ctx, "get", "/ietf-incident:incidents", "--json")
	if err != nil {
		return nil, err
	}
	var reply struct {
		Incidents struct {
			List []incident `json:"incident"`
		} `json:"ietf-incident:incidents"`
	}
	if err := json.Unmarshal([]byte(out), &reply); err != nil {
		return nil, fmt.Errorf("%w in %s", err, out)
	}
	return reply.Incidents.List, nil
}

// await waits until the incidents are as they should be.
func (s *story) await(ctx context.Context, what string, limit time.Duration, fits func([]incident) bool) ([]incident, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var last []incident
	for {
		list, err := s.incidents(ctx)
		if err == nil {
			if fits(list) {
				return list, nil
			}
			last = list
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%s: not within %s; there are %+v (%v)", what, limit, last, err)
		case <-time.After(250 * time.Millisecond):
		}
	}
}
