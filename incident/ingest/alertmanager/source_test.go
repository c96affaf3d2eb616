package alertmanager_test

import (
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"incidentd/incident/ingest/alertmanager"
	"incidentd/incident/ingest/ingesttest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var arrived = time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)

// The samples, and the events of the tables that come with the server.
func TestTables(t *testing.T) {
	m := ingesttest.Mapper(t, `<mapping xmlns="urn:incidentd:yang:mapping"><alias><name>pe1</name><node>PE1</node></alias></mapping>`)
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		messages, _, err := alertmanager.Read(f, arrived)
		if err != nil {
			t.Fatal(err)
		}
		var got []byte
		for _, msg := range messages {
			msg.Kind = "alertmanager"
			x := m.Explain(msg)
			got = ingesttest.AppendExplanation(got, &x, nil)
		}
		ingesttest.Golden(t, strings.TrimSuffix(file, ".json")+".golden", got, *update)
	}
}

// Alertmanager sends, sends again, and sends nonsense.
func TestWebhook(t *testing.T) {
	b := ingesttest.New(t, alertmanager.Kind(nil))
	b.Sources(`<source><name>am</name><alertmanager><address>127.0.0.1</address><port>0</port><anonymous>true</anonymous></alertmanager></source>`)
	url := "http://" + b.Listening("am")
	sample, err := os.ReadFile("testdata/node-exporter.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, path, body, want string }{
		{"alerts", "/alerts", string(sample), `200 {"accepted":6,"duplicates":0}`},
		{"again", "/alerts", string(sample), `200 {"accepted":0,"duplicates":6}`},
		{"version", "/alerts", `{"version":"3","alerts":[]}`, `400 {"error":"version \"3\" of the webhook; 4 is known"}`},
		{"status", "/alerts", `{"version":"4","alerts":[{"status":"x","labels":{"a":"b"}}]}`, `400 {"error":"alert 1: the status \"x\"; firing and resolved are known"}`},
		{"labels", "/alerts", `{"version":"4","alerts":[{"status":"firing"}]}`, `400 {"error":"alert 1: there are no labels"}`},
		{"syntax", "/alerts", `{"version":`, `400 {"error":"the body is no notification of Alertmanager: unexpected EOF"}`},
		{"truncated", "/alerts", `{"version":"4","alerts":[],"truncatedAlerts":3}`, `200 {"accepted":0,"duplicates":0}`},
		{"path", "/", string(sample), `404 404 page not found`},
	} {
		r, err := http.Post(url+tt.path, "application/json", strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Status[:4] + strings.TrimSpace(string(text)); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	h := b.Health("am")
	for leaf, want := range map[string]string{"received": "7", "malformed": "4", "mapped": "12", "ignored": "2", "events": "6", "duplicates": "6", "dropped": "3", "state": "degraded",
		"reason": "messages are lost: Alertmanager has left alerts out of a group (max_alerts)"} {
		if h.Leaf(leaf) != want {
			t.Errorf("%s = %s, want %s", leaf, h.Leaf(leaf), want)
		}
	}
}
