package alertmanager_test

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"testing"

	"incidentd/incident/ingest/alertmanager"
	"incidentd/incident/ingest/listen"
)

// A body is refused with the status 400, or all of its alerts are messages.
func FuzzRead(f *testing.F) {
	sample, err := os.ReadFile("testdata/node-exporter.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sample)
	f.Add([]byte(`{"version":"4","alerts":[{"status":"resolved","labels":{"a":"b","instance":"[::1]:9100"}}],"truncatedAlerts":-1}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		all, _, err := alertmanager.Read(bytes.NewReader(body), arrived)
		if err != nil {
			var told *listen.Refusal
			if !errors.As(err, &told) || told.Status != http.StatusBadRequest || all != nil {
				t.Fatalf("%v with %d messages", err, len(all))
			}
			return
		}
		for _, m := range all {
			if m == nil || m.Field("status") == "" && m.Fields[len(m.Fields)-2].Value == "" {
				t.Fatalf("a message without a status: %+v", m)
			}
		}
	})
}
