package correlate

import (
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"incidentd/incident/event"
	"incidentd/incident/topology"
)

// recording is a recorded network.
type recording struct {
	dir    string
	index  *topology.Index
	events []event.Event
	config Config

	networks  []topology.Network
	inventory *topology.Inventory
}

// shared returns the folder of reference material; the test is skipped without it.
func shared(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	for err == nil {
		if _, e := os.Stat(filepath.Join(dir, "go.mod")); e == nil {
			s := filepath.Join(dir, "..", "shared")
			if _, e := os.Stat(s); e != nil {
				t.Skip("no reference material beside the repository")
			}
			return s
		}
		if dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	t.Skip("the repository's root was not found")
	return ""
}

func load(t testing.TB, name string) *recording {
	t.Helper()
	r := &recording{dir: filepath.Join(shared(t), "data", "correlation", name)}
	if d := os.Getenv("INCIDENTD_RECORDING"); d != "" {
		r.dir = d
	}
	open := func(file string) *os.File {
		f, err := os.Open(filepath.Join(r.dir, file))
		if err != nil {
			t.Skip("no recording: ", err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	inv, err := topology.ReadInventory(open("inventory.json"))
	must(err)
	r.config.AlarmTypes, err = ReadAlarmTypes(open("alarm-types.json"))
	must(err)
	r.config.ApplyLearned = true // as the command does
	r.config.Marks, err = ReadMarks(open("marks.json"))
	must(err)
	nets, err := readNetworks(open("topology.xml"))
	must(err)
	r.index, r.networks, r.inventory = topology.Build(nets, inv), nets, inv
	s := event.NewScanner(open("events.jsonl"))
	for s.Scan() {
		r.events = append(r.events, s.Event())
	}
	must(s.Err())
	return r
}

func readNetworks(f *os.File) ([]topology.Network, error) {
	var doc struct {
		Networks []struct {
			ID    string `xml:"network-id"`
			Under []struct {
				Ref string `xml:"network-ref"`
			} `xml:"supporting-network"`
			Nodes []struct {
				ID    string `xml:"node-id"`
				Under []struct {
					Network string `xml:"network-ref"`
					Node    string `xml:"node-ref"`
				} `xml:"supporting-node"`
				TPs []struct {
					ID    string `xml:"tp-id"`
					Under []struct {
						Network string `xml:"network-ref"`
						Node    string `xml:"node-ref"`
						TP      string `xml:"tp-ref"`
					} `xml:"supporting-termination-point"`
				} `xml:"termination-point"`
			} `xml:"node"`
			Links []struct {
				ID    string `xml:"link-id"`
				A     string `xml:"source>source-node"`
				ATP   string `xml:"source>source-tp"`
				B     string `xml:"destination>dest-node"`
				BTP   string `xml:"destination>dest-tp"`
				Under []struct {
					Network string `xml:"network-ref"`
					Link    string `xml:"link-ref"`
				} `xml:"supporting-link"`
			} `xml:"link"`
		} `xml:"network"`
	}
	if err := xml.NewDecoder(f).Decode(&doc); err != nil {
		return nil, fmt.Errorf("topology: %w", err)
	}
	var out []topology.Network
	for _, n := range doc.Networks {
		w := topology.Network{ID: n.ID}
		for _, u := range n.Under {
			w.Supporting = append(w.Supporting, u.Ref)
		}
		for _, d := range n.Nodes {
			v := topology.Node{ID: d.ID}
			for _, u := range d.Under {
				v.Supporting = append(v.Supporting, topology.NodeRef{Network: u.Network, Node: u.Node})
			}
			for _, p := range d.TPs {
				tp := topology.TP{ID: p.ID}
				for _, u := range p.Under {
					tp.Supporting = append(tp.Supporting, topology.TPRef{Network: u.Network, Node: u.Node, TP: u.TP})
				}
				v.TPs = append(v.TPs, tp)
			}
			w.Nodes = append(w.Nodes, v)
		}
		for _, k := range n.Links {
			l := topology.Link{ID: k.ID, SourceNode: k.A, SourceTP: k.ATP, DestNode: k.B, DestTP: k.BTP}
			for _, u := range k.Under {
				l.Supporting = append(l.Supporting, topology.LinkRef{Network: u.Network, Link: u.Link})
			}
			w.Links = append(w.Links, l)
		}
		out = append(out, w)
	}
	return out, nil
}

func (r *recording) engine() *Engine {
	e := New(r.config)
	e.SetTopology(r.index)
	return e
}

func (r *recording) replay() []byte {
	p := NewReplay(r.engine(), nil)
	for _, ev := range r.events {
		p.Feed(ev)
	}
	return lines(p.Finish())
}

func lines(is []*Incident) (b []byte) {
	for _, i := range is {
		b = append(AppendJSON(b, i), '\n')
	}
	return b
}
