package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/term"

	"incidentd/netconf/client"
)

// connection is how to reach the server.
type connection struct {
	Server       string        `help:"Where the server listens, by default 127.0.0.1:1830." default:"127.0.0.1:1830" env:"INCCTL_SERVER" placeholder:"HOST:PORT"`
	User         string        `help:"Who logs in, by default admin." default:"admin" env:"INCCTL_USER" placeholder:"NAME"`
	PasswordFile string        `help:"A file that holds the password; else INCCTL_PASSWORD, else it is asked for." placeholder:"FILE"`
	Key          string        `help:"The private key; else ~/.ssh/id_ed25519 and the SSH agent." placeholder:"FILE"`
	KnownHosts   string        `help:"The keys of the servers known; one met first is believed and added; by default ~/.config/incctl/known_hosts." default:"~/.config/incctl/known_hosts" placeholder:"FILE"`
	Timeout      time.Duration `help:"How long to wait for the connection, and for each answer." default:"30s"`

	// answer is the password that was asked for, so that it is asked once only.
	answer string
}

// Errors that trying again does not cure.
var (
	errLogin   = errors.New("login failed")
	errHostKey = errors.New("the server's key is not to be trusted")
)

// dial connects and logs in. It asks for a password only when nothing else opens the
// door and there is somebody to ask.
func (c *connection) dial(ctx context.Context, a *app) (*session, error) {
	addr := c.Server
	if _, _, err := net.SplitHostPort(addr); err != nil {
		addr = net.JoinHostPort(strings.Trim(addr, "[]"), "1830")
	}
	path, err := expand(c.KnownHosts)
	if err != nil {
		return nil, err
	}
	hosts, err := client.OpenKnownHosts(path, true)
	if err != nil {
		return nil, err
	}
	password, err := c.password()
	if err != nil {
		return nil, err
	}
	signers, agentConn, err := c.signers()
	if err != nil {
		return nil, err
	}
	if agentConn != nil {
		defer agentConn.Close()
	}
	cfg := client.Config{
		User: c.User, Password: password, Signers: signers, Timeout: c.Timeout,
		HostKeyAlgorithms: hosts.Algorithms(addr),
		HostKey: func(host string, remote net.Addr, key ssh.PublicKey) error {
			first := len(hosts.Algorithms(host)) == 0
			if err := hosts.Check(host, remote, key); err != nil {
				return err
			}
			if first {
				fmt.Fprintf(a.stderr, "incctl: %s is new; its key %s is trusted from now on (%s)\n", host, ssh.FingerprintSHA256(key), path)
			}
			return nil
		},
	}
	if password == "" {
		cfg.Password = c.answer
	}
	if cfg.Password == "" && len(signers) == 0 {
		if cfg.Password, err = c.ask(a); err != nil {
			return nil, err
		}
	}
	s, err := open(ctx, addr, cfg)
	if errors.Is(err, errLogin) && cfg.Password == "" {
		var asked error
		if cfg.Password, asked = c.ask(a); asked != nil {
			return nil, errors.Join(err, asked)
		}
		s, err = open(ctx, addr, cfg)
	}
	if err != nil {
		return nil, c.advise(addr, err)
	}
	if password == "" {
		c.answer = cfg.Password
	}
	return s, nil
}

// open connects once.
func open(ctx context.Context, addr string, cfg client.Config) (*session, error) {
	began := time.Now()
	var hostKey ssh.PublicKey
	trusted := cfg.HostKey
	cfg.HostKey = func(host string, remote net.Addr, key ssh.PublicKey) error {
		hostKey = key
		return trusted(host, remote, key)
	}
	cl, err := client.Dial(ctx, addr, cfg)
	switch {
	case err == nil:
		return &session{c: cl, timeout: cfg.Timeout, opened: began, server: addr, hostKey: hostKey}, nil
	case errors.Is(err, client.ErrHostKey):
		return nil, fmt.Errorf("%w: %w", errHostKey, err)
	// The SSH package has no error value for it.
	case strings.Contains(err.Error(), "unable to authenticate"):
		return nil, fmt.Errorf("%w: the server at %s does not accept what %s has to offer", errLogin, addr, cfg.User)
	}
	return nil, err
}

// advise says what to do about an error of connecting.
func (c *connection) advise(addr string, err error) error {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nothing listens at %s; is incidentd running there? --server or INCCTL_SERVER name another place (%w)", addr, err)
	case errors.Is(err, errLogin):
		return fmt.Errorf("%w (--user %s; --key, --password-file or INCCTL_PASSWORD give other means)", err, c.User)
	case errors.Is(err, client.ErrNoSubsystem):
		return fmt.Errorf("%s speaks SSH but not NETCONF; is it the right port? (%w)", addr, err)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s does not answer within %s: %w", addr, c.Timeout, err)
	}
	return err
}

// password returns that of the file or the environment; empty if there is none.
func (c *connection) password() (string, error) {
	if c.PasswordFile == "" {
		return os.Getenv("INCCTL_PASSWORD"), nil
	}
	path, err := expand(c.PasswordFile)
	if err != nil {
		return "", err
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	password, _, _ := strings.Cut(string(b), "\n")
	if password = strings.TrimSuffix(password, "\r"); password == "" {
		return "", fmt.Errorf("%s: its first line is no password but empty", path)
	}
	return password, nil
}

// ask asks on the terminal for the password.
func (c *connection) ask(a *app) (string, error) {
	in, ok := a.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return "", errors.New("there is no key, no password and nobody to ask: give --key, --password-file or INCCTL_PASSWORD")
	}
	fmt.Fprintf(a.stderr, "Password of %s at %s: ", c.User, c.Server)
	b, err := term.ReadPassword(int(in.Fd()))
	fmt.Fprintln(a.stderr)
	return string(b), err
}

// signers returns the private keys: the one that is named, else the usual one and those
// of the agent, whose connection the caller closes once logged in.
func (c *connection) signers() ([]ssh.Signer, net.Conn, error) {
	if c.Key != "" {
		s, err := readKey(c.Key)
		if err != nil {
			return nil, nil, err
		}
		return []ssh.Signer{s}, nil, nil
	}
	var list []ssh.Signer
	// The usual key is a convenience: one that is missing or locked is passed over.
	if s, err := readKey("~/.ssh/id_ed25519"); err == nil {
		list = append(list, s)
	}
	sock := os.Getenv("SSH_AUTH_SOCK")
	if sock == "" {
		return list, nil, nil
	}
	conn, err := net.Dial("unix", sock)
	if err != nil {
		return list, nil, nil // an agent that has gone is no agent
	}
	held, err := agent.NewClient(conn).Signers()
	if err != nil {
		conn.Close()
		return list, nil, nil
	}
	return append(list, held...), conn, nil
}

func readKey(file string) (ssh.Signer, error) {
	path, err := expand(file)
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s, err := ssh.ParsePrivateKey(b)
	var locked *ssh.PassphraseMissingError
	if errors.As(err, &locked) {
		return nil, fmt.Errorf("%s has a passphrase; add it to the SSH agent with ssh-add", path)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// expand replaces a leading ~ by the home directory.
func expand(path string) (string, error) {
	rest, ok := strings.CutPrefix(path, "~/")
	if !ok {
		return path, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, rest), nil
}
