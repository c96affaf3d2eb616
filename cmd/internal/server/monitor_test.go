package server

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"incidentd/incident/event"
	"incidentd/netconf/client"
)

const monitoringState = `<server xmlns="urn:incidentd:yang:server"><monitoring/></server>`

// monitored lets a server be monitored on a free port, and tells where.
func monitored(t *testing.T, c *client.Client) (url string) {
	t.Helper()
	if err := c.EditConfig(t.Context(), "running", serverConfig(`<monitoring><enabled>true</enabled><port>0</port></monitoring>`), ""); err != nil {
		t.Fatal(err)
	}
	state := eventually(t, c, monitoringState, "<listening>")
	return "http://" + regexp.MustCompile(`<listening>(.*)</listening>`).FindStringSubmatch(state)[1]
}

func page(t *testing.T, url string) (int, string) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(text)
}

func TestMonitoring(t *testing.T) {
	s, l := started(t, initialised(t))
	c := session(t, s)
	url := monitored(t, c)
	tell(t, s, "e1", "PE1", "if/1", event.Critical)
	if _, err := c.Call(t.Context(), []byte(`<no-such-operation/>`)); err == nil {
		t.Fatal("an operation that is none was answered")
	}
	if err := c.EditConfig(t.Context(), "running", serverConfig(`<limits><depth>7</depth></limits>`), ""); err == nil {
		t.Fatal("a depth of 7 was taken")
	}
	wanted := []string{
		"# TYPE incidentd_server_logins_total counter\nincidentd_server_logins_total 1\n",
		"# HELP incidentd_server_sessions The sessions; a connection may have several.\n# TYPE incidentd_server_sessions gauge\nincidentd_server_sessions 1\n",
		"incidentd_server_message_memory_bytes ",
		"incidentd_netconf_in_rpcs_total ",
		"incidentd_events_accepted_total 1\n",
		"incidentd_events_lag_seconds 0",
		"incidentd_events_queued 0\n",
		"incidentd_events_decision_lag_99_seconds 0",
		"incidentd_incidents_open ",
		`incidentd_alarms_not_cleared{severity="critical"} 1` + "\n",
		"incidentd_oam_running 0\n",
		"incidentd_store_commits_total ",
		"incidentd_journal_records ",
		"incidentd_subscriptions 0\n",
		`incidentd_rpc_duration_seconds_count{rpc="edit-config"} 2` + "\n",
		`incidentd_rpc_errors_total{rpc="edit-config"} 1` + "\n",
		`incidentd_build_info{version="`,
		"process_open_fds ",
		"go_goroutines ",
	}
	// An operation is counted when its reply has been sent.
	var metrics string
	missing := func() (missing []string) {
		_, metrics = page(t, url+"/metrics")
		for _, want := range wanted {
			if !strings.Contains(metrics, want) {
				missing = append(missing, want)
			}
		}
		return missing
	}
	for end := time.Now().Add(20 * time.Second); len(missing()) > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the metrics have no %q:\n%s\nlog:\n%s", missing(), metrics, l)
		}
	}
	code, text := page(t, url+"/healthz")
	if want := `{"status":"ok"}` + "\n"; code != 200 || text != want {
		t.Errorf("healthz: %d %s, want 200 %s", code, text, want)
	}
	code, text = page(t, url+"/readyz")
	if want := `{"status":"ready"}` + "\n"; code != 200 || text != want {
		t.Errorf("readyz: %d %s, want 200 %s", code, text, want)
	}
	if code, _ := page(t, url+"/"); code != 404 {
		t.Errorf("another page: %d, want 404", code)
	}

	// A source and a reflector that cannot listen do not make it unready.
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	config := fmt.Sprintf(`<sources xmlns="urn:incidentd:yang:sources"><source><name>prom</name><alertmanager><address>127.0.0.1</address><port>%d</port><anonymous>true</anonymous></alertmanager></source></sources>`,
		taken.Addr().(*net.TCPAddr).Port)
	if err := c.EditConfig(t.Context(), "running", []byte(config), ""); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		code, text := page(t, url+"/readyz")
		var h struct {
			Status   string
			Degraded []string
		}
		if err := json.Unmarshal([]byte(text), &h); err != nil || code != 200 || h.Status != "ready" {
			t.Fatalf("readyz: %d %s, %v", code, text, err)
		}
		if len(h.Degraded) == 1 && strings.HasPrefix(h.Degraded[0], "source prom: ") && strings.Contains(h.Degraded[0], "in use") {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("readyz does not tell of the source: %s", text)
		}
	}
	if _, text := page(t, url+"/metrics"); !strings.Contains(text, `incidentd_source_state{source="prom",state="down"} 1`) {
		t.Error("the metrics do not tell of the source")
	}

	// It goes where running says, and says why it cannot.
	if err := c.EditConfig(t.Context(), "running", serverConfig(fmt.Sprintf(`<monitoring><port>%d</port></monitoring>`, taken.Addr().(*net.TCPAddr).Port)), ""); err != nil {
		t.Fatal(err)
	}
	eventually(t, c, monitoringState, "<fault>", "in use")
	if err := c.EditConfig(t.Context(), "running", serverConfig(`<monitoring><enabled>false</enabled></monitoring>`), ""); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		r, err := c.Get(t.Context(), client.Subtree(monitoringState))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(r.Raw), "<fault>") {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("it still listens: %s", r.Raw)
		}
	}
	if _, err := http.Get(url + "/healthz"); err == nil {
		t.Error("it still answers where it listened first")
	}
}
