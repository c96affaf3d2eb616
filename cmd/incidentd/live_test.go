package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"

	"incidentd/cmd/internal/server"
	"incidentd/incident/event"
	"incidentd/incident/topology"
	"incidentd/netconf/client"
	"incidentd/yang/data"
	"incidentd/yang/xmltext"
)

// judged is what replay and server have to agree on.
type judged struct {
	Name, Type, Domain, Category, Priority, Status, Raise, Clear string
	Events, RootEvents, Causes, Services                         []string
}

// A recording gives the same incidents by replay and by report-events.
func TestLiveIsReplay(t *testing.T) {
	for _, name := range []string{"dev-small", "dev"} {
		t.Run(name, func(t *testing.T) {
			args := recording(t, name)
			flag := func(name string) string { return args[slices.Index(args, name)+1] }
			text, err := os.ReadFile(flag("--events"))
			if err != nil {
				t.Fatal(err)
			}
			var events []event.Event
			for s := event.NewScanner(bytes.NewReader(text)); s.Scan(); {
				events = append(events, s.Event())
			}
			// One more, so late that all has been told by then.
			last := events[len(events)-1]
			end := event.Event{ID: "end", Arrival: last.Arrival.Add(time.Hour), Time: last.Arrival.Add(time.Hour), Kind: event.Log, Node: last.Node, AlarmTypeID: "end", Severity: last.Severity}
			events = append(events, end)
			file := filepath.Join(t.TempDir(), "events.jsonl")
			if err := os.WriteFile(file, append(append(text, event.AppendJSON(nil, &end)...), '\n'), 0o600); err != nil {
				t.Fatal(err)
			}
			// Marks and alarm types are no configuration.
			out, _ := must(t, "", "replay", "--topology", flag("--topology"), "--inventory", flag("--inventory"), "--events", file, "--out", "-")
			want, got := replayed(t, out), live(t, flag("--topology"), flag("--inventory"), events)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("replay and server differ (-replay +server):\n%s", diff)
			}
		})
	}
}

func replayed(t *testing.T, out string) map[string]judged {
	t.Helper()
	all := map[string]judged{}
	for line := range strings.Lines(out) {
		var i struct {
			ID       string   `json:"incident-id"`
			Name     string   `json:"name"`
			Type     string   `json:"type"`
			Domain   string   `json:"domain"`
			Category string   `json:"category"`
			Priority string   `json:"priority"`
			Status   string   `json:"status"`
			Raise    string   `json:"raise-time"`
			Clear    string   `json:"clear-time"`
			Events   []string `json:"events"`
			Roots    []string `json:"root-events"`
			Services []string `json:"service-instances"`
			Causes   []struct {
				Node     string `json:"node"`
				Resource string `json:"resource"`
				Name     string `json:"cause-name"`
			} `json:"root-causes"`
		}
		if err := json.Unmarshal([]byte(line), &i); err != nil {
			t.Fatal(err)
		}
		j := judged{i.Name, i.Type, i.Domain, i.Category, i.Priority, i.Status, instant(t, i.Raise), instant(t, i.Clear), i.Events, i.Roots, nil, i.Services}
		for _, c := range i.Causes {
			j.Causes = append(j.Causes, c.Node+" "+c.Resource+" "+c.Name)
		}
		if !slices.Equal(i.Events, []string{"end"}) { // raised by the end of the recording
			all[i.ID] = j.sorted()
		}
	}
	return all
}

func (j judged) sorted() judged {
	for _, list := range []*[]string{&j.Events, &j.RootEvents, &j.Causes, &j.Services} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
		if len(*list) == 0 {
			*list = nil
		}
	}
	return j
}

// instant is a time in one form, since a time has several.
func instant(t *testing.T, text string) string {
	t.Helper()
	if text == "" {
		return ""
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return at.UTC().Format(time.RFC3339Nano)
}

// live reports the events to a server and reads its incidents.
func live(t *testing.T, topologyFile, inventoryFile string, events []event.Event) map[string]judged {
	t.Helper()
	c := serveAt(t, initialised(t)).session()
	if err := c.EditConfig(t.Context(), "running", configuration(t, topologyFile, inventoryFile), ""); err != nil {
		t.Fatal(err)
	}
	for batch := range slices.Chunk(events, 700) {
		if _, err := c.Call(t.Context(), reportXML(batch)); err != nil {
			t.Fatal(err)
		}
	}
	r, err := c.Get(t.Context(), client.Subtree(`<incidents xmlns="urn:ietf:params:xml:ns:yang:ietf-incident"/>`))
	if err != nil {
		t.Fatal(err)
	}
	d, err := r.Data()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]judged{}
	for _, i := range d.FindElements("incidents/incident") {
		text := func(e *etree.Element, path string) string {
			if e = e.FindElement(path); e == nil {
				return ""
			}
			_, local, qualified := strings.Cut(e.Text(), ":")
			if qualified && (path == "domain" || path == "category") {
				return local
			}
			return e.Text()
		}
		j := judged{text(i, "name"), text(i, "type"), text(i, "domain"), text(i, "category"), text(i, "priority"), text(i, "status"),
			instant(t, text(i, "raise-time")), instant(t, text(i, "clear-time")), nil, nil, nil, nil}
		for path, list := range map[string]*[]string{"events/event/event-id": &j.Events, "root-events/root-event/event-id": &j.RootEvents, "service-instance": &j.Services} {
			for _, e := range i.FindElements(path) {
				*list = append(*list, e.Text())
			}
		}
		for _, c := range i.FindElements("root-causes/root-cause") {
			node := text(c, "node")
			if cause := c.SelectElement("cause-name"); cause != nil {
				j.Causes = append(j.Causes, node+"  "+cause.Text())
			}
			for _, r := range c.SelectElements("resource") {
				j.Causes = append(j.Causes, node+" "+text(r, "name")+" "+text(r, "cause-name"))
			}
		}
		all[text(i, "incident-id")] = j.sorted()
	}
	return all
}

// configuration is the topology with the inventory.
func configuration(t *testing.T, topologyFile, inventoryFile string) []byte {
	t.Helper()
	schema, err := server.Schema()
	if err != nil {
		t.Fatal(err)
	}
	networks, err := readConfig(schema, topologyFile)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(inventoryFile)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	inventory, err := topology.ReadInventory(f)
	if err != nil {
		t.Fatal(err)
	}
	return data.AppendChildrenXML(nil, data.Merge(networks, inventoryConfig(schema, networks, inventory)), "")
}

// reportXML is the events as a report-events.
func reportXML(events []event.Event) []byte {
	b := []byte(`<report-events xmlns="urn:incidentd:yang:events" xmlns:idc="urn:incidentd:yang:collector">`)
	for i := range events {
		e := &events[i]
		b = append(b, "<event>"...)
		for _, l := range []struct{ name, value string }{
			{"id", e.ID}, {"time", e.Time.Format(time.RFC3339Nano)}, {"kind", e.Kind.String()}, {"node", e.Node}, {"resource", e.Resource},
			{"alarm-type-id", e.AlarmTypeID}, {"alarm-type-qualifier", e.AlarmTypeQualifier}, {"severity", e.Severity.String()},
			{"text", e.Text}, {"value", e.Value}, {"threshold", e.Threshold}, {"trace-id", e.TraceID}, {"idc:arrival", e.Arrival.Format(time.RFC3339Nano)},
		} {
			if l.value != "" {
				b = fmt.Appendf(b, "<%s>", l.name)
				b = xmltext.AppendText(b, l.value)
				b = fmt.Appendf(b, "</%s>", l.name)
			}
		}
		b = append(b, "</event>"...)
	}
	return append(b, "</report-events>"...)
}
