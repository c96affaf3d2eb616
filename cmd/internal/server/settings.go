package server

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"incidentd/datastore"
	"incidentd/netconf"
	"incidentd/netconf/auth"
	"incidentd/netconf/transport"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// settings are the container server of incidentd-server, as Go has it.
type settings struct {
	transport   transport.Limits
	netconf     netconf.Limits
	authorities []auth.Authority
}

// decodeSettings reads them from a configuration that is valid. Authorities whose keys
// cannot be used, which gate refuses, are left out.
func decodeSettings(running *data.Node) *settings {
	top := running.Schema().ChildNamed("server")
	limits, ssh := running.Descend("server", "limits"), running.Descend("server", "ssh")
	l := section{top.ChildNamed("limits"), limits}
	keepalive := section{top.ChildNamed("ssh").ChildNamed("keepalive"), ssh.Child("keepalive")}
	s := &settings{
		transport: transport.Limits{
			LoginGrace:         l.seconds("login-time"),
			MaxUnauthenticated: l.number("unauthenticated"),
			MaxPerSource:       l.number("unauthenticated-per-source"),
			MaxSessions:        l.number("sessions"),
			MaxPerUser:         l.number("sessions-per-user"),
			MaxAuthTries:       l.number("login-attempts"),
			KeepAlive:          keepalive.seconds("interval"),
			KeepAliveCount:     keepalive.number("count"),
			RekeyBytes:         uint64(section{top.ChildNamed("ssh"), ssh}.number("rekey-bytes")),
		},
		netconf: netconf.Limits{
			Hello:   l.seconds("hello-time"),
			Stall:   l.seconds("stall-time"),
			Queue:   l.number("rpc-queue"),
			Message: l.number("message-size"),
			Depth:   l.number("depth"),
			Memory:  l.number("message-memory"),
		},
	}
	if keepalive.text("enabled") == "false" {
		s.transport.KeepAlive = -1
	}
	for entry := range ssh.Entries("trusted-authority") {
		key, err := publicKey(entry)
		if err != nil {
			continue
		}
		a := auth.Authority{Key: key, RevokedKeyIDs: entry.Values("revoked-key-id"), RevokedFingerprints: entry.Values("revoked-fingerprint")}
		for _, text := range entry.Values("revoked-serial") {
			if serial, err := strconv.ParseUint(text, 10, 64); err == nil {
				a.RevokedSerials = append(a.RevokedSerials, serial)
			}
		}
		s.authorities = append(s.authorities, a)
	}
	return s
}

// section is a container, which may be missing, with the defaults of its schema.
type section struct {
	schema *yang.Node
	node   *data.Node
}

func (s section) text(leaf string) string {
	if v := s.node.Leaf(leaf); v != "" {
		return v
	}
	return s.schema.ChildNamed(leaf).Defaults[0]
}

func (s section) number(leaf string) int {
	n, err := strconv.Atoi(s.text(leaf))
	if err != nil {
		panic(fmt.Sprintf("server: %s of a valid configuration: %v", leaf, err)) // a range in the schema
	}
	return n
}

func (s section) seconds(leaf string) time.Duration {
	return time.Duration(s.number(leaf)) * time.Second
}

// gate keeps what decides about connections as the configuration says: it is the
// participant that takes over incidentd-server, and refuses keys that nobody could
// ever log in with.
type gate struct {
	current atomic.Pointer[settings]
	netconf *netconf.Server
	ssh     *transport.Server
}

// newGate takes over the configuration as it is.
func newGate(store *datastore.Store) *gate {
	g := new(gate)
	g.current.Store(decodeSettings(store.Snapshot().Running))
	return g
}

// Prepare implements datastore.Participant.
func (g *gate) Prepare(tx *datastore.Tx) error {
	old, new := tx.Base().Running, tx.Running()
	var errs rpcerr.Errors
	root := &data.Loc{Node: new}
	check := func(at *data.Loc, old *data.Node) {
		for k := range at.Node.Entries("authorized-key") {
			errs = append(errs, keyFault(at.Down(k), old.Entry(k.Schema(), k.Key()))...)
		}
	}
	if a, b := old.Descend("system", "authentication"), new.Descend("system", "authentication"); a != b && b != nil {
		at := root.Down(new.Child("system")).Down(b)
		for u := range b.Entries("user") {
			if was := a.Entry(u.Schema(), u.Key()); was != u {
				check(at.Down(u), was)
			}
		}
	}
	for u := range old.Descend("system", "authentication").Entries("user") {
		if new.Descend("system", "authentication").Entry(u.Schema(), u.Key()) == nil {
			tx.OnCommit(func(*datastore.Snapshot) { g.netconf.EndAll(u.Key(), "the user was removed") })
		}
	}
	if a, b := old.Descend("server", "ssh"), new.Descend("server", "ssh"); a != b && b != nil {
		at := root.Down(new.Child("server")).Down(b)
		for c := range b.Entries("trusted-authority") {
			errs = append(errs, keyFault(at.Down(c), a.Entry(c.Schema(), c.Key()))...)
		}
	}
	if err := errs.Err(); err != nil {
		return err
	}
	if old.Child("server") != new.Child("server") {
		tx.OnCommit(func(snap *datastore.Snapshot) { g.apply(decodeSettings(snap.Running)) })
	}
	return nil
}

// Commit implements datastore.Participant.
func (g *gate) Commit(*datastore.Snapshot) {}

// Abort implements datastore.Participant.
func (g *gate) Abort() {}

// apply lets settings hold for all who come.
func (g *gate) apply(s *settings) {
	g.current.Store(s)
	g.netconf.SetLimits(s.netconf)
	g.ssh.SetLimits(s.transport)
}

// keyFault is what is wrong with a public key in the configuration, as an entry with
// algorithm and key-data, unless it was there before.
func keyFault(at *data.Loc, was *data.Node) rpcerr.Errors {
	entry := at.Node
	if entry == was || was != nil && was.Leaf("key-data") == entry.Leaf("key-data") && was.Leaf("algorithm") == entry.Leaf("algorithm") {
		return nil
	}
	if _, err := publicKey(entry); err != nil {
		leaf := entry.Child("key-data")
		return rpcerr.Errors{rpcerr.InvalidValue("%v", err).At(at.Down(leaf).Path()).WithInfo("", "bad-element", "key-data")}
	}
	return nil
}

// publicKey reads an entry with algorithm and key-data.
func publicKey(entry *data.Node) (ssh.PublicKey, error) {
	raw, err := base64.StdEncoding.DecodeString(entry.Leaf("key-data"))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", auth.ErrKey, err)
	}
	return auth.ParseKey(entry.Leaf("algorithm"), raw)
}

// provideStatistics provides the statistics of incidentd-server.
func (s *Server) provideStatistics() error {
	top := s.store.data.Schema().Root.ChildNamed("server")
	if top == nil {
		return errors.New("the schema does not implement incidentd-server")
	}
	started := time.Now()
	s.store.data.Provide(top, func(*datastore.Snapshot) *data.Node {
		st, messages := s.ssh.Stats(), s.netconf.Stats()
		b := data.Build(top)
		s.monitor.State(b.Container("monitoring"))
		b.Container("statistics").Time("started", started).
			Uint("unauthenticated", uint64(st.Unauthenticated)).Uint("connections", uint64(st.Connections)).Uint("sessions", uint64(st.Sessions)).
			Uint("accepted", st.Accepted).Uint("unauthenticated-refused", st.RefusedUnauthenticated).
			Uint("logins", st.Logins).Uint("logins-failed", st.FailedLogins).
			Uint("passwords-failed", st.WrongPasswords).Uint("logins-throttled", st.Throttled).
			Uint("sessions-refused", st.RefusedSessions).Uint("keepalive-timeouts", st.DeadPeers).
			Uint("message-memory", messages.Memory).Uint("messages-refused", messages.Refused)
		return b.Node()
	})
	return nil
}
