package netconf

import (
	"cmp"
	"context"
	"io"
	"sync/atomic"
	"time"

	"incidentd/netconf/transport"
)

// output is the way to the peer: messages take turns, and each write has a bound
// of time.
type output struct {
	turn  chan struct{} // holds one element while a message is written
	w     *transport.Writer
	conn  io.Writer
	bound atomic.Int64 // time.Duration: how long a write may take
	timer *time.Timer  // ends what takes longer
}

func newOutput(conn io.Writer, stall time.Duration, stalled func()) *output {
	o := &output{turn: make(chan struct{}, 1), conn: conn, timer: time.AfterFunc(time.Hour, stalled)}
	o.timer.Stop()
	o.bound.Store(int64(stall))
	o.w = transport.NewWriter(o)
	return o
}

// Write writes to the connection in bounded time. Only the Writer calls it.
func (o *output) Write(p []byte) (int, error) {
	o.timer.Reset(time.Duration(o.bound.Load()))
	defer o.timer.Stop()
	return o.conn.Write(p)
}

// take waits for the turn, until ctx or the session is done.
func (o *output) take(ctx, session context.Context) error {
	if err := cmp.Or(ctx.Err(), session.Err()); err != nil {
		return err
	}
	select {
	case o.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-session.Done():
		return session.Err()
	}
}

// give ends the turn.
func (o *output) give() { <-o.turn }

// finish takes the last turn: nothing is written after it. It waits for the
// message that is being written.
func (o *output) finish() { o.turn <- struct{}{} }

// NotificationNamespace is that of the envelope of notifications [RFC 5277 section
// 4].
const NotificationNamespace = "urn:ietf:params:xml:ns:netconf:notification:1.0"

// AppendNotification appends a notification message: the envelope around an event
// of XML, which declares its own namespaces.
func AppendNotification(b []byte, eventTime time.Time, event []byte) []byte {
	b = append(b, `<notification xmlns="`+NotificationNamespace+`"><eventTime>`...)
	b = eventTime.UTC().AppendFormat(b, time.RFC3339Nano)
	b = append(b, "</eventTime>"...)
	b = append(b, event...)
	return append(b, "</notification>"...)
}
