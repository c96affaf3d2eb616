// Package alertmanager is the source of alerts by the webhook of Alertmanager.
package alertmanager

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"incidentd/incident/event"
	"incidentd/incident/ingest"
	"incidentd/incident/ingest/listen"
	"incidentd/incident/ingest/mapping"
)

// Path is where alerts are sent to.
const Path = "/alerts"

// Kind is the kind of source alertmanager of incidentd-sources. Users are checked by
// users.
func Kind(users listen.Credentials) ingest.Kind {
	return listen.HTTPKind("alertmanager", Path, users, func(f *ingest.Feed) listen.Receive {
		return func(body io.Reader) ([]*mapping.Message, error) {
			messages, truncated, err := Read(body, time.Now())
			if truncated > 0 {
				f.Dropped(truncated, "Alertmanager has left alerts out of a group (max_alerts)")
			}
			return messages, err
		}
	})
}

// group is the body of a request, version 4.
type group struct {
	Version         string  `json:"version"`
	TruncatedAlerts int     `json:"truncatedAlerts"`
	Alerts          []alert `json:"alerts"`
}

type alert struct {
	Status       string            `json:"status"`
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL"`
	Fingerprint  string            `json:"fingerprint"`
}

// Read reads the body of a request that arrived at a time, and how many alerts
// Alertmanager says that it has left out. An error is a *listen.Refusal.
func Read(in io.Reader, arrival time.Time) (all []*mapping.Message, truncated int, err error) {
	refuse := func(format string, args ...any) ([]*mapping.Message, int, error) {
		return nil, 0, &listen.Refusal{Status: http.StatusBadRequest, Reason: fmt.Sprintf(format, args...)}
	}
	var g group
	if err := json.NewDecoder(in).Decode(&g); err != nil {
		var told *listen.Refusal
		if errors.As(err, &told) {
			return nil, 0, told
		}
		return refuse("the body is no notification of Alertmanager: %v", err)
	}
	if g.Version != "4" {
		return refuse("version %.20q of the webhook; 4 is known", g.Version)
	}
	for i := range g.Alerts {
		a := &g.Alerts[i]
		if a.Status != "firing" && a.Status != "resolved" {
			return refuse("alert %d: the status %.20q; firing and resolved are known", i+1, a.Status)
		}
		if len(a.Labels) == 0 {
			return refuse("alert %d: there are no labels", i+1)
		}
		all = append(all, a.message(arrival))
	}
	return all, g.TruncatedAlerts, nil
}

// Labels that say which system an alert is about, and which part of it, the first that is
// there.
var (
	hostLabels     = []string{"nodename", "node", "host", "hostname"}
	resourceLabels = []string{"interface", "ifName", "device", "mountpoint", "name"}
)

// severities are the values of the label severity that are in use.
var severities = map[string]event.Severity{
	"critical": event.Critical, "emergency": event.Critical, "page": event.Critical, "disaster": event.Critical,
	"major": event.Major, "error": event.Major, "high": event.Major,
	"minor": event.Minor, "medium": event.Minor,
	"warning": event.Warning, "low": event.Warning,
	"info": event.Indeterminate, "none": event.Indeterminate,
}

// message is an alert as a message.
func (a *alert) message(arrival time.Time) *mapping.Message {
	m := &mapping.Message{Arrival: arrival, Time: a.StartsAt, Observed: event.Alarm, App: a.Labels["job"], MsgID: a.Labels["alertname"],
		Type: a.Labels["alertname"], Severity: severities[strings.ToLower(a.Labels["severity"])]}
	m.ID = "alert-" + a.Fingerprint + "-" + a.StartsAt.UTC().Format(time.RFC3339Nano)
	if a.Fingerprint == "" {
		m.ID = "" // an Alertmanager before 0.19
	}
	if a.Status == "resolved" {
		m.Severity = event.Cleared
		if m.Time = a.EndsAt; m.ID != "" {
			m.ID += "-resolved"
		}
	}
	told := map[string]bool{"alertname": true, "severity": true, "job": true, "instance": true}
	first := func(labels []string) string {
		for _, l := range labels {
			if v := a.Labels[l]; v != "" {
				told[l] = true
				return v
			}
		}
		return ""
	}
	m.Host, m.Resource = first(hostLabels), first(resourceLabels)
	if m.Host == "" {
		m.Host = a.Labels["instance"]
		if host, _, err := net.SplitHostPort(m.Host); err == nil {
			m.Host = host
		}
	}
	var others []string
	for _, name := range slices.Sorted(maps.Keys(a.Labels)) {
		m.Fields = append(m.Fields, mapping.Field{Name: name, Value: a.Labels[name]})
		if !told[name] {
			others = append(others, name+"="+a.Labels[name])
		}
	}
	m.Qualifier = strings.Join(others, ",")
	for _, name := range slices.Sorted(maps.Keys(a.Annotations)) {
		m.Fields = append(m.Fields, mapping.Field{Name: name, Value: a.Annotations[name]})
	}
	m.Fields = append(m.Fields, mapping.Field{Name: "status", Value: a.Status}, mapping.Field{Name: "generatorURL", Value: a.GeneratorURL})
	for _, name := range []string{"summary", "description", "message"} {
		if m.Text = a.Annotations[name]; m.Text != "" {
			break
		}
	}
	if m.Text == "" {
		m.Text = m.Type
	}
	return m
}
