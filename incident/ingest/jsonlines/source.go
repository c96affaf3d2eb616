// Package jsonlines is the source of events as JSON Lines over HTTP POST.
package jsonlines

import (
	"errors"
	"io"
	"net/http"

	"incidentd/incident/event"
	"incidentd/incident/ingest"
	"incidentd/incident/ingest/listen"
	"incidentd/incident/ingest/mapping"
)

// Path is where events are sent to.
const Path = "/events"

// Kind is the kind of source json-lines of incidentd-sources. Users are checked by users.
func Kind(users listen.Credentials) ingest.Kind {
	return listen.HTTPKind("json-lines", Path, users, func(*ingest.Feed) listen.Receive { return Read })
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
