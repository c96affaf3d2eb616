package correlate

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"incidentd/incident/topology"
)

// TestDegraded scores the recorded network where less is known of it than is true: a
// model has gaps and errors, an inventory has no line cards, and a vendor's names may
// tell nothing.
func TestDegraded(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3")
	}
	for _, c := range []struct {
		name  string
		spoil func(r *recording, nets []topology.Network, inv *topology.Inventory)
		floor float64
	}{
		{"as it is", func(*recording, []topology.Network, *topology.Inventory) {}, 0.99},
		{"gaps", func(_ *recording, n []topology.Network, _ *topology.Inventory) { unsupported(n, 0.1, 1) }, 0.98},
		{"more gaps", func(_ *recording, n []topology.Network, _ *topology.Inventory) { unsupported(n, 0.3, 2) }, 0.97},
		{"stale", func(_ *recording, n []topology.Network, _ *topology.Inventory) { stale(n, 0.05, 3) }, 0.98},
		{"no cards", func(_ *recording, _ []topology.Network, inv *topology.Inventory) { cardless(inv) }, 0.98},
		{"mute types", func(r *recording, _ []topology.Network, _ *topology.Inventory) { mute(r, 0.15, 4) }, 0.97},
		{"all", func(r *recording, n []topology.Network, inv *topology.Inventory) {
			unsupported(n, 0.08, 5)
			stale(n, 0.03, 6)
			cardless(inv)
			mute(r, 0.08, 7)
		}, 0.97},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := load(t, "dev")
			nets, inv := r.networks, r.inventory
			c.spoil(r, nets, inv)
			r.index = topology.Build(nets, inv)
			dir := t.TempDir()
			if d := os.Getenv("INCIDENTD_OUT"); d != "" {
				dir = d
			}
			name := strings.ReplaceAll(c.name, " ", "-")
			out, res := filepath.Join(dir, name+".jsonl"), filepath.Join(dir, name+".json")
			if err := os.WriteFile(out, r.replay(), 0o600); err != nil {
				t.Fatal(err)
			}
			text, err := exec.Command(python, filepath.Join(shared(t), "tools", "score.py"), r.dir, out, "--kinds", "--json", res).CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			b, err := os.ReadFile(res)
			if err != nil {
				t.Fatal(err)
			}
			var rows []map[string]any
			if err := json.Unmarshal(b, &rows); err != nil || len(rows) != 1 {
				t.Fatalf("%v: %s", err, b)
			}
			line := ""
			for _, k := range []string{"S", "V", "ARI", "P", "R", "F1", "rc@1", "svcP", "svcR", "lat95", "FTRm", "FTRp", "miss", "inc"} {
				line += fmt.Sprintf(" %s %.3f", k, rows[0][k])
			}
			t.Log(line)
			if s := rows[0]["S"].(float64); s < c.floor {
				t.Errorf("S = %.3f, below %.3f\n%s", s, c.floor, text)
			}
		})
	}
}

// unsupported takes the supporting links from a share of the links that have some.
func unsupported(nets []topology.Network, share float64, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1))
	for n := range nets {
		both := map[string]bool{}
		for k := range nets[n].Links {
			l := &nets[n].Links[k]
			if len(l.Supporting) == 0 {
				continue
			}
			ends := []string{l.SourceNode + " " + l.SourceTP, l.DestNode + " " + l.DestTP}
			slices.Sort(ends)
			key := strings.Join(ends, " ")
			gone, known := both[key]
			if !known {
				gone = r.Float64() < share
				both[key] = gone
			}
			if gone {
				l.Supporting = nil
			}
		}
	}
}

// stale has a share of the links rest on what another link of their network rests on.
func stale(nets []topology.Network, share float64, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1))
	for n := range nets {
		links := nets[n].Links
		for k := range links {
			if j := r.IntN(len(links)); len(links[k].Supporting) > 0 && r.Float64() < share {
				links[k].Supporting = slices.Clone(links[j].Supporting)
			}
		}
	}
}

func cardless(inv *topology.Inventory) {
	for k := range inv.Nodes {
		inv.Nodes[k].LineCards = nil
	}
}

// mute renames a share of the alarm types to numbers and takes the words from their
// events and from the inventory.
func mute(r *recording, share float64, seed uint64) {
	name := func(id string) string {
		h := fnv.New64a()
		fmt.Fprint(h, seed, id)
		if float64(h.Sum64()%10_000) >= share*10_000 {
			return id
		}
		return fmt.Sprintf("vnd:%#x", h.Sum64()%65536)
	}
	for k := range r.events {
		ev := &r.events[k]
		if n := name(ev.AlarmTypeID); n != ev.AlarmTypeID {
			ev.AlarmTypeID, ev.Text = n, "see the manual"
		}
	}
	for k := range r.config.AlarmTypes {
		a := &r.config.AlarmTypes[k]
		if n := name(a.ID); n != a.ID {
			a.ID, a.Description = n, "see the manual"
		}
	}
}

// TestSilentDegradation: links do not always say that they lose. Of tunnels that complain together
// the link is found that all of them take; of one alone it is not guessed.
func TestSilentDegradation(t *testing.T) {
	d := newDesk(t, layers, layersInventory, Config{})
	d.at(0, "kpi PA:t1 path-loss major", "kpi PB:t3 path-loss major")
	d.until(5 * time.Minute)
	open := d.e.Open()
	if len(open) != 1 || open[0].RootCauses[0].CauseName != "Link quality degraded" || open[0].RootCauses[0].Node != "B" && open[0].RootCauses[0].Node != "PB" {
		t.Errorf("two tunnels share the link of B and PB\n%s", d.log())
	}
	d = newDesk(t, layers, layersInventory, Config{})
	d.at(0, "kpi PA:t1 path-loss major", "kpi PA:t1 path-delay major")
	d.until(5 * time.Minute)
	if open := d.e.Open(); len(open) != 1 || open[0].RootCauses[0].CauseName == "Link quality degraded" {
		t.Errorf("one tunnel tells no link from another\n%s", d.log())
	}
}
