package server

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"net"
	"sync"
	"time"

	"incidentd/netconf/auth"
	"incidentd/netconf/nacm"
	"incidentd/yang/data"
)

const (
	// rememberTime is how long a password that was right need not be hashed again.
	rememberTime = time.Minute
	// mostRemembered is of how many users that is kept.
	mostRemembered = 1024
)

// credentials check users who report events over HTTP. It is a listen.Credentials.
type credentials struct {
	server *Server
	auth   *auth.Authenticator
	secret [sha256.Size]byte

	mu     sync.Mutex
	system *data.Node // the configuration of the users whose passwords are remembered
	right  map[[sha256.Size]byte]time.Time
}

func newCredentials(s *Server) *credentials {
	c := &credentials{server: s, auth: auth.New(users{store: s.store.data}), right: map[[sha256.Size]byte]time.Time{}}
	rand.Read(c.secret[:])
	return c
}

// Permitted implements listen.Credentials.
func (c *credentials) Permitted(user, password string, from net.Addr) bool {
	ok := c.remembers(user, password)
	if !ok {
		if ok = c.auth.Password(user, password, from); ok {
			c.remember(user, password)
		}
	}
	if !ok {
		c.server.log.Warn("wrong user or password", "source", from.String())
		return false
	}
	report := c.server.store.data.Schema().RPC("incidentd-events", "report-events")
	return c.server.access.Explain(nacm.Query{User: user, Access: nacm.Exec, Operation: report}).Permit
}

// key stands for a user's password in memory.
func (c *credentials) key(user, password string) (k [sha256.Size]byte) {
	h := hmac.New(sha256.New, c.secret[:])
	h.Write([]byte(user))
	h.Write([]byte{0})
	h.Write([]byte(password))
	return [sha256.Size]byte(h.Sum(k[:0]))
}

// remembers reports whether the password was right a short while ago and nothing about
// users has changed.
func (c *credentials) remembers(user, password string) bool {
	k, system := c.key(user, password), c.server.store.data.Snapshot().Running.Child("system")
	c.mu.Lock()
	defer c.mu.Unlock()
	if system != c.system {
		clear(c.right)
		c.system = system
	}
	at, ok := c.right[k]
	return ok && time.Since(at) < rememberTime
}

func (c *credentials) remember(user, password string) {
	k := c.key(user, password)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.right) >= mostRemembered {
		clear(c.right)
	}
	c.right[k] = time.Now()
}
