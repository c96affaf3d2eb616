package netconf

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"incidentd/datastore"
	"incidentd/netconf/nacm"
	"incidentd/netconf/transport"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// Limits of every session; zero values mean the defaults.
type Limits struct {
	// Hello is how long the client may take for its hello; 30 seconds by default.
	Hello time.Duration
	// Stall is how long a write of at most 64 KiB may take before the connection
	// is aborted; 60 seconds by default.
	Stall time.Duration
	// Queue is how many RPCs of a session may wait; 16 by default.
	Queue int
	// Message is the longest message in bytes, and bounds those that wait as
	// well; transport.DefaultMaxMessage by default.
	Message int
	// Depth is how deep elements may be nested; 256 by default.
	Depth int
	// Memory is how many bytes all sessions together may have of messages that are half
	// read, wait or are answered, beyond the first 64 KiB of each session; 512 MiB by
	// default. It holds for sessions that have begun too.
	Memory int
}

func (l Limits) withDefaults() Limits {
	l.Hello = cmp.Or(l.Hello, 30*time.Second)
	l.Stall = cmp.Or(l.Stall, time.Minute)
	l.Queue = cmp.Or(l.Queue, 16)
	l.Message = cmp.Or(l.Message, transport.DefaultMaxMessage)
	l.Depth = cmp.Or(l.Depth, 256)
	l.Memory = cmp.Or(l.Memory, 512<<20)
	return l
}

// Config is what a Server needs: the Store; the rest has defaults.
type Config struct {
	// Store has the datastores, whose schema says which RPCs there are, and the
	// locks, which a session gives back when it ends.
	Store *datastore.Store
	// Limits of every session.
	Limits Limits
	// Access returns what a user may do at this moment; nil permits everything.
	// groups are those that the transport has found out.
	Access func(user string, groups []string) *nacm.Access
	// Audit, when not nil, is told what sessions do.
	Audit Audit
	// Measure, when not nil, is told how long each rpc and action took, from when it was
	// read until its reply was sent, and whether that was an error.
	Measure func(rpc *yang.Node, took time.Duration, failed bool)
	// Log gets the begin and the end of sessions, and what goes wrong. The default
	// discards it.
	Log *slog.Logger
}

// Audit records what sessions do. It must not keep a Request.
type Audit interface {
	// Stores adds the record of an rpc to the transaction that stores its changes, so
	// that one is not on disk without the other, and reports whether it did. It is
	// called when all else of the transaction is done; an error refuses it.
	Stores(tx *datastore.Tx, r *Record) (bool, error)
	// RPC is told each rpc that is not recorded with its changes: after its handler has
	// returned, or when it cannot be read, and before its reply is sent.
	RPC(r *Record)
	// Ended is told each session that exchanged hellos and has ended, and why.
	Ended(s *Session, why string)
}

// Conn is what a session runs over; *transport.Conn is one. Close ends a Read and,
// in the end, a Write that is blocked; Abort does so at once. One that has a method
// Groups() []string tells the groups of its user, for access control; one that has a method
// Expires() time.Time, which is not zero, tells when its session is to end.
type Conn interface {
	io.ReadWriteCloser
	User() string
	RemoteAddr() net.Addr
	Abort()
}

// Server runs sessions. All methods may be called concurrently, but Handle only
// before the first Serve.
type Server struct {
	store     *datastore.Store
	schema    *yang.Schema
	limits    atomic.Pointer[Limits] // of sessions to come
	memory    memory
	log       *slog.Logger
	access    func(string, []string) *nacm.Access
	audit     Audit
	measure   func(*yang.Node, time.Duration, bool)
	handlers  map[*yang.Node]Handler
	observers []Observer
	offered   []string
	contentID string
	offers    func() []string
	begun     time.Time

	stop chan struct{} // closed by Stop: sessions end after the RPC under way

	mu       sync.Mutex
	stopping bool
	sessions map[uint32]*Session // all of them, those before their hello too
	last     uint32              // session-id
	idle     chan struct{}       // closed when stopping and there are no more sessions

	inSessions, badHellos, dropped atomic.Uint32
	counters                       counters
}

// New makes a server without handlers.
func New(c Config) (*Server, error) {
	if c.Store == nil {
		return nil, errors.New("netconf: no store")
	}
	s := &Server{
		store: c.Store, schema: c.Store.Schema(), log: c.Log, access: c.Access, audit: c.Audit, measure: c.Measure, begun: time.Now(),
		handlers: map[*yang.Node]Handler{}, sessions: map[uint32]*Session{}, stop: make(chan struct{}), idle: make(chan struct{}),
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.SetLimits(c.Limits)
	s.contentID = contentID(s.schema)
	s.offers = sync.OnceValue(func() []string { return s.capabilities() })
	return s, nil
}

// SetLimits replaces the limits of the sessions that begin from now on, and Limits.Memory
// of all.
func (s *Server) SetLimits(l Limits) {
	l = l.withDefaults()
	s.limits.Store(&l)
	s.memory.max.Store(int64(l.Memory))
}

// Handle registers the handler of an rpc of the schema. It fails for an rpc that
// the schema does not have, and for a second handler.
func (s *Server) Handle(module, rpc string, h Handler) error {
	n := s.schema.RPC(module, rpc)
	if n == nil {
		return fmt.Errorf("netconf: the schema has no rpc %s:%s", module, rpc)
	}
	if s.handlers[n] != nil {
		return fmt.Errorf("netconf: %s has a handler already", n)
	}
	s.handlers[n] = h
	return nil
}

// Observe adds an observer of the sessions that begin later. It is to be called before
// the first Serve.
func (s *Server) Observe(o Observer) { s.observers = append(s.observers, o) }

// Offer adds a capability to the hello: one that is not told by the schema and the
// handlers alone. It is to be called before the first Serve.
func (s *Server) Offer(capability string) { s.offered = append(s.offered, capability) }

// Unhandled are the rpcs of the schema that have no handler, and so are answered
// with operation-not-supported.
func (s *Server) Unhandled() []*yang.Node {
	var list []*yang.Node
	for n := range s.schema.RPCs() {
		if s.handlers[n] == nil {
			list = append(list, n)
		}
	}
	return list
}

// Store is the store that the server was made with.
func (s *Server) Store() *datastore.Store { return s.store }

// Log is for what concerns no session alone.
func (s *Server) Log() *slog.Logger { return s.log }

// Capabilities are those of the server's hello. They must not be changed.
func (s *Server) Capabilities() []string { return s.offers() }

// ContentID is that of the YANG library [RFC 8525 section 3]: it stands for the
// modules of the schema and their features.
func (s *Server) ContentID() string { return s.contentID }

// Serve runs a session and returns when it has ended and all that it started. It
// closes conn. When ctx is done the session ends after the RPC under way.
func (s *Server) Serve(ctx context.Context, conn Conn) {
	sess := s.open(conn)
	if sess == nil {
		conn.Close()
		return
	}
	defer s.forget(sess)
	sess.run(ctx)
}

// open takes a session-id; nil when the server stops.
func (s *Server) open(conn Conn) *Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return nil
	}
	for s.last++; s.last == 0 || s.sessions[s.last] != nil; s.last++ {
	}
	sess := newSession(s, s.last, conn)
	s.sessions[s.last] = sess
	return sess
}

func (s *Server) forget(sess *Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, sess.id)
	if s.stopping && len(s.sessions) == 0 {
		close(s.idle)
	}
}

// Stop ends all sessions, each after the RPC that it is answering, and admits no
// more. When ctx is done before, it aborts those that are left, waits for them and
// returns the cause.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	if !s.stopping {
		s.stopping = true
		close(s.stop)
		if len(s.sessions) == 0 {
			close(s.idle)
		}
	}
	s.mu.Unlock()
	select {
	case <-s.idle:
		return nil
	case <-ctx.Done():
	}
	for _, sess := range s.all() {
		sess.end(ending{as: Other, why: "the server stops", proper: true})
		sess.conn.Abort()
	}
	<-s.idle
	return context.Cause(ctx)
}

func (s *Server) all() []*Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*Session, 0, len(s.sessions))
	for _, sess := range s.sessions {
		list = append(list, sess)
	}
	return list
}

// Sessions are those that have exchanged hellos and not ended, by id.
func (s *Server) Sessions() []*Session {
	list := slices.DeleteFunc(s.all(), func(x *Session) bool { return !x.established.Load() || x.ctx.Err() != nil })
	slices.SortFunc(list, func(a, b *Session) int { return cmp.Compare(a.id, b.id) })
	return list
}

// Kill ends a session at once, by order of another [RFC 6241 section 7.9]. Its
// locks are free when Kill returns; what it is doing ends soon after. It fails
// with invalid-value when there is no such session.
func (s *Server) Kill(id, by uint32) error {
	s.mu.Lock()
	sess := s.sessions[id]
	s.mu.Unlock()
	if sess == nil || !sess.established.Load() || sess.ctx.Err() != nil {
		return rpcerr.New(rpcerr.Protocol, rpcerr.TagInvalidValue, "there is no session %d", id)
	}
	sess.end(ending{as: Killed, why: "killed", by: by, proper: true})
	s.store.Release(id)
	return nil
}

// EndAll ends the sessions of a user, after the RPC under way, and logs why. It does not
// wait.
func (s *Server) EndAll(user, why string) {
	for _, sess := range s.all() {
		if sess.User() == user {
			sess.leaves(why)
		}
	}
}

// Stats are the figures of a server since it was made [RFC 6022 section 2.1.5].
type Stats struct {
	Begun      time.Time
	BadHellos  uint32 // sessions that ended for a hello that is none
	InSessions uint32 // sessions that exchanged hellos
	Dropped    uint32 // of those, the ones that neither the client nor the server ended
	Memory     uint64 // what Limits.Memory bounds, in bytes
	Refused    uint64 // messages for which there was none left
	Counters
}

// Stats returns the figures of this moment.
func (s *Server) Stats() Stats {
	return Stats{s.begun, s.badHellos.Load(), s.inSessions.Load(), s.dropped.Load(), uint64(s.memory.used.Load()), s.memory.refused.Load(), s.counters.read()}
}

// Counters count the messages of a session, or of all [RFC 6022 section 2.1.4].
type Counters struct {
	InRPCs           uint32
	InBadRPCs        uint32
	OutRPCErrors     uint32
	OutNotifications uint32
}

type counters struct{ inRPCs, inBadRPCs, outRPCErrors, outNotifications atomic.Uint32 }

func (c *counters) read() Counters {
	return Counters{c.inRPCs.Load(), c.inBadRPCs.Load(), c.outRPCErrors.Load(), c.outNotifications.Load()}
}

// Handler answers one rpc. It gets valid input, and blocks as long as it must; ctx
// is cancelled when the session is killed or lost. An *rpcerr.Error or
// rpcerr.Errors in the error is told to the client; anything else becomes
// operation-failed there and is logged here, as is a panic.
type Handler func(ctx context.Context, r *Request) (*Reply, error)

// Request is an rpc.
type Request struct {
	Session *Session
	RPC     *yang.Node // or an action
	// At is the instance that an action is of; nil for an rpc.
	At *data.Loc
	// Input has the rpc's input parameters; it is empty, not nil, without any.
	Input *data.Node
	// Access is what the session's user may do. It is of the moment when the rpc was
	// read.
	Access *nacm.Access

	changes    []Change
	incomplete error
	recorded   bool // with changes that are on disk
}

// Change is what an rpc made of a datastore.
type Change struct {
	Datastore datastore.Name
	Old, New  *data.Node
}

// Sign says that a transaction is the request's, and by whom, and has the record of the
// request stored with what it changes. Operations call it first in their transaction.
func (r *Request) Sign(tx *datastore.Tx, by datastore.Author) {
	tx.By(by)
	a := r.Session.server.audit
	if a == nil {
		return
	}
	tx.AtEnd(func(tx *datastore.Tx) error {
		stored, err := a.Stores(tx, &Record{Request: r, Err: r.incomplete})
		if stored {
			tx.OnCommit(func(*datastore.Snapshot) { r.recorded, r.changes = true, nil })
		}
		return err
	})
}

// Author is who makes the transactions of the request.
func (r *Request) Author() datastore.Author {
	return datastore.Author{User: r.Session.User(), Session: r.Session.ID(), Host: r.Session.Host(), Source: "netconf"}
}

// Incomplete says what the client will be told although the transaction is stored.
func (r *Request) Incomplete(err error) { r.incomplete = err }

// Write checks that the session's user may change a datastore from one tree to another,
// and keeps the change for the audit. Its error is that of nacm.Access.Write. Operations
// call it in their transaction, where both trees are known.
func (r *Request) Write(name datastore.Name, old, new *data.Node) error {
	r.Changed(name, old, new)
	return r.Access.Write(old, new)
}

// Changed keeps a change for the audit that takes no right but the one to call the rpc.
func (r *Request) Changed(name datastore.Name, old, new *data.Node) {
	r.changes = append(r.changes, Change{name, old, new})
}

// Record is an rpc that was answered. Its RPC and Input are nil when it could not be
// read.
type Record struct {
	*Request
	// Err is what the client is told; nil for success.
	Err error
}

// Changes are what the rpc made, or tried to make when it failed, of the datastores.
func (r *Record) Changes() []Change { return r.changes }

// Output starts the output parameters of the rpc, for a Reply.
func (r *Request) Output() *data.Builder { return data.Build(outputOf(r.RPC)) }

// Reply is a handler's answer; nil stands for <ok/>, and so does one without
// Output or Data.
type Reply struct {
	// Output has the rpc's output parameters.
	Output *data.Node
	// Data is part of a datastore, to be sent as the content of the output
	// parameter "data" in the way that View says. There is such an answer when View is
	// not nil, even if Data is as nothing was selected.
	Data *data.Node
	View *data.View
	// Then is called when the reply has been sent. It must not block.
	Then func()
}

// DataReply answers with a part of a datastore, nil for nothing.
func DataReply(tree *data.Node, v *data.View) *Reply { return &Reply{Data: tree, View: v} }
