// Package jsonlines is the source of events as JSON Lines over HTTP POST.
package jsonlines

import (
	"context"
	"errors"
	"io"
	"net/http"

	"incidentd/incident/event"
	"incidentd/incident/ingest"
	"incidentd/incident/ingest/listen"
	"incidentd/incident/ingest/mapping"
	"incidentd/yang/data"
)

// Path is where events are sent to.
const Path = "/events"

// Kind is the kind of source json-lines of incidentd-sources. Users are checked by users.
func Kind(users listen.Credentials) ingest.Kind {
	return ingest.Kind{Module: "incidentd-sources", Name: "json-lines", New: func(c *data.Loc) (ingest.Source, error) {
		h, err := listen.HTTPFromData(c, users)
		if err != nil {
			return nil, err
		}
		return source{h}, nil
	}}
}

type source struct{ http *listen.HTTP }

// Endpoint implements ingest.Listener.
func (s source) Endpoint() ingest.Endpoint { return s.http.Endpoint() }

// Run implements ingest.Source.
func (s source) Run(ctx context.Context, f *ingest.Feed) error {
	return s.http.Run(ctx, f, Path, Read)
}

// Read reads events, one a line. An error is a *listen.Refusal that names the line.
func Read(in io.Reader) (all []*mapping.Message, err error) {
	scan := event.NewScanner(in)
	for scan.Scan() {
		e := scan.Event()
		all = append(all, &mapping.Message{ID: e.ID, Event: &e})
	}
	if err := scan.Err(); err != nil {
		var told *listen.Refusal
		if errors.As(err, &told) {
			return nil, told
		}
		return nil, &listen.Refusal{Status: http.StatusBadRequest, Reason: err.Error(), Line: lineOf(err, scan.Line())}
	}
	return all, nil
}

// lineOf is the line that an error of a scanner is about: one that is too long was not
// counted.
func lineOf(err error, line int) int {
	if errors.Is(err, event.ErrTooLong) {
		return line + 1
	}
	return line
}
