package client

import (
	"context"
	"fmt"
	"sort"
	"strconv"
	"time"
)

// Namespaces of operations.
const (
	nmdaNamespace       = "urn:ietf:params:xml:ns:yang:ietf-netconf-nmda"
	datastoresNamespace = "urn:ietf:params:xml:ns:yang:ietf-datastores"
	monitoringNamespace = "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"
)

// Filter selects data. The zero Filter selects everything.
type Filter struct {
	// Subtree is the content of a subtree filter [RFC 6241 section 6]: elements
	// with their namespaces.
	Subtree string
	// XPath is an expression instead, for servers with the capability :xpath.
	XPath string
	// Namespaces are those of the prefixes in XPath.
	Namespaces map[string]string
}

// Subtree is a Filter of these elements.
func Subtree(elements string) Filter { return Filter{Subtree: elements} }

// XPath is a Filter with an expression, whose prefixes stand for the namespaces.
func XPath(expr string, namespaces map[string]string) Filter {
	return Filter{XPath: expr, Namespaces: namespaces}
}

func (f Filter) appendNamespaces(b []byte) []byte {
	prefixes := make([]string, 0, len(f.Namespaces))
	for p := range f.Namespaces {
		prefixes = append(prefixes, p)
	}
	sort.Strings(prefixes)
	for _, p := range prefixes {
		b = append(b, " xmlns:"+p+`="`...)
		b = appendText(b, f.Namespaces[p])
		b = append(b, '"')
	}
	return b
}

// appendTo appends the <filter> of get, get-config and create-subscription.
func (f Filter) appendTo(b []byte) []byte {
	switch {
	case f.XPath != "":
		b = append(b, `<filter type="xpath" select="`...)
		b = appendText(b, f.XPath)
		b = append(b, '"')
		b = f.appendNamespaces(b)
		b = append(b, "/>"...)
	case f.Subtree != "":
		b = append(b, `<filter type="subtree">`...)
		b = append(b, f.Subtree...)
		b = append(b, "</filter>"...)
	}
	return b
}

// appendNMDA appends the filter of get-data.
func (f Filter) appendNMDA(b []byte) []byte {
	switch {
	case f.XPath != "":
		b = append(b, "<xpath-filter"...)
		b = f.appendNamespaces(b)
		b = append(b, '>')
		b = appendText(b, f.XPath)
		b = append(b, "</xpath-filter>"...)
	case f.Subtree != "":
		b = append(b, "<subtree-filter>"...)
		b = append(b, f.Subtree...)
		b = append(b, "</subtree-filter>"...)
	}
	return b
}

// Get reads configuration and state [RFC 6241 section 7.7].
func (c *Client) Get(ctx context.Context, f Filter) (*Reply, error) {
	return c.Call(ctx, append(f.appendTo([]byte("<get>")), "</get>"...))
}

// GetConfig reads the configuration of a datastore, such as running [RFC 6241
// section 7.1].
func (c *Client) GetConfig(ctx context.Context, source string, f Filter) (*Reply, error) {
	b := []byte("<get-config><source><" + source + "/></source>")
	return c.Call(ctx, append(f.appendTo(b), "</get-config>"...))
}

// GetData reads a datastore by the name of its identity, such as operational
// [RFC 8526 section 3.1.1].
func (c *Client) GetData(ctx context.Context, datastore string, f Filter) (*Reply, error) {
	b := []byte(`<get-data xmlns="` + nmdaNamespace + `" xmlns:ds="` + datastoresNamespace + `"><datastore>ds:`)
	b = appendText(b, datastore)
	b = append(b, "</datastore>"...)
	return c.Call(ctx, append(f.appendNMDA(b), "</get-data>"...))
}

// EditConfig changes the configuration of a datastore [RFC 6241 section 7.2].
// config is the content of <config>: elements with their namespaces; defaultOp is
// merge, replace or none, empty for the server's default, which is merge.
func (c *Client) EditConfig(ctx context.Context, target string, config []byte, defaultOp string) error {
	b := []byte("<edit-config><target><" + target + "/></target>")
	if defaultOp != "" {
		b = append(b, "<default-operation>"...)
		b = appendText(b, defaultOp)
		b = append(b, "</default-operation>"...)
	}
	b = append(b, `<config xmlns:nc="`+baseNamespace+`">`...)
	b = append(b, config...)
	return c.ok(ctx, append(b, "</config></edit-config>"...))
}

// ok calls an operation that has no output.
func (c *Client) ok(ctx context.Context, op []byte) error {
	_, err := c.Call(ctx, op)
	return err
}

// Lock locks a datastore [RFC 6241 section 7.5].
func (c *Client) Lock(ctx context.Context, target string) error {
	return c.ok(ctx, []byte("<lock><target><"+target+"/></target></lock>"))
}

// Unlock releases a lock [RFC 6241 section 7.6].
func (c *Client) Unlock(ctx context.Context, target string) error {
	return c.ok(ctx, []byte("<unlock><target><"+target+"/></target></unlock>"))
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
