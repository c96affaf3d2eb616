package audit

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"incidentd/datastore"
	"incidentd/datastore/kv"
	"incidentd/netconf"
	"incidentd/netconf/transport"
	"incidentd/yang"
	"incidentd/yang/data"
)

// Stream is the journal's stream of the records.
const Stream = "audit"

// LocalSource is the source of a datastore.Author who is a command of this machine.
const LocalSource = "local"

// recordName is the name of the notification.
const recordName = "incidentd-audit:audit-record"

const (
	// queued is how many records may wait to be stored.
	queued = 4096
	// batched is how many do not wait for more.
	batched = queued / 2
	// gather is how long the first of a batch waits for more records.
	gather = 100 * time.Millisecond
)

// Config of Open; all but Log is required.
type Config struct {
	Store *datastore.Store
	// DB is what Store stands on.
	DB *kv.DB
	// Log gets each record too; nil: none does.
	Log *slog.Logger
}

// Log is the audit of one store.
type Log struct {
	schema *yang.Schema
	update func(context.Context, func(*datastore.Tx) error) error
	log    *slog.Logger

	filters memo
	queue   queue
	done    chan struct{} // closed when the goroutine of Open has ended

	last                     atomic.Pointer[head]
	records, allLost, waited atomic.Uint64
}

// Open continues the audit of a store.
func Open(c Config) (*Log, error) {
	m := c.Store.Schema().Module("incidentd-audit")
	if m == nil || !m.Implemented {
		return nil, errors.New("audit: the schema does not implement incidentd-audit")
	}
	l := &Log{schema: c.Store.Schema(), update: c.Store.Update, log: c.Log, filters: newMemo(), queue: newQueue(), done: make(chan struct{})}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	end, err := loadHead(c.DB)
	if err != nil {
		return nil, err
	}
	l.last.Store(&end)
	top := c.Store.Schema().Root.Child(m, "audit")
	c.Store.Provide(top, func(*datastore.Snapshot) *data.Node { return l.state(top) })
	left, err := loadPending(c.DB)
	if err != nil {
		return nil, err
	}
	c.Store.Join(keeper{})
	go l.write()
	if left != nil {
		l.put(left)
	}
	return l, nil
}

// Close stores what waits, and ends the audit. Records that come later are only in the
// log.
func (l *Log) Close() {
	l.queue.close()
	<-l.done
}

// Stores records an rpc in the transaction of what it changes, behind all records that
// wait, which are stored with it. It implements netconf.Audit.
func (l *Log) Stores(tx *datastore.Tx, r *netconf.Record) (bool, error) {
	e, durable := l.ofRPC(r)
	if !durable {
		return false, nil
	}
	e.time = time.Now()
	if err := l.store(tx, e); err != nil {
		return false, err
	}
	tx.OnCommit(func(*datastore.Snapshot) { l.records.Add(1) })
	return true, nil
}

// RPC records an rpc. It implements netconf.Audit, and returns when the record waits to
// be stored.
func (l *Log) RPC(r *netconf.Record) {
	e, _ := l.ofRPC(r)
	l.put(e)
}

// ofRPC is the entry of an rpc, and whether any of what it changes is on disk.
func (l *Log) ofRPC(r *netconf.Record) (e *entry, durable bool) {
	e = ofSession("rpc", r.Session)
	if r.RPC != nil {
		e.operation = r.RPC.QName()
	}
	e.failed(r.Err)
	durable = e.changes(r.Changes())
	if r.Input != nil {
		e.reads(l.schema, &l.filters, r)
		if id := r.Input.Leaf("session-id"); id != "" {
			e.text = "session-id " + id
		}
	}
	return e, durable
}

// Login records a login or an attempt at one. It is the Logins of a transport.Config.
func (l *Log) Login(a transport.Login) {
	e := &entry{event: "login", user: bounded(a.User, maxText), source: addressText(a.RemoteAddr), credential: bounded(a.Credential, maxText)}
	for i, g := range a.Groups {
		if i == maxTouched {
			break
		}
		e.groups = append(e.groups, bounded(g, maxText))
	}
	if a.Err != nil {
		e.event, e.bad, e.text = "login-failed", true, a.Err.Error()
	}
	l.put(e)
}

// Ended records the end of a session. It implements netconf.Audit.
func (l *Log) Ended(s *netconf.Session, why string) {
	e := ofSession("session-end", s)
	e.text = why
	l.put(e)
}

func ofSession(event string, s *netconf.Session) *entry {
	return &entry{event: event, session: s.ID(), user: bounded(s.User(), maxText), source: addressText(s.RemoteAddr())}
}

// Command records a command of this machine, and what it is about. It returns when the
// record is stored.
func (l *Log) Command(name, subject string, err error) {
	e := &entry{event: "command", operation: name, text: bounded(subject, maxText), settles: true, stored: make(chan struct{})}
	e.failed(err)
	l.put(e)
}

// put queues a record, and waits for it to be stored if somebody wants to.
func (l *Log) put(e *entry) {
	if e.time.IsZero() {
		e.time = time.Now()
	}
	l.records.Add(1)
	waited, ok := l.queue.put(e)
	if waited {
		l.waited.Add(1)
	}
	if !ok {
		l.loses(e, datastore.ErrClosed)
		return
	}
	if e.stored != nil {
		<-e.stored
	}
}

// write is the goroutine that stores what no change does, and writes the log.
func (l *Log) write() {
	defer close(l.done)
	timer := time.NewTimer(gather)
	timer.Stop()
	timed := false
	for {
		due := false
		select {
		case <-l.queue.wake:
		case <-timer.C:
			due = true
		}
		for _, e := range l.queue.takeStored() {
			l.tell(slog.LevelInfo, "audit", append(e.attrs(), slog.Uint64("number", e.at.number), slog.String("hash", e.at.text())))
			l.queue.leave(e)
		}
		n, urgent, closed := l.queue.waits()
		switch {
		case n == 0 && closed:
			return
		case n == 0:
			timer.Stop()
			timed = false
		case due, urgent, closed, n >= batched:
			timer.Stop()
			timed = false
			l.storeBatch()
		case !timed:
			timer.Reset(gather)
			timed = true
		}
	}
}

// storeBatch stores what waits.
func (l *Log) storeBatch() {
	err := l.update(context.Background(), func(tx *datastore.Tx) error { return l.store(tx) })
	if err == nil {
		return
	}
	lost := l.queue.take(false)
	l.queue.lose(lost)
	for _, e := range lost {
		if e.event != lostEvent {
			l.loses(e, err)
			l.queue.leave(e)
		}
	}
}

// loses tells of a record that is not stored.
func (l *Log) loses(e *entry, err error) {
	l.allLost.Add(1)
	l.tell(slog.LevelError, "audit record not stored", append(e.attrs(), slog.Any("err", err)))
}

// tell writes a line of the log. It does without the place in the source that a Logger looks
// up: there is a line for each rpc.
func (l *Log) tell(level slog.Level, msg string, attrs []slog.Attr) {
	ctx := context.Background()
	if h := l.log.Handler(); h.Enabled(ctx, level) {
		r := slog.NewRecord(time.Now(), level, msg, 0)
		r.AddAttrs(attrs...)
		h.Handle(ctx, r)
	}
}

// store appends what waits, and then an entry that did not, to the chain, whose end is
// that of the transactions before.
func (l *Log) store(tx *datastore.Tx, own ...*entry) error {
	end, err := decodeHead(tx.Get(table, headKey))
	if err != nil {
		return err
	}
	waiting := l.queue.take(len(own) > 0)
	list := append(waiting, own...)
	if len(list) == 0 {
		return nil
	}
	for _, e := range list {
		tx.NotifyXML(Stream, recordName, e.appendXML(make([]byte, 0, 1024), &end))
		e.at = end
		if e.settles {
			tx.Delete(table, pendingKey)
		}
	}
	tx.Put(table, headKey, end.encode())
	tx.OnCommit(func(*datastore.Snapshot) {
		l.last.Store(&end)
		l.queue.keep(list)
	})
	tx.OnAbort(func() { l.queue.putBack(waiting) })
	return nil
}

// state is the container audit of incidentd-audit.
func (l *Log) state(top *yang.Node) *data.Node {
	last := l.last.Load()
	return data.Build(top).Uint("last-number", last.number).Leaf("last-hash", last.text()).
		Uint("records", l.records.Load()).Uint("lost", l.allLost.Load()).Uint("waited", l.waited.Load()).Node()
}

func addressText(a net.Addr) string {
	if a == nil {
		return ""
	}
	return a.String()
}
