package audit

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"incidentd/datastore"
	"incidentd/datastore/journal"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/xmltext"
)

// Record is an audit-record that was stored, see incidentd-audit.
type Record struct {
	Number       uint64    `json:"number"`
	PreviousHash string    `json:"previous-hash"`
	Time         time.Time `json:"time"`
	Event        string    `json:"event"`
	User         string    `json:"user,omitempty"`
	Source       string    `json:"source,omitempty"`
	Session      uint32    `json:"session-id,omitempty"`
	Credential   string    `json:"credential,omitempty"`
	Groups       []string  `json:"group,omitempty"`
	Operation    string    `json:"operation,omitempty"`
	Touched      []Touched `json:"touched,omitempty"`
	Untold       int       `json:"untold,omitempty"`
	Result       string    `json:"result"`
	ErrorTags    []string  `json:"error-tag,omitempty"`
	Text         string    `json:"text,omitempty"`
	Hash         string    `json:"hash"`
}

// Touched is a place that was read or changed.
type Touched struct {
	Access    string `json:"access"`
	Datastore string `json:"datastore,omitempty"`
	Path      string `json:"path,omitempty"`
}

// head is the record as the end of a chain.
func (r *Record) head() (h head, err error) {
	h.number = r.Number
	hash, err := hex.DecodeString(r.Hash)
	if err == nil && len(hash) != len(h.hash) {
		err = errors.New("its hash is cut short")
	}
	copy(h.hash[:], hash)
	return h, err
}

// decode reads a record of the stream.
func decode(schema *yang.Schema, j *journal.Record) (*Record, error) {
	kind := schema.Notification("incidentd-audit", "audit-record")
	if j.Name != recordName {
		return nil, fmt.Errorf("it is a %.80q", j.Name)
	}
	d := xmltext.NewDecoder(j.Body, xmltext.Limits{})
	t, err := d.Next()
	if err != nil {
		return nil, err
	}
	if t.Kind != xmltext.Start || t.Local != kind.Name || t.Space != kind.Module.Namespace {
		return nil, errors.New("it is another element")
	}
	p := data.Parser{Schema: schema, State: true}
	n, err := p.Parse(d, kind)
	if err != nil {
		return nil, err
	}
	r := &Record{PreviousHash: n.Leaf("previous-hash"), Event: n.Leaf("event"), User: n.Leaf("user"), Source: n.Leaf("source"),
		Credential: n.Leaf("credential"), Groups: n.Values("group"), Operation: n.Leaf("operation"),
		Result: n.Leaf("result"), ErrorTags: n.Values("error-tag"), Text: n.Leaf("text"), Hash: n.Leaf("hash")}
	// The parser has checked the types; what is missing is zero.
	r.Number, _ = strconv.ParseUint(n.Leaf("number"), 10, 64)
	session, _ := strconv.ParseUint(n.Leaf("session-id"), 10, 32)
	r.Session = uint32(session)
	r.Untold, _ = strconv.Atoi(n.Leaf("untold"))
	r.Time, _ = time.Parse(time.RFC3339Nano, n.Leaf("time"))
	for t := range n.Entries("touched") {
		r.Touched = append(r.Touched, Touched{t.Leaf("access"), t.Leaf("datastore"), t.Leaf("path")})
	}
	return r, nil
}

// List returns the last records, at most n, the oldest first.
func List(ctx context.Context, store *datastore.Store, n int) ([]*Record, error) {
	var last []*journal.Record
	c := store.Journal().Cursor(0, Stream)
	for ctx.Err() == nil {
		r, err := c.TryNext()
		var aged *journal.AgedError
		switch {
		case errors.As(err, &aged):
			c.Seek(aged.First)
			continue
		case err != nil:
			return nil, err
		}
		if r == nil {
			break
		}
		if last = append(last, r); len(last) >= 2*n {
			last = append(last[:0], last[len(last)-n:]...)
		}
	}
	list := []*Record{}
	for _, j := range last[max(0, len(last)-n):] {
		r, err := decode(store.Schema(), j)
		if err != nil {
			return nil, fmt.Errorf("audit: %w", err)
		}
		list = append(list, r)
	}
	return list, ctx.Err()
}
