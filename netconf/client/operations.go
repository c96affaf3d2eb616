package client

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// Namespaces of operations.
const (
	nmdaNamespace         = "urn:ietf:params:xml:ns:yang:ietf-netconf-nmda"
	datastoresNamespace   = "urn:ietf:params:xml:ns:yang:ietf-datastores"
	monitoringNamespace   = "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"
	withDefaultsNamespace = "urn:ietf:params:xml:ns:yang:ietf-netconf-with-defaults"
	paginationNamespace   = "urn:ietf:params:xml:ns:yang:ietf-list-pagination-nc"
	partialLockNamespace  = "urn:ietf:params:xml:ns:netconf:partial-lock:1.0"
	yangNamespace         = "urn:ietf:params:xml:ns:yang:1"
)

// ok calls an operation that has no output.
func (c *Client) ok(ctx context.Context, op []byte) error {
	_, err := c.Call(ctx, op)
	return err
}

// CloseSession asks the server to end the session [RFC 6241 section 7.8], and
// closes the connection whatever it says.
func (c *Client) CloseSession(ctx context.Context) error {
	err := c.ok(ctx, []byte("<close-session/>"))
	c.Close()
	return err
}

// KillSession ends another session [RFC 6241 section 7.9].
func (c *Client) KillSession(ctx context.Context, id uint32) error {
	return c.ok(ctx, []byte("<kill-session><session-id>"+strconv.FormatUint(uint64(id), 10)+"</session-id></kill-session>"))
}

// CreateSubscription asks for the notifications of a stream [RFC 5277 section
// 2.1.1]; an empty stream is NETCONF. With a start time those since then are
// replayed first; with a stop time the subscription ends then. Zero times are
// left out. From now on Notifications has to be read.
func (c *Client) CreateSubscription(ctx context.Context, stream string, f Filter, start, stop time.Time) error {
	b := []byte(`<create-subscription xmlns="` + notificationNamespace + `">`)
	if stream != "" {
		b = append(b, "<stream>"...)
		b = appendText(b, stream)
		b = append(b, "</stream>"...)
	}
	b = f.appendTo(b)
	if !start.IsZero() {
		b = fmt.Appendf(b, "<startTime>%s</startTime>", start.Format(time.RFC3339Nano))
	}
	if !stop.IsZero() {
		b = fmt.Appendf(b, "<stopTime>%s</stopTime>", stop.Format(time.RFC3339Nano))
	}
	return c.ok(ctx, append(b, "</create-subscription>"...))
}

// GetSchema returns the text of a module [RFC 6022 section 3.1]. An empty version
// or format is left out: the only version, and the server's default, yang.
func (c *Client) GetSchema(ctx context.Context, identifier, version, format string) (string, error) {
	b := []byte(`<get-schema xmlns="` + monitoringNamespace + `"><identifier>`)
	b = appendText(b, identifier)
	b = append(b, "</identifier>"...)
	if version != "" {
		b = append(b, "<version>"...)
		b = appendText(b, version)
		b = append(b, "</version>"...)
	}
	if format != "" {
		b = append(b, "<format>"...)
		b = appendText(b, format)
		b = append(b, "</format>"...)
	}
	r, err := c.Call(ctx, append(b, "</get-schema>"...))
	if err != nil {
		return "", err
	}
	data, err := r.Data()
	if err != nil {
		return "", err
	}
	return allText(data), nil
}

// Action invokes an action. path is the instance that it is of, down to the
// action with its input: elements with their namespaces [RFC 7950 section 7.15.2].
func (c *Client) Action(ctx context.Context, path []byte) (*Reply, error) {
	b := []byte(`<action xmlns="` + yangNamespace + `">`)
	b = append(b, path...)
	return c.Call(ctx, append(b, "</action>"...))
}
