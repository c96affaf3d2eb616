package scenario

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"

	"incidentd/cmd/internal/server"
	"incidentd/incident"
	"incidentd/incident/correlate"
	"incidentd/incident/event"
	"incidentd/incident/topology"
	"incidentd/netconf/client"
	"incidentd/netconf/transport/memconn"
	"incidentd/yang/data"
)

// TestLiveIsReplay reports the recorded networks to a running server, in batches
// of any size, and compares its incidents with those of a replay.
func TestLiveIsReplay(t *testing.T) {
	for _, name := range []string{"dev-small", "dev"} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join("..", "..", "..", "..", "shared", "data", "correlation", name)
			if _, err := os.Stat(dir); err != nil {
				t.Skip("the recorded networks are not here")
			}
			networks := network(t, dir)
			events := events(t, filepath.Join(dir, "events.jsonl"))
			want := replayed(networks, events)
			data := filepath.Join(t.TempDir(), "data")
			synctest.Test(t, func(t *testing.T) {
				if d := cmp.Diff(want, live(t, data, networks, events)); d != "" {
					t.Errorf("live differs from replay (-replay +live):\n%s", d)
				}
			})
		})
	}
}

// network reads a recorded topology, with its inventory as configuration.
func network(t *testing.T, dir string) *data.Node {
	t.Helper()
	schema, err := server.Schema()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "topology.xml"))
	if err != nil {
		t.Fatal(err)
	}
	tree, err := (&data.Parser{Schema: schema}).ParseDocument(text)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(dir, "inventory.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	inv, err := topology.ReadInventory(f)
	if err != nil {
		t.Fatal(err)
	}
	in := map[string]string{} // node to a network that has it
	for n := range tree.Child("networks").Entries("network") {
		for d := range n.Entries("node") {
			in[d.Leaf("node-id")] = n.Leaf("network-id")
		}
	}
	b := data.Build(schema.Root)
	for _, n := range inv.Nodes {
		i := b.Container("networks").Entry("network", in[n.ID]).Entry("node", n.ID).Container("inventory")
		i.Text("site", n.Site).Text("domain", n.Domain).Text("role", n.Role).Text("vendor", n.Vendor)
		for _, c := range n.LineCards {
			card := i.Entry("line-card", c.Name)
			for _, p := range c.Ports {
				card.Leaf("port", p)
			}
		}
	}
	return data.Merge(tree, b.Node())
}

func events(t *testing.T, path string) (out []event.Event) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := event.NewScanner(f)
	for s.Scan() {
		out = append(out, s.Event())
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// outcome is an incident in a few words.
func outcome(no uint64, name, raised string, services, roots, events []string) string {
	slices.Sort(services)
	slices.Sort(roots)
	slices.Sort(events)
	return fmt.Sprintf("%s raised %s: %s; services %v; roots %v; events %v", incident.ID(no), raised, name, services, roots, events)
}

func replayed(tree *data.Node, events []event.Event) (out []string) {
	e := correlate.New(correlate.Config{})
	networks := tree.Child("networks")
	e.SetTopology(topology.Build(topology.FromData(networks), topology.InventoryFromData(networks)))
	r := correlate.NewReplay(e, nil)
	for _, ev := range events {
		r.Feed(ev)
	}
	for _, i := range r.Finish() {
		var roots, ids []string
		for _, c := range i.RootCauses {
			roots = append(roots, c.Node+" "+c.Resource)
		}
		for _, ev := range i.Events {
			ids = append(ids, ev.ID)
		}
		out = append(out, outcome(i.No, i.Name, data.FormatTime(i.RaiseTime), slices.Clone(i.ServiceInstances), roots, ids))
	}
	slices.Sort(out)
	return out
}

func live(t *testing.T, dir string, networks *data.Node, events []event.Event) (out []string) {
	// Virtual time begins in 2000, before the recordings.
	time.Sleep(time.Until(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)))
	if _, err := server.Init(dir, server.Admin{Name: "admin", Password: password}); err != nil {
		t.Fatal(err)
	}
	s, err := server.New(server.Config{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	listener := memconn.Listen(memconn.Addr("server"))
	s.StartOn(listener)
	defer func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	ctx := context.Background()
	conn, err := listener.Dial(ctx, memconn.Addr("client"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.NewSSH(ctx, conn, "server", client.Config{User: "admin", Password: password, HostKey: ssh.InsecureIgnoreHostKey()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	config := data.AppendChildrenXML(nil, networks, "")
	if err := c.EditConfig(ctx, "running", config, "merge"); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for len(events) > 0 {
		n := min(len(events), 1+rand.IntN(1500))
		if _, err := c.Call(ctx, reportOf(events[:n], known)); err != nil {
			t.Fatal(err)
		}
		events = events[n:]
	}
	time.Sleep(72*time.Second + time.Millisecond)
	synctest.Wait()
	reply, err := c.Get(ctx, client.Subtree(`<incidents xmlns="urn:ietf:params:xml:ns:yang:ietf-incident"/>`))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := reply.Doc()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range doc.FindElements("//incidents/incident") {
		text := func(path string) string {
			if e := i.FindElement(path); e != nil {
				return e.Text()
			}
			return ""
		}
		all := func(path string) (out []string) {
			for _, e := range i.FindElements(path) {
				out = append(out, e.Text())
			}
			return out
		}
		var roots []string
		for _, r := range i.FindElements("root-causes/root-cause") {
			node := r.FindElement("node").Text()
			names := r.FindElements("resource/name")
			for _, n := range names {
				roots = append(roots, node+" "+n.Text())
			}
			if len(names) == 0 || r.FindElement("cause-name") != nil {
				roots = append(roots, node+" ")
			}
		}
		var no uint64
		if _, err := fmt.Sscan(text("csn"), &no); err != nil {
			t.Fatal(err)
		}
		out = append(out, outcome(no, text("name"), text("raise-time"), all("service-instance"), roots, all("events/event/event-id")))
	}
	slices.Sort(out)
	return out
}

// reportOf writes the rpc report-events; ids that were sent before are left out, as
// one rpc cannot hold the same twice.
func reportOf(events []event.Event, known map[string]bool) []byte {
	var b strings.Builder
	b.WriteString(`<report-events xmlns="urn:incidentd:yang:events">`)
	for _, e := range events {
		if known[e.ID] {
			continue
		}
		known[e.ID] = true
		b.WriteString("<event>")
		leaf := func(name, value string) {
			if value != "" {
				fmt.Fprintf(&b, "<%s>%s</%s>", name, strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(value), strings.Fields(name)[0])
			}
		}
		leaf("id", e.ID)
		leaf("time", data.FormatTime(e.Time))
		leaf("kind", e.Kind.String())
		leaf("node", e.Node)
		leaf("resource", e.Resource)
		leaf("alarm-type-id", e.AlarmTypeID)
		leaf("alarm-type-qualifier", e.AlarmTypeQualifier)
		leaf("severity", e.Severity.String())
		leaf("text", e.Text)
		leaf("value", e.Value)
		leaf("threshold", e.Threshold)
		leaf("trace-id", e.TraceID)
		fmt.Fprintf(&b, `<arrival xmlns="urn:incidentd:yang:collector">%s</arrival>`, data.FormatTime(e.Arrival))
		b.WriteString("</event>")
	}
	b.WriteString("</report-events>")
	return []byte(b.String())
}
