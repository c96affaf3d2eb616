package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"incidentd/cmd/internal/load"
)

// netconfd is Debian's server, behind OpenSSH's.
type netconfd struct {
	dir, key                string
	signer                  ssh.Signer
	daemon, sshd, subsystem string // programs
	user, address           string
	process, front          *exec.Cmd
}

// findNetconfd looks for what it needs; missing says what is not there.
func findNetconfd(dir, key string, signer ssh.Signer) (p peer, missing string) {
	n := &netconfd{dir: dir, key: key, signer: signer}
	for name, to := range map[string]*string{"netconfd": &n.daemon, "sshd": &n.sshd, "netconf-subsystem": &n.subsystem} {
		if *to = find(name); *to == "" {
			return nil, "there is no " + name
		}
	}
	me, err := user.Current()
	if err != nil {
		return nil, err.Error()
	}
	n.user = me.Username
	return n, ""
}

// find looks where Debian installs servers too.
func find(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		if absolute, err := filepath.Abs(path); err == nil { // sshd insists
			return absolute
		}
	}
	if path := "/usr/sbin/" + name; isFile(path) {
		return path
	}
	return ""
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func (*netconfd) name() string { return "netconfd" }

const emptyConfig = `<?xml version="1.0"?><config xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"/>`

func (p *netconfd) start(ctx context.Context, v variant, again bool) error {
	startup, socket := filepath.Join(p.dir, "startup-cfg.xml"), filepath.Join(p.dir, "socket")
	if !again {
		if err := os.RemoveAll(p.dir); err != nil {
			return err
		}
		if err := os.MkdirAll(p.dir, 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(startup, []byte(emptyConfig), 0o600); err != nil {
			return err
		}
		address, err := freeAddress()
		if err != nil {
			return err
		}
		p.address = address
	}
	_, port, err := net.SplitHostPort(p.address)
	if err != nil {
		return err
	}
	os.Remove(socket) // of one that was killed
	target := "running"
	if v == candidate {
		target = "candidate"
	}
	p.process = exec.Command(p.daemon, "--ncxserver-sockname="+socket, "--port="+port, "--superuser="+p.user, "--target="+target,
		"--module=ietf-network", "--module=ietf-network-topology", "--startup="+startup, "--max-sessions=1024",
		"--log="+filepath.Join(p.dir, "netconfd.log"), "--log-level=error")
	p.process.Env = append(os.Environ(), "HOME="+p.dir)
	log := filepath.Join(p.dir, "log")
	if err := launch(p.process, log); err != nil {
		return err
	}
	if !again {
		if err := p.startSSH(port, socket, log); err != nil {
			p.stop()
			return err
		}
	}
	if err := await(ctx, p.server(), filepath.Join(p.dir, "netconfd.log")); err != nil {
		p.stop()
		return err
	}
	return nil
}

// startSSH starts OpenSSH's server in front.
func (p *netconfd) startSSH(port, socket, log string) error {
	hostKey := filepath.Join(p.dir, "host_key")
	if _, _, err := makeKey(hostKey); err != nil {
		return err
	}
	if os.Getuid() == 0 {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil { // as its unit does; sshd insists
			return err
		}
	}
	config := filepath.Join(p.dir, "sshd_config")
	text := strings.Join([]string{
		"Port " + port, "ListenAddress 127.0.0.1", "HostKey " + hostKey, "PidFile none",
		"AuthorizedKeysFile " + p.key, "StrictModes no", "UsePAM no", "PermitRootLogin yes", "MaxStartups 100", "MaxSessions 100",
		"SetEnv HOME=" + p.dir, // the shell that starts the subsystem reads no files of the user
		fmt.Sprintf("Subsystem netconf \"%s --ncxserver-sockname=%s@%s\"", p.subsystem, port, socket), "",
	}, "\n")
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return err
	}
	p.front = exec.Command(p.sshd, "-D", "-e", "-f", config)
	return launch(p.front, log)
}

func (p *netconfd) server() *load.Server { return serverAt(p.address, p.user, p.signer) }

func (p *netconfd) processes() load.Processes {
	return load.Processes{p.process.Process.Pid, p.front.Process.Pid}
}

func (p *netconfd) pid() int { return p.process.Process.Pid }

func (p *netconfd) stop() {
	end(p.process)
	end(p.front)
	time.Sleep(100 * time.Millisecond) // the SSH server's children see that it is gone
}
