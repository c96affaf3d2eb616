package client

import "context"

// TestOption says what EditConfig does with the result before it applies it:
// test-then-set, set or test-only, for servers with :validate [RFC 6241 section
// 8.6.4.1].
func TestOption(value string) Option { return leafOption(rankTestOption, "test-option", value) }

// ErrorOption says what EditConfig does at an error: stop-on-error,
// continue-on-error or rollback-on-error [RFC 6241 section 7.2].
func ErrorOption(value string) Option { return leafOption(rankErrorOption, "error-option", value) }

// EditConfig changes the configuration of a datastore [RFC 6241 section 7.2].
// config is the content of <config>: elements with their namespaces; defaultOp is
// merge, replace or none, empty for the server's default, which is merge.
func (c *Client) EditConfig(ctx context.Context, target string, config []byte, defaultOp string, options ...Option) error {
	b := []byte("<edit-config><target><" + target + "/></target>")
	b = appendEdit(b, defaultOp, options)
	b = appendConfig(b, config)
	return c.ok(ctx, append(b, "</edit-config>"...))
}

// EditData changes a datastore by the name of its identity [RFC 8526 section
// 3.1.2]. config and defaultOp are those of EditConfig.
func (c *Client) EditData(ctx context.Context, datastore string, config []byte, defaultOp string, options ...Option) error {
	b := appendDatastore([]byte(`<edit-data xmlns="`+nmdaNamespace+`"`), datastore)
	b = appendEdit(b, defaultOp, options)
	b = appendConfig(b, config)
	return c.ok(ctx, append(b, "</edit-data>"...))
}

func appendEdit(b []byte, defaultOp string, options []Option) []byte {
	if defaultOp != "" {
		options = append([]Option{leafOption(rankDefaultOperation, "default-operation", defaultOp)}, options...)
	}
	return appendOptions(b, options)
}

func appendConfig(b, config []byte) []byte {
	b = append(b, `<config xmlns:nc="`+baseNamespace+`">`...)
	b = append(b, config...)
	return append(b, "</config>"...)
}

// Location is where a configuration comes from or goes to. One of its fields is
// set.
type Location struct {
	// Datastore is running, candidate or startup.
	Datastore string
	// URL is that of a file, for servers with :url [RFC 6241 section 8.8].
	URL string
	// Config is the content of <config>, for a source.
	Config []byte
}

func (l Location) appendTo(b []byte, role string) []byte {
	b = append(b, "<"+role+">"...)
	switch {
	case l.URL != "":
		b = appendLeaf(b, "url", l.URL)
	case l.Datastore != "":
		b = append(b, "<"+l.Datastore+"/>"...)
	default:
		b = appendConfig(b, l.Config)
	}
	return append(b, "</"+role+">"...)
}

// CopyConfig makes the target what the source is [RFC 6241 section 7.3].
func (c *Client) CopyConfig(ctx context.Context, source, target Location, options ...Option) error {
	b := target.appendTo([]byte("<copy-config>"), "target")
	b = source.appendTo(b, "source")
	return c.ok(ctx, append(appendOptions(b, options), "</copy-config>"...))
}

// DeleteConfig deletes a datastore, which cannot be running, or a file [RFC 6241
// section 7.4].
func (c *Client) DeleteConfig(ctx context.Context, target Location) error {
	b := target.appendTo([]byte("<delete-config>"), "target")
	return c.ok(ctx, append(b, "</delete-config>"...))
}

// Validate checks a configuration, for servers with :validate [RFC 6241 section
// 8.6.4.1].
func (c *Client) Validate(ctx context.Context, source Location) error {
	b := source.appendTo([]byte("<validate>"), "source")
	return c.ok(ctx, append(b, "</validate>"...))
}
