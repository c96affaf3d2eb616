package demo

import (
	"bytes"
	"encoding/xml"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"incidentd/incident/topology"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestNetworksGolden(t *testing.T) {
	for name, got := range map[string][]byte{"networks.xml": Networks(), "inventory.json": Inventory()} {
		file := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), string(got)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// read takes the document apart with the tables of another package.
func read(t *testing.T) []topology.Network {
	type ref struct {
		Network string `xml:"network-ref"`
		Node    string `xml:"node-ref"`
		TP      string `xml:"tp-ref"`
		Link    string `xml:"link-ref"`
	}
	var doc struct {
		Networks []struct {
			ID   string `xml:"network-id"`
			Over []ref  `xml:"supporting-network"`
			Node []struct {
				ID   string `xml:"node-id"`
				Over []ref  `xml:"supporting-node"`
				TP   []struct {
					ID   string `xml:"tp-id"`
					Over []ref  `xml:"supporting-termination-point"`
				} `xml:"termination-point"`
			} `xml:"node"`
			Link []struct {
				ID      string `xml:"link-id"`
				Source  string `xml:"source>source-node"`
				SrcTP   string `xml:"source>source-tp"`
				Dest    string `xml:"destination>dest-node"`
				DestTP  string `xml:"destination>dest-tp"`
				Support []ref  `xml:"supporting-link"`
			} `xml:"link"`
		} `xml:"network"`
	}
	if err := xml.Unmarshal(Networks(), &doc); err != nil {
		t.Fatal(err)
	}
	var out []topology.Network
	for _, n := range doc.Networks {
		o := topology.Network{ID: n.ID}
		for _, r := range n.Over {
			o.Supporting = append(o.Supporting, r.Network)
		}
		for _, d := range n.Node {
			m := topology.Node{ID: d.ID}
			for _, r := range d.Over {
				m.Supporting = append(m.Supporting, topology.NodeRef{Network: r.Network, Node: r.Node})
			}
			for _, p := range d.TP {
				q := topology.TP{ID: p.ID}
				for _, r := range p.Over {
					q.Supporting = append(q.Supporting, topology.TPRef{Network: r.Network, Node: r.Node, TP: r.TP})
				}
				m.TPs = append(m.TPs, q)
			}
			o.Nodes = append(o.Nodes, m)
		}
		for _, l := range n.Link {
			k := topology.Link{ID: l.ID, SourceNode: l.Source, SourceTP: l.SrcTP, DestNode: l.Dest, DestTP: l.DestTP}
			for _, r := range l.Support {
				k.Supporting = append(k.Supporting, topology.LinkRef{Network: r.Network, Link: r.Link})
			}
			o.Links = append(o.Links, k)
		}
		out = append(out, o)
	}
	return out
}

// Everything that a layer rests on is there: no dangling reference, no link whose ends
// do not continue those of the links below.
func TestNetworksHangTogether(t *testing.T) {
	links := map[topology.LinkRef]topology.Link{}
	tps := map[string]map[end]bool{}
	for _, n := range read(t) {
		tps[n.ID] = map[end]bool{}
		for _, d := range n.Nodes {
			for _, p := range d.TPs {
				tps[n.ID][end{d.ID, p.ID}] = true
				for _, r := range p.Supporting {
					if !tps[r.Network][end{r.Node, r.TP}] {
						t.Errorf("%s: %s %s rests on %v, which is not there", n.ID, d.ID, p.ID, r)
					}
				}
			}
		}
		for _, l := range n.Links {
			links[topology.LinkRef{Network: n.ID, Link: l.ID}] = l
			for _, e := range []end{{l.SourceNode, l.SourceTP}, {l.DestNode, l.DestTP}} {
				if !tps[n.ID][e] {
					t.Errorf("%s: link %s ends at %v, which is not there", n.ID, l.ID, e)
				}
			}
			at := ""
			for _, r := range l.Supporting {
				u, ok := links[r]
				if !ok {
					t.Fatalf("%s: link %s rests on %v, which is not there", n.ID, l.ID, r)
				}
				if at != "" && u.SourceNode != at {
					t.Errorf("%s: link %s jumps from %s to %s", n.ID, l.ID, at, u.SourceNode)
				}
				at = u.DestNode
			}
		}
	}
	x := topology.Build(read(t), nil)
	if s := x.Stats(); s.Dangling != 0 || s.Networks != 7+len(vpns) {
		t.Errorf("index: %+v", s)
	}
	inv, err := topology.ReadInventory(bytes.NewReader(Inventory()))
	if err != nil {
		t.Fatal(err)
	}
	if len(inv.Nodes) < 2*len(sites) {
		t.Errorf("%d nodes in the inventory", len(inv.Nodes))
	}
	if n := strings.Count(string(Networks()), "<inv:site>"); n != len(inv.Nodes) {
		t.Errorf("%d of %d nodes have their inventory in the configuration", n, len(inv.Nodes))
	}
}

// VPN-A takes the path of the examples of the incident draft.
func TestDraftPath(t *testing.T) {
	c := plan()
	for _, tun := range c.tunnels {
		if tun.head != "PE1" || tun.tail != "PE2" {
			continue
		}
		at, got := tun.head, []string{tun.head}
		for _, l := range tun.links {
			_, to := c.towards(l, at)
			at = to.node
			got = append(got, at)
		}
		if d := cmp.Diff([]string{"PE1", "P1", "P2", "PE2"}, got); d != "" {
			t.Error(d)
		}
		return
	}
	t.Error("no tunnel from PE1 to PE2")
}

func TestNetworksValid(t *testing.T) {
	lint, err := exec.LookPath("yanglint")
	if err != nil {
		t.Skip("yanglint is not installed (apt: libyang2-tools); the schema check of the sample network is skipped")
	}
	modules, err := filepath.Abs("../../../yang/modules")
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"-p", modules}
	for _, m := range []string{"ietf-network@*.yang", "ietf-network-topology@*.yang", "incidentd-inventory@*.yang"} {
		found, err := filepath.Glob(filepath.Join(modules, m))
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: %v, %v", m, found, err)
		}
		args = append(args, found[0])
	}
	file := filepath.Join(t.TempDir(), "networks.xml")
	if err := os.WriteFile(file, Networks(), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(lint, append(args, "-t", "config", file)...).CombinedOutput()
	if err != nil {
		t.Errorf("yanglint: %v\n%s", err, out)
	}
}
