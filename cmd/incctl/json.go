package main

import (
	"bytes"
	"encoding/json"
	"time"
)

// incidentsJSON is a list of incidents in the JSON of RFC 7951.
func incidentsJSON(list []incident) any {
	if list == nil {
		list = []incident{}
	}
	return map[string]any{"ietf-incident:incidents": map[string]any{"incident": list}}
}

// notificationJSON is an incident-notification in the JSON of RFC 8040 section 6.4.
func notificationJSON(at time.Time, i *incident) any {
	type body struct {
		EventTime string    `json:"eventTime"`
		Incident  *incident `json:"ietf-incident:incident-notification"`
	}
	return map[string]any{"ietf-restconf:notification": body{at.Format(time.RFC3339Nano), i}}
}

// writeJSON prints one value on one line.
func (a *app) writeJSON(v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := a.stdout.Write(b.Bytes())
	return err
}
