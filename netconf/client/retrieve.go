package client

import (
	"cmp"
	"context"
	"slices"
	"strconv"
)

// Option is a parameter of an operation that may be left out. Options are sent in
// the order in which the operation defines them, whatever the order they are given
// in [RFC 7950 section 7.14.4].
type Option struct {
	rank int
	xml  []byte
}

// The places of the options in the input of their operations.
const (
	rankDefaultOperation = iota
	rankTestOption
	rankErrorOption
	rankConfigFilter
	rankOriginFilter
	rankMaxDepth
	rankWithOrigin
	rankWithDefaults
	rankPage
	rankAny
)

func leafOption(rank int, name, value string) Option {
	return Option{rank, appendLeaf(nil, name, value)}
}

func appendOptions(b []byte, options []Option) []byte {
	options = slices.Clone(options)
	slices.SortStableFunc(options, func(x, y Option) int { return cmp.Compare(x.rank, y.rank) })
	for _, o := range options {
		b = append(b, o.xml...)
	}
	return b
}

// Element is any other parameter, written as an element with its namespace.
func Element(xml string) Option { return Option{rankAny, []byte(xml)} }

// WithDefaults asks for default values in one of the modes report-all,
// report-all-tagged, trim and explicit, for servers with :with-defaults [RFC 6243
// section 4.5].
func WithDefaults(mode string) Option {
	b := []byte(`<with-defaults xmlns="` + withDefaultsNamespace + `">`)
	return Option{rankWithDefaults, append(appendText(b, mode), "</with-defaults>"...)}
}

// NMDADefaults is WithDefaults for GetData, whose parameter is its own [RFC 8526
// section 3.1.1].
func NMDADefaults(mode string) Option { return leafOption(rankWithDefaults, "with-defaults", mode) }

// ConfigFilter asks GetData for configuration alone, or for state alone [RFC 8526
// section 3.1.1].
func ConfigFilter(config bool) Option {
	return leafOption(rankConfigFilter, "config-filter", strconv.FormatBool(config))
}

// MaxDepth limits the levels of GetData's answer [RFC 8526 section 3.1.1].
func MaxDepth(levels int) Option {
	return leafOption(rankMaxDepth, "max-depth", strconv.Itoa(levels))
}

// WithOrigin asks GetData for the annotation origin [RFC 8526 section 3.1.1].
func WithOrigin() Option { return leafOption(rankWithOrigin, "with-origin", "") }

// Page says which entries of the list that a filter selects are wanted
// [draft-ietf-netconf-list-pagination-nc]. Zero fields are left out.
type Page struct {
	// Where is an XPath expression that entries have to fulfil, and SortBy a
	// descendant schema node by which they are sorted.
	Where, SortBy string
	// Namespaces are those of the prefixes in Where and SortBy.
	Namespaces map[string]string
	// Backwards turns the order around.
	Backwards bool
	// Cursor is where to go on: the annotation next or previous of a page before.
	Cursor string
	// Offset is how many entries are passed over, Limit how many are returned.
	Offset, Limit uint32
	// SublistLimit is how many entries lists below return.
	SublistLimit uint32
}

// Option is the parameter list-pagination.
func (p Page) Option() Option {
	b := []byte(`<list-pagination xmlns="` + paginationNamespace + `"`)
	b = append(Filter{Namespaces: p.Namespaces}.appendNamespaces(b), '>')
	text := func(name, value string) {
		if value != "" {
			b = appendLeaf(b, name, value)
		}
	}
	number := func(name string, value uint32) {
		if value > 0 {
			b = appendLeaf(b, name, strconv.FormatUint(uint64(value), 10))
		}
	}
	text("where", p.Where)
	text("sort-by", p.SortBy)
	if p.Backwards {
		text("direction", "backwards")
	}
	text("cursor", p.Cursor)
	number("offset", p.Offset)
	number("limit", p.Limit)
	number("sublist-limit", p.SublistLimit)
	return Option{rankPage, append(b, "</list-pagination>"...)}
}

// Get reads configuration and state [RFC 6241 section 7.7].
func (c *Client) Get(ctx context.Context, f Filter, options ...Option) (*Reply, error) {
	b := appendOptions(f.appendTo([]byte("<get>")), options)
	return c.Call(ctx, append(b, "</get>"...))
}

// GetConfig reads the configuration of a datastore, such as running [RFC 6241
// section 7.1].
func (c *Client) GetConfig(ctx context.Context, source string, f Filter, options ...Option) (*Reply, error) {
	b := []byte("<get-config><source><" + source + "/></source>")
	b = appendOptions(f.appendTo(b), options)
	return c.Call(ctx, append(b, "</get-config>"...))
}

// GetData reads a datastore by the name of its identity, such as operational
// [RFC 8526 section 3.1.1].
func (c *Client) GetData(ctx context.Context, datastore string, f Filter, options ...Option) (*Reply, error) {
	b := appendDatastore([]byte(`<get-data xmlns="`+nmdaNamespace+`"`), datastore)
	b = appendOptions(f.appendNMDA(b), options)
	return c.Call(ctx, append(b, "</get-data>"...))
}

// appendDatastore ends the start tag of an operation of RFC 8526 and appends the
// datastore that it is about, an identity of ietf-datastores.
func appendDatastore(b []byte, datastore string) []byte {
	b = append(b, ` xmlns:ds="`+datastoresNamespace+`"><datastore>ds:`...)
	b = appendText(b, datastore)
	return append(b, "</datastore>"...)
}

// appendLeaf appends an element with a text.
func appendLeaf(b []byte, name, text string) []byte {
	if text == "" {
		return append(b, "<"+name+"/>"...)
	}
	b = append(b, "<"+name+">"...)
	b = appendText(b, text)
	return append(b, "</"+name+">"...)
}
