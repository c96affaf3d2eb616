package audit

import (
	"crypto/sha256"
	"log/slog"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"incidentd/datastore"
	"incidentd/netconf"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
	"incidentd/yang/xmltext"
)

// What bounds a record.
const (
	maxTouched = 32  // places, and groups
	maxCounted = 1e4 // places that are counted
	maxTags    = 8   // error-tags
	maxText    = 256 // bytes of a text or a path
)

// entry is a record before it has its place in the chain.
type entry struct {
	event      string
	time       time.Time
	user       string
	source     string
	session    uint32
	credential string
	groups     []string
	operation  string
	touched    []touch
	untold     int // places beyond those
	bad        bool
	tags       []string
	text       string

	settles bool          // the change that is pending has its record now
	stored  chan struct{} // closed when the record is on disk or lost; nil when nobody waits
	queued  bool          // it has a place in the queue
	at      head          // when it is stored
	losses  uint64        // how many were lost before it
}

// touch is a place that was read or changed.
type touch struct{ Access, Datastore, Path string }

// failed notes an error, which may be nil, by its tags.
func (e *entry) failed(err error) {
	if err == nil {
		return
	}
	e.bad = true
	list, _ := rpcerr.List(err)
	for _, x := range list {
		if tag := string(x.Tag); !slices.Contains(e.tags, tag) && len(e.tags) < maxTags {
			e.tags = append(e.tags, tag)
		}
	}
}

// touch adds a place.
func (e *entry) touch(access, datastore string, path func() string) {
	if len(e.touched) == maxTouched {
		e.untold++
		return
	}
	e.touched = append(e.touched, touch{access, datastore, bounded(path(), maxText)})
}

// changes adds the places that differ, and reports whether any are on disk.
func (e *entry) changes(all []netconf.Change) (durable bool) {
	counted := 0
	for _, c := range all {
		if c.Old == c.New {
			continue
		}
		data.Diff(c.Old, c.New, func(parent *data.Loc, old, new *data.Node) bool {
			durable = durable || c.Datastore != datastore.Candidate
			access, n := "update", new
			switch {
			case old == nil:
				access = "create"
			case new == nil:
				access, n = "delete", old
			}
			e.touch(access, string(c.Datastore), func() string { return parent.Down(n).String() })
			counted++
			return counted < maxCounted
		})
	}
	return durable
}

// retrievals are the operations that read a datastore whole when they have no filter.
var retrievals = map[string]bool{"ietf-netconf:get": true, "ietf-netconf:get-config": true, "ietf-netconf-nmda:get-data": true}

// reads adds the places that the filters of an rpc name.
func (e *entry) reads(schema *yang.Schema, m *memo, r *netconf.Record) {
	_, store, _ := strings.Cut(r.Input.Leaf("datastore"), ":")
	for c := range r.Input.Child("source").Children() {
		store = c.Name()
	}
	filtered := false
	for c := range r.Input.Children() {
		switch s := c.Schema(); {
		case s.Kind == yang.Leaf && strings.HasSuffix(s.Name, "xpath-filter"):
			filtered = true
			e.touch("read", store, func() string { return withoutLiterals(c.Value()) })
		case (s.Kind == yang.AnyXML || s.Kind == yang.AnyData) && strings.HasSuffix(s.Name, "filter"):
			filtered = true
			for _, a := range c.Attrs() {
				if a.Local == "select" {
					e.touch("read", store, func() string { return withoutLiterals(a.Value) })
				}
			}
			e.selected(store, m.places(schema, c.Raw()))
		}
	}
	if !filtered && retrievals[e.operation] {
		e.touch("read", store, func() string { return "" })
	}
}

// selected adds the places that a subtree filter names.
func (e *entry) selected(store string, n *named) {
	for _, path := range n.paths {
		e.touch("read", store, func() string { return path })
	}
	e.untold += n.untold
}

var literal = regexp.MustCompile(`'[^']*'|"[^"]*"`)

// withoutLiterals is an XPath expression without the values in it.
func withoutLiterals(expr string) string { return literal.ReplaceAllString(expr, "'…'") }

// bounded is a text of at most max bytes that XML can hold.
func bounded(s string, max int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError || r == 0xfffe || r == 0xffff {
			return '�'
		}
		return r
	}, s)
	if len(s) <= max {
		return s
	}
	for max -= len("…"); !utf8.RuneStart(s[max]); max-- {
	}
	return s[:max] + "…"
}

func (e *entry) result() string {
	if e.bad {
		return "error"
	}
	return "ok"
}

// appendXML appends the notification of an entry, which becomes the new head of the
// chain. It is written straight away, not by a data tree: there is one for each rpc.
func (e *entry) appendXML(b []byte, h *head) []byte {
	begin := len(b)
	leaf := func(name, value string) {
		if value != "" {
			b = append(append(append(b, '<'), name...), '>')
			b = xmltext.AppendText(b, value)
			b = append(append(append(b, "</"...), name...), '>')
		}
	}
	number := func(name string, n uint64) {
		b = strconv.AppendUint(append(append(append(b, '<'), name...), '>'), n, 10)
		b = append(append(append(b, "</"...), name...), '>')
	}
	b = append(b, `<audit-record xmlns="urn:incidentd:yang:audit">`...)
	number("number", h.number+1)
	leaf("previous-hash", h.text())
	leaf("time", data.FormatTime(e.time))
	leaf("event", e.event)
	leaf("user", e.user)
	leaf("source", e.source)
	if e.session != 0 {
		number("session-id", uint64(e.session))
	}
	leaf("credential", e.credential)
	for _, g := range e.groups {
		leaf("group", g)
	}
	leaf("operation", e.operation)
	for _, t := range e.touched {
		b = append(b, "<touched>"...)
		leaf("access", t.Access)
		leaf("datastore", t.Datastore)
		leaf("path", t.Path)
		b = append(b, "</touched>"...)
	}
	if e.untold > 0 {
		number("untold", uint64(e.untold))
	}
	leaf("result", e.result())
	for _, tag := range e.tags {
		leaf("error-tag", tag)
	}
	leaf("text", e.text)
	h.number++
	h.hash = sha256.Sum256(append(b, recordEnd...)[begin:])
	leaf("hash", h.text())
	return append(b, recordEnd...)
}

// attrs are what the log tells of an entry.
func (e *entry) attrs() []slog.Attr {
	attrs := append(make([]slog.Attr, 0, 16), slog.String("event", e.event))
	add := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, value))
		}
	}
	add("user", e.user)
	add("remote", e.source)
	if e.session != 0 {
		attrs = append(attrs, slog.Uint64("session-id", uint64(e.session)))
	}
	add("credential", e.credential)
	add("groups", strings.Join(e.groups, " "))
	add("operation", e.operation)
	if len(e.touched) > 0 {
		var b strings.Builder
		for i, t := range e.touched {
			if i > 0 {
				b.WriteString("; ")
			}
			b.WriteString(strings.TrimRight(t.Access+" "+t.Datastore+" "+t.Path, " "))
		}
		if e.untold > 0 {
			b.WriteString("; and " + strconv.Itoa(e.untold) + " more")
		}
		add("touched", b.String())
	}
	add("result", e.result())
	add("error-tags", strings.Join(e.tags, " "))
	add("text", e.text)
	return attrs
}
