package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
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
	// batched is how many are stored in one transaction.
	batched = 512
	// gather is how long a batch waits for more records.
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

	queue   chan *entry // closed by Close
	done    chan struct{}
	closing sync.RWMutex // held for reading by who sends, for writing by Close
	closed  bool         // closing

	// Owned by the goroutine that writes; last is what others may look at.
	head head
	last atomic.Pointer[head]
	// lost is how many records could not be stored and are not told of yet.
	lost uint64

	records, allLost, waited atomic.Uint64
}

// Open continues the audit of a store.
func Open(c Config) (*Log, error) {
	m := c.Store.Schema().Module("incidentd-audit")
	if m == nil || !m.Implemented {
		return nil, errors.New("audit: the schema does not implement incidentd-audit")
	}
	l := &Log{schema: c.Store.Schema(), update: c.Store.Update, log: c.Log,
		queue: make(chan *entry, queued), done: make(chan struct{})}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if l.head, err = loadHead(c.DB); err != nil {
		return nil, err
	}
	l.last.Store(new(l.head))
	top := c.Store.Schema().Root.Child(m, "audit")
	c.Store.Provide(top, func(*datastore.Snapshot) *data.Node { return l.state(top) })
	left, err := loadPending(c.DB)
	if err != nil {
		return nil, err
	}
	c.Store.Join(keeper{})
	go l.write()
	for _, e := range left {
		l.put(e)
	}
	return l, nil
}

// Close stores what waits, and ends the audit. Records that come later are only in the
// log.
func (l *Log) Close() {
	l.closing.Lock()
	if !l.closed {
		l.closed = true
		close(l.queue)
	}
	l.closing.Unlock()
	<-l.done
}

// RPC records an rpc. It is the Audit of a netconf.Config. It returns when the record
// waits to be stored, or is stored, if the rpc has changed a datastore that is on disk.
func (l *Log) RPC(r *netconf.Record) {
	e := ofSession("rpc", r.Session)
	if r.RPC != nil {
		e.operation = r.RPC.QName()
	}
	e.failed(r.Err)
	e.settles = e.changes(r.Changes())
	if r.Input != nil {
		e.reads(l.schema, r)
		if id := r.Input.Leaf("session-id"); id != "" {
			e.text = "session-id " + id
		}
	}
	if e.settles && r.Err == nil {
		e.stored = make(chan struct{})
	}
	l.put(e)
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

// Ended records the end of a session. It is the Ended of a netconf.Config.
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
	if !l.send(e) {
		l.allLost.Add(1)
		l.log.Error("audit record not stored", append(e.attrs(), "err", datastore.ErrClosed)...)
		return
	}
	if e.stored != nil {
		<-e.stored
	}
}

// send is false when the audit has ended.
func (l *Log) send(e *entry) bool {
	l.closing.RLock()
	defer l.closing.RUnlock()
	if l.closed {
		return false
	}
	select {
	case l.queue <- e:
	default:
		l.waited.Add(1)
		l.queue <- e
	}
	return true
}

// write is the goroutine that stores.
func (l *Log) write() {
	defer close(l.done)
	batch := make([]*entry, 0, batched)
	timer := time.NewTimer(gather)
	defer timer.Stop()
	for first := range l.queue {
		batch = append(batch[:0], first)
		timer.Reset(gather)
		for more := first.stored == nil; more && len(batch) < batched; {
			select {
			case e, open := <-l.queue:
				if !open {
					more = false
					break
				}
				batch = append(batch, e)
				more = e.stored == nil
			case <-timer.C:
				more = false
			}
		}
		// Who waits is joined by those who are there already.
		for more := true; more && len(batch) < batched; {
			select {
			case e, open := <-l.queue:
				if more = open; open {
					batch = append(batch, e)
				}
			default:
				more = false
			}
		}
		l.storeBatch(batch)
		clear(batch)
	}
}

// storeBatch stores records, in their order, as one transaction.
func (l *Log) storeBatch(batch []*entry) {
	if l.lost > 0 {
		lost := &entry{event: "lost", time: batch[0].time, bad: true, text: fmt.Sprintf("%d records could not be stored", l.lost)}
		batch = append([]*entry{lost}, batch...)
	}
	head := l.head
	records := make([][]byte, len(batch))
	hashes := make([]string, len(batch))
	for i, e := range batch {
		records[i] = e.appendXML(make([]byte, 0, 1024), &head)
		hashes[i] = head.text()
	}
	err := l.update(context.Background(), func(tx *datastore.Tx) error {
		for _, r := range records {
			tx.NotifyXML(Stream, recordName, r)
		}
		for _, e := range batch {
			if e.settles {
				tx.Delete(table, pendingKey(e.session))
			}
		}
		tx.Put(table, headKey, head.encode())
		return nil
	})
	if err == nil {
		l.head, l.lost = head, 0
		l.last.Store(&head)
	}
	for i, e := range batch {
		switch {
		case err == nil:
			l.log.Info("audit", append(e.attrs(), "number", head.number-uint64(len(batch)-1-i), "hash", hashes[i])...)
		case e.event != "lost":
			l.lost++
			l.allLost.Add(1)
			l.log.Error("audit record not stored", append(e.attrs(), "err", err)...)
		}
		if e.stored != nil {
			close(e.stored)
		}
	}
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
