package audit

import (
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

	stored chan struct{} // closed when the record is on disk or lost; nil when nobody waits
}

// touch is a place that was read or changed.
type touch struct{ access, datastore, path string }

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
func (e *entry) reads(schema *yang.Schema, r *netconf.Record) {
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
			if root, err := xmltext.ParseRawElement(c.Raw(), xmltext.Limits{}); err == nil {
				for _, x := range root.Children {
					e.selected(schema, store, "", x)
				}
			}
		}
	}
	if !filtered && retrievals[e.operation] {
		e.touch("read", store, func() string { return "" })
	}
}

// selected adds the places that an element of a subtree filter names: the ways to its
// innermost elements.
func (e *entry) selected(schema *yang.Schema, store, way string, x *xmltext.Element) {
	if e.untold > maxCounted {
		return
	}
	name := x.Local
	if m := schema.ByNamespace(x.Space); m != nil {
		name = m.Prefix + ":" + name
	}
	if way += "/" + name; len(way) > 2*maxText {
		way = way[:2*maxText] // deep beyond what is told
	}
	if len(x.Children) == 0 {
		e.touch("read", store, func() string { return way })
	}
	for _, c := range x.Children {
		e.selected(schema, store, way, c)
	}
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

// node is the notification of an entry, which becomes the new head of the chain.
func (e *entry) node(kind *yang.Node, h *head) *data.Node {
	b := data.Build(kind).Uint("number", h.number+1).Leaf("previous-hash", h.text()).
		Time("time", e.time).Leaf("event", e.event).Text("user", e.user).Text("source", e.source)
	if e.session != 0 {
		b.Uint("session-id", uint64(e.session))
	}
	b.Text("credential", e.credential)
	for _, g := range e.groups {
		b.Leaf("group", g)
	}
	b.Text("operation", e.operation)
	for _, t := range e.touched {
		b.Entry("touched").Leaf("access", t.access).Text("datastore", t.datastore).Text("path", t.path)
	}
	if e.untold > 0 {
		b.Uint("untold", uint64(e.untold))
	}
	b.Leaf("result", e.result())
	for _, tag := range e.tags {
		b.Leaf("error-tag", tag)
	}
	n := b.Text("text", e.text).Node()
	h.number++
	h.hash = sum(data.AppendXML(nil, n, ""))
	return n.With(data.NewLeaf(kind.ChildNamed("hash"), h.text()))
}

// attrs are what the log tells of an entry.
func (e *entry) attrs() []any {
	attrs := []any{"event", e.event}
	add := func(key, value string) {
		if value != "" {
			attrs = append(attrs, key, value)
		}
	}
	add("user", e.user)
	add("remote", e.source)
	if e.session != 0 {
		attrs = append(attrs, "session-id", e.session)
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
			b.WriteString(strings.TrimRight(t.access+" "+t.datastore+" "+t.path, " "))
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
