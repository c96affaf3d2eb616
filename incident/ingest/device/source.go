package device

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"incidentd/datastore/kv"
	"incidentd/incident/ingest"
	"incidentd/incident/ingest/listen"
	"incidentd/netconf/client"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
	"incidentd/yang/xmltext"
)

const (
	// answerTime is how long the device may take to answer.
	answerTime = time.Minute
	// quietTime is how long a replay may be silent before it counts as complete.
	quietTime = 30 * time.Second
	// mostMessage is the size of the longest message of a device, in bytes.
	mostMessage = 64 << 20
	// waiting is how many notifications are read ahead.
	waiting = mostBatch
)

// Kind is the kind of source netconf of incidentd-sources. What it knows of devices is in a
// store.
func Kind(db *kv.DB) ingest.Kind {
	m := &memory{db: db, devices: map[string]*known{}}
	return ingest.Kind{Module: "incidentd-sources", Name: "netconf", New: func(c *data.Loc) (ingest.Source, error) {
		s, err := fromData(c)
		if err != nil {
			return nil, err
		}
		s.memory = m
		return s, nil
	}}
}

// source is the container netconf.
type source struct {
	memory       *memory
	address      string // with the port
	node, stream string
	keepalive    time.Duration
	login        client.Config
}

func fromData(at *data.Loc) (*source, error) {
	n := at.Node
	s := &source{address: net.JoinHostPort(n.Leaf("address"), listen.Text(n, "port")), node: n.Leaf("node"), stream: n.Leaf("stream"),
		keepalive: time.Duration(listen.Number(n, "keepalive")) * time.Second}
	s.login = client.Config{User: n.Leaf("user"), Password: n.Leaf("password"), MaxMessage: mostMessage, Notifications: waiting}
	var fingerprints []string
	for f := range n.Entries("host-key-fingerprint") {
		fingerprints = append(fingerprints, f.Value())
	}
	s.login.HostKey = client.Pinned(fingerprints...)
	if key := n.Child("private-key"); key != nil {
		signer, err := client.ParseSigner(key.Value())
		if err != nil {
			return nil, rpcerr.InvalidValue("the key cannot be used: %v", err).At(at.Down(key).Path())
		}
		s.login.Signers = append(s.login.Signers, signer)
	}
	return s, nil
}

// connect opens a session.
func (s *source) connect(ctx context.Context) (*client.Client, error) {
	d := net.Dialer{Timeout: answerTime, KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: s.keepalive, Interval: max(s.keepalive/3, time.Second), Count: 3}}
	conn, err := d.DialContext(ctx, "tcp", s.address)
	if err != nil {
		return nil, err
	}
	return client.NewSSH(ctx, conn, s.address, s.login)
}

// Run implements ingest.Source.
func (s *source) Run(ctx context.Context, f *ingest.Feed) error {
	k, err := s.memory.of(f.Name())
	if err != nil {
		return err
	}
	r := &reporter{feed: f, node: s.node, known: k}
	c, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	f.Connected(1)
	defer f.Connected(-1)
	replaying, err := s.subscribe(ctx, c, r.known)
	if err != nil {
		return err
	}
	f.Up()
	for replaying {
		if replaying, err = r.next(ctx, c, quietTime); err != nil {
			return err
		}
	}
	if err := s.sync(ctx, r); err != nil {
		return err
	}
	for {
		if _, err := r.next(ctx, c, 0); err != nil {
			return err
		}
	}
}

// subscribe subscribes to the notifications of the device, and reports whether those since
// the run before are replayed first.
func (s *source) subscribe(ctx context.Context, c *client.Client, k *known) (replaying bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	stream, replay, err := s.choose(ctx, c)
	if err != nil {
		return false, err
	}
	if replay && !k.last.IsZero() {
		err := c.CreateSubscription(ctx, stream, client.Filter{}, k.last, time.Time{})
		if !refused(err) {
			return err == nil, err
		}
		k.last = time.Time{} // the clock of the device was set back, or its log is gone
	}
	if err := c.CreateSubscription(ctx, stream, client.Filter{}, time.Time{}, time.Time{}); err != nil {
		return false, fmt.Errorf("the stream %s: %w", stream, err)
	}
	return false, nil
}

// choose is the stream to subscribe to, and whether the device replays it.
func (s *source) choose(ctx context.Context, c *client.Client) (stream string, replay bool, err error) {
	r, err := c.Get(ctx, client.Subtree(`<netconf xmlns="`+notificationsNamespace+`"><streams/></netconf>`))
	offered := map[string]bool{}
	switch {
	case refused(err): // a device need not tell [RFC 5277 section 3.2.5]
	case err != nil:
		return "", false, err
	default:
		if offered, err = readStreams(r.Raw); err != nil {
			return "", false, err
		}
	}
	stream = s.stream
	if stream == "" {
		stream = "NETCONF"
		if _, ok := offered["alarms"]; ok {
			stream = "alarms"
		}
	}
	return stream, offered[stream], nil
}

// readStreams reads the streams of a device, and which of them it replays.
func readStreams(reply []byte) (map[string]bool, error) {
	root, err := xmltext.ParseElement(reply, limits)
	if err != nil {
		return nil, fmt.Errorf("the streams: %w", err)
	}
	streams := map[string]bool{}
	for _, step := range [][2]string{{baseNamespace, "data"}, {notificationsNamespace, "netconf"}, {notificationsNamespace, "streams"}} {
		if root = root.Child(step[0], step[1]); root == nil {
			return streams, nil
		}
	}
	text := func(e *xmltext.Element, name string) string {
		if c := e.Child(notificationsNamespace, name); c != nil {
			return strings.TrimSpace(c.Text)
		}
		return ""
	}
	for _, e := range root.Children {
		if e.Space == notificationsNamespace && e.Local == "stream" {
			streams[text(e, "name")] = text(e, "replaySupport") == "true"
		}
	}
	return streams, nil
}

// refused reports whether the device has answered with an rpc-error.
func refused(err error) bool {
	var one *rpcerr.Error
	var more rpcerr.Errors
	return errors.As(err, &one) || errors.As(err, &more)
}

// listFilter selects what is read of the alarm list.
const listFilter = `<alarms xmlns="` + alarmsNamespace + `"><alarm-list><number-of-alarms/><last-changed/><alarm><resource/><alarm-type-id/><alarm-type-qualifier/>` +
	`<is-cleared/><last-raised/><last-changed/><perceived-severity/><alarm-text/></alarm></alarm-list></alarms>`

// sync reads the alarm list, on a session of its own, and reports what it says.
func (s *source) sync(ctx context.Context, r *reporter) error {
	l, err := s.read(ctx, r.feed)
	if err != nil {
		return fmt.Errorf("the alarm list: %w", err)
	}
	for _, err := range l.faults {
		r.feed.Malformed(err)
	}
	switch {
	case !l.shown:
		r.feed.Degraded("the device shows no alarm-list of ietf-alarms: it has none, or the user " + s.login.User + " may not read it; alarms that ended unnoticed are not cleared")
	case len(l.faults) > 0:
		r.feed.Degraded(fmt.Sprintf("%d entries of the device's alarm list cannot be understood; alarms that ended unnoticed are not cleared", len(l.faults)))
	default:
		r.feed.Degraded("")
	}
	return r.mark(ctx, l)
}

func (s *source) read(ctx context.Context, f *ingest.Feed) (list, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	c, err := s.connect(ctx)
	if err != nil {
		return list{}, err
	}
	defer c.CloseSession(ctx)
	reply, err := c.Get(ctx, client.Subtree(listFilter))
	if refused(err) {
		f.Malformed(err)
		return list{}, nil
	}
	if err != nil {
		return list{}, err
	}
	f.Received(len(reply.Raw))
	return readList(reply.Raw)
}

// next waits for a notification and reports it with those that wait behind it. It reports
// whether a replay goes on: it ends with replayComplete, or when nothing comes for the time
// of quiet, unless that is 0.
func (r *reporter) next(ctx context.Context, c *client.Client, quiet time.Duration) (replaying bool, err error) {
	var timeout <-chan time.Time
	if quiet > 0 {
		timeout = time.After(quiet)
	}
	var n *client.Notification
	select {
	case <-ctx.Done():
		return false, ctx.Err()
	case <-timeout:
		return false, nil
	case n = <-c.Notifications():
	}
	var alarms []alarm
	var last time.Time
	replaying = true
	for i := 0; ; {
		if n == nil { // the connection has ended
			if i == 0 {
				return false, c.Err()
			}
			break
		}
		r.feed.Received(len(n.Raw))
		a, complete, err := read(n.Raw)
		if err != nil {
			r.feed.Malformed(err)
		}
		if a != nil {
			alarms = append(alarms, *a)
		}
		replaying = replaying && !complete
		if n.EventTime.After(last) && !complete {
			last = n.EventTime
		}
		if i++; i == mostBatch || len(c.Notifications()) == 0 {
			break
		}
		n = <-c.Notifications()
	}
	if err := r.report(ctx, alarms); err != nil {
		return false, err
	}
	r.known.see(last)
	return replaying, nil
}
