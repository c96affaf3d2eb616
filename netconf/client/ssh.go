package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// Dial connects to a server over SSH, logs in and exchanges hellos. addr is a
// host and a port. ctx ends the wait for that; afterwards the connection does not
// depend on it.
func Dial(ctx context.Context, addr string, cfg Config) (*Client, error) {
	cfg = cfg.withDefaults()
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("netconf: %w", err)
	}
	return NewSSH(ctx, conn, addr, cfg)
}

// NewSSH is Dial over a connection that is there already. It takes conn over.
// addr is the server's name for HostKey.
func NewSSH(ctx context.Context, conn net.Conn, addr string, cfg Config) (*Client, error) {
	cfg = cfg.withDefaults()
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	ch, err := openChannel(conn, addr, cfg)
	if !stop() {
		err = context.Cause(ctx)
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("netconf: ssh %s: %w", addr, err)
	}
	return New(ctx, ch, cfg)
}

// openChannel logs in and starts the subsystem.
func openChannel(conn net.Conn, addr string, cfg Config) (*channel, error) {
	if cfg.HostKey == nil {
		return nil, fmt.Errorf("%w: no way to check it is configured", ErrHostKey)
	}
	var auth []ssh.AuthMethod
	if len(cfg.Signers) > 0 {
		auth = append(auth, ssh.PublicKeys(cfg.Signers...))
	}
	if cfg.Password != "" {
		auth = append(auth, ssh.Password(cfg.Password), ssh.KeyboardInteractive(answerPassword(cfg.Password)))
	}
	algorithms := cfg.HostKeyAlgorithms
	if len(algorithms) == 0 {
		algorithms = hostKeyAlgorithms
	}
	var refused error // the SSH package keeps its text only
	c, chans, reqs, err := ssh.NewClientConn(conn, addr, &ssh.ClientConfig{
		User:              cfg.User,
		Auth:              auth,
		HostKeyAlgorithms: algorithms,
		ClientVersion:     "SSH-2.0-incidentd",
		HostKeyCallback: func(host string, remote net.Addr, key ssh.PublicKey) error {
			if err := cfg.HostKey(host, remote, key); err != nil {
				refused = fmt.Errorf("%w: %w", ErrHostKey, err)
			}
			return refused
		},
	})
	if err != nil {
		if refused != nil {
			return nil, refused
		}
		return nil, err
	}
	ch := &channel{conn: c}
	ch.parts.Go(func() { ssh.DiscardRequests(reqs) })
	ch.parts.Go(func() {
		for n := range chans {
			n.Reject(ssh.Prohibited, "this is a client")
		}
	})
	sc, chReqs, err := c.OpenChannel("session", nil)
	if err != nil {
		ch.Close()
		return nil, err
	}
	ch.Channel = sc
	ch.parts.Go(func() { ssh.DiscardRequests(chReqs) })
	ok, err := sc.SendRequest("subsystem", true, ssh.Marshal(struct{ Name string }{"netconf"}))
	if err != nil || !ok {
		ch.Close()
		return nil, errors.Join(ErrNoSubsystem, err)
	}
	return ch, nil
}

// answerPassword answers every hidden question with the password, for servers
// that ask for it that way.
func answerPassword(password string) ssh.KeyboardInteractiveChallenge {
	return func(_, _ string, questions []string, echos []bool) ([]string, error) {
		answers := make([]string, len(questions))
		for i := range questions {
			if !echos[i] {
				answers[i] = password
			}
		}
		return answers, nil
	}
}

// hostKeyAlgorithms are those that are safe, the best first.
var hostKeyAlgorithms = []string{
	ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
	ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256,
}

// channel is the subsystem's channel; closing it closes the connection.
type channel struct {
	ssh.Channel
	conn  ssh.Conn
	parts sync.WaitGroup // what runs in the connection
	once  sync.Once
	err   error
}

// closeWait is how long a channel's orderly end may take.
const closeWait = time.Second

func (c *channel) Close() error {
	c.once.Do(func() {
		if c.Channel != nil {
			// Orderly if the server takes part, so that what was written arrives.
			stop := time.AfterFunc(closeWait, func() { c.conn.Close() })
			c.Channel.Close()
			stop.Stop()
		}
		c.err = c.conn.Close()
		c.parts.Wait()
	})
	return c.err
}
