package netconf

import (
	"context"
	"io"
	"time"

	"incidentd/netconf/transport"
)

// output is the way to the peer: messages take turns, and each write has a bound
// of time.
type output struct {
	turn chan struct{} // holds one element while a message is written
	w    *transport.Writer
}

func newOutput(conn io.Writer, stall time.Duration, stalled func()) *output {
	t := time.AfterFunc(time.Hour, stalled)
	t.Stop()
	return &output{turn: make(chan struct{}, 1), w: transport.NewWriter(&watched{conn, stall, t})}
}

// take waits for the turn, until ctx is done.
func (o *output) take(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case o.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// give ends the turn.
func (o *output) give() { <-o.turn }

// finish takes the last turn: nothing is written after it. It waits for the
// message that is being written.
func (o *output) finish() { o.turn <- struct{}{} }

// watched calls the timer's function when a write takes longer than the bound.
type watched struct {
	w     io.Writer
	bound time.Duration
	timer *time.Timer
}

func (w *watched) Write(p []byte) (int, error) {
	w.timer.Reset(w.bound)
	defer w.timer.Stop()
	return w.w.Write(p)
}

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
