package simulation

import (
	"bufio"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"incidentd/incident/event"
	"incidentd/incident/topology"
)

// AlarmType is a line of the alarm inventory.
type AlarmType struct {
	ID            string   `json:"alarm-type-id"`
	ResourceClass string   `json:"resource-class"`
	WillClear     bool     `json:"will-clear"`
	Severities    []string `json:"severity-level"`
	Description   string   `json:"description"`
}

type vpnFile struct {
	ID     string   `json:"id"`
	Access []string `json:"access"`
	Tunnel []string `json:"tunnel"`
}

// describe writes down what is known of the network, which may be less than is true.
func (w *world) describe(rec *Recording) {
	r := rand.New(rand.NewPCG(w.p.Seed, 11))
	rec.Inventory = &topology.Inventory{}
	for _, n := range w.nodes {
		in := topology.InventoryNode{ID: n.name, Site: n.site, Domain: n.d.name, Role: string(n.role), Vendor: n.words.name}
		if !w.p.Cardless && (n.role == core || n.role == edge) {
			for _, c := range slices.Sorted(keys(n.cards)) {
				in.LineCards = append(in.LineCards, topology.LineCard{Name: c, Ports: n.cards[c]})
			}
		}
		rec.Inventory.Nodes = append(rec.Inventory.Nodes, in)
	}
	for _, d := range w.domains {
		rec.Networks = append(rec.Networks, w.opticalNetworks(d)...)
	}
	rec.Networks = append(rec.Networks, w.packetNetworks()...)
	rec.Networks = append(rec.Networks, w.overlayNetworks(rec)...)
	w.spoil(rec, r)
}

func keys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// layer is a network being written.
type layer struct {
	n  topology.Network
	at map[string]int
}

func newLayer(id string, under ...string) *layer {
	return &layer{n: topology.Network{ID: id, Supporting: under}, at: map[string]int{}}
}

func (l *layer) node(name string, under ...topology.NodeRef) *topology.Node {
	k, ok := l.at[name]
	if !ok {
		k = len(l.n.Nodes)
		l.at[name] = k
		l.n.Nodes = append(l.n.Nodes, topology.Node{ID: name, Supporting: under})
	}
	return &l.n.Nodes[k]
}

func (l *layer) tp(node, tp string, under ...topology.TPRef) {
	n := l.node(node)
	if !slices.ContainsFunc(n.TPs, func(t topology.TP) bool { return t.ID == tp }) {
		n.TPs = append(n.TPs, topology.TP{ID: tp, Supporting: under})
	}
}

// both adds a link and the one back, which has the same id behind "back:".
func (l *layer) both(id string, a, b *port, under ...topology.LinkRef) {
	l.tp(a.n.name, a.name)
	l.tp(b.n.name, b.name)
	back := slices.Clone(under)
	for k := range back {
		back[k].Link = "back:" + back[k].Link
	}
	slices.Reverse(back)
	l.n.Links = append(l.n.Links, topology.Link{ID: id, SourceNode: a.n.name, SourceTP: a.name, DestNode: b.n.name, DestTP: b.name, Supporting: under},
		topology.Link{ID: "back:" + id, SourceNode: b.n.name, SourceTP: b.name, DestNode: a.n.name, DestTP: a.name, Supporting: back})
}

func (w *world) opticalNetworks(d *domain) []topology.Network {
	lines, chans := newLayer("wdm-"+d.name), newLayer("light-"+d.name, "wdm-"+d.name)
	for _, n := range d.optical {
		lines.node(n.name)
		chans.node(n.name, topology.NodeRef{Network: lines.n.ID, Node: n.name})
	}
	for _, f := range w.fibres {
		if f.d == d {
			lines.both(f.id, f.a, f.b)
		}
	}
	for _, c := range w.chans {
		if c.d != d {
			continue
		}
		var under []topology.LinkRef
		for _, f := range c.path {
			under = append(under, topology.LinkRef{Network: lines.n.ID, Link: f.id})
		}
		chans.both(c.id, c.a, c.b, under...)
	}
	return []topology.Network{lines.n, chans.n}
}

func (w *world) packetNetworks() (out []topology.Network) {
	between := newLayer("ip-between")
	for _, d := range w.domains {
		ip, isis := newLayer("ip-"+d.name, "light-"+d.name), newLayer("isis-"+d.name, "ip-"+d.name)
		for _, l := range d.internal {
			var under []topology.LinkRef
			if l.ch != nil {
				under = append(under, topology.LinkRef{Network: "light-" + d.name, Link: l.ch.id})
				for _, p := range [2]*port{l.a, l.b} {
					ip.tp(p.n.name, p.name, topology.TPRef{Network: "light-" + d.name, Node: p.under.n.name, TP: p.under.name})
				}
			}
			ip.both(l.id, l.a, l.b, under...)
			for _, p := range [2]*port{l.a, l.b} {
				isis.tp(p.n.name, p.name, topology.TPRef{Network: ip.n.ID, Node: p.n.name, TP: p.name})
			}
			isis.both("isis:"+l.id, l.a, l.b, topology.LinkRef{Network: ip.n.ID, Link: l.id})
			// The way back of the protocol rests on the way back below.
			k := &isis.n.Links[len(isis.n.Links)-1]
			k.Supporting = []topology.LinkRef{{Network: ip.n.ID, Link: "back:" + l.id}}
		}
		out = append(out, ip.n, isis.n)
		between.n.Supporting = append(between.n.Supporting, ip.n.ID)
	}
	for _, l := range w.links {
		if l.net == between.n.ID {
			between.both(l.id, l.a, l.b)
		}
	}
	if len(between.n.Links) > 0 {
		out = append(out, between.n)
	}
	return out
}

func (w *world) overlayNetworks(rec *Recording) (out []topology.Network) {
	var ips []string
	for _, d := range w.domains {
		ips = append(ips, "ip-"+d.name)
	}
	acc, bgp, te := newLayer("customers", ips...), newLayer("bgp", append(slices.Clone(ips), "customers")...), newLayer("lsp", ips...)
	if len(w.domains) > 1 {
		te.n.Supporting = append(te.n.Supporting, "ip-between")
	}
	for _, a := range w.access {
		acc.both(a.id, a.pe, a.ce)
	}
	for _, s := range w.peers {
		var under []topology.LinkRef
		if s.line != nil {
			under = []topology.LinkRef{{Network: "customers", Link: s.line.id}}
		}
		bgp.both("bgp:"+s.a.name+"--"+s.b.name, &port{n: s.a, name: "bgp/" + s.b.name}, &port{n: s.b, name: "bgp/" + s.a.name}, under...)
	}
	for _, t := range w.tunnels {
		k := topology.Link{ID: t.name, SourceNode: t.head.name, SourceTP: t.name, DestNode: t.tail.name, DestTP: t.name + "-end"}
		te.tp(k.SourceNode, k.SourceTP)
		te.tp(k.DestNode, k.DestTP)
		n := t.head
		for _, l := range t.path {
			id := l.id
			if l.a.n != n {
				id = "back:" + id
			}
			k.Supporting = append(k.Supporting, topology.LinkRef{Network: l.net, Link: id})
			n = l.far(n)
		}
		te.n.Links = append(te.n.Links, k)
	}
	out = append(out, acc.n, bgp.n, te.n)
	for _, v := range w.vpns {
		l := newLayer(v.name, "lsp", "customers")
		f := vpnFile{ID: v.name}
		for _, a := range v.access {
			l.node(a.pe.n.name, topology.NodeRef{Network: "ip-" + a.pe.n.d.name, Node: a.pe.n.name})
			l.tp(a.pe.n.name, a.pe.name, topology.TPRef{Network: "customers", Node: a.pe.n.name, TP: a.pe.name})
			f.Access = append(f.Access, a.ce.n.name)
		}
		for _, t := range v.tunnels {
			l.tp(t.head.name, "to-"+t.tail.name)
			l.tp(t.tail.name, "from-"+t.head.name)
			l.n.Links = append(l.n.Links, topology.Link{ID: v.name + ":" + t.name, SourceNode: t.head.name, SourceTP: "to-" + t.tail.name, DestNode: t.tail.name, DestTP: "from-" + t.head.name,
				Supporting: []topology.LinkRef{{Network: "lsp", Link: t.name}}})
			f.Tunnel = append(f.Tunnel, t.name)
		}
		out = append(out, l.n)
		rec.services = append(rec.services, f)
	}
	return out
}

// spoil takes supporting links away, from a link and the one back alike, and gives links
// those of others.
func (w *world) spoil(rec *Recording, r *rand.Rand) {
	for n := range rec.Networks {
		links := rec.Networks[n].Links
		gone := map[string]bool{}
		for k := range links {
			l := &links[k]
			id := strings.TrimPrefix(l.ID, "back:")
			if _, known := gone[id]; !known {
				gone[id] = r.Float64() < w.p.Missing
			}
			switch {
			case len(l.Supporting) == 0:
			case gone[id]:
				l.Supporting = nil
			case r.Float64() < w.p.Stale:
				l.Supporting = slices.Clone(links[r.IntN(len(links))].Supporting)
			}
		}
	}
}

// types writes the inventory of alarm types, and makes some of them mute.
func (rec *Recording) types(seed uint64, mute float64) {
	silent := func(id string) string {
		h := fnv.New64a()
		fmt.Fprint(h, seed, id)
		if float64(h.Sum64()%10_000) >= mute*10_000 {
			return id
		}
		return fmt.Sprintf("x-%04x", h.Sum64()%65536)
	}
	for k := range rec.Events {
		if ev := &rec.Events[k]; silent(ev.AlarmTypeID) != ev.AlarmTypeID {
			ev.AlarmTypeID, ev.Text = silent(ev.AlarmTypeID), "condition changed"
		}
	}
	for k := range whats {
		for _, id := range slices.Sorted(keys(rec.names[k])) {
			t := AlarmType{ID: silent(id), ResourceClass: "unspecified", WillClear: k != lastGasp && k != editFailed && k != spanFailed && k != committed && k != taskSlow && k != loginFailed && k != licence,
				Severities: []string{}, Description: strings.NewReplacer("%r", "...", "%p", "...").Replace(neutral[k].text)}
			if t.ID != id {
				t.Description = ""
			}
			if !slices.ContainsFunc(rec.Types, func(o AlarmType) bool { return o.ID == t.ID }) {
				rec.Types = append(rec.Types, t)
			}
		}
	}
}

// Write writes the files of a recorded network into a directory.
func (rec *Recording) Write(dir string) error {
	return errors.Join(rec.writeJSON(dir), rec.writeTopology(dir), rec.writeEvents(dir))
}

func (rec *Recording) writeJSON(dir string) error {
	put := func(name string, v any) error {
		b, err := json.Marshal(v)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, name), append(b, '\n'), 0o600)
	}
	marks := []map[string]any{}
	for _, m := range rec.Marks {
		marks = append(marks, map[string]any{"mark-id": m.ID, "reason": m.Reason, "object": map[string]string{"network": m.Network, "link": m.Link}, "start": m.Start, "end": m.End})
	}
	faults := []map[string]any{}
	for _, f := range rec.Truth {
		kind := "fault"
		if f.Risk {
			kind = "potential-risk"
		}
		m := map[string]any{"id": f.ID, "kind": f.Kind, "start": f.Start, "end": f.End, "first-arrival": f.First, "events": f.Events, "root": f.Roots, "root-events": f.RootEvents,
			"services": f.Services, "type": kind, "category": []string{}, "domain": []string{}, "priority": []string{}, "ticket": f.Ticket, "labels": f.Labels}
		for _, name := range []string{"root-events", "services", "labels"} {
			switch name {
			case "root-events":
				if f.RootEvents == nil {
					m[name] = []string{}
				}
			case "services":
				if f.Services == nil {
					m[name] = map[string]string{}
				}
			case "labels":
				if f.Labels == nil {
					m[name] = []string{}
				}
			}
		}
		if f.Occurrence > 0 {
			m["occurrence"] = f.Occurrence
		}
		if f.Periodic != "" {
			m["periodic"] = f.Periodic
		}
		if f.InWindow {
			m["in_window"] = true
		}
		faults = append(faults, m)
	}
	return errors.Join(put("inventory.json", rec.Inventory), put("services.json", map[string]any{"service": rec.services}), put("alarm-types.json", map[string]any{"alarm-type": rec.Types}),
		put("marks.json", map[string]any{"mark": marks}), put("truth.json", map[string]any{"meta": map[string]any{"events": len(rec.Events), "faults": len(rec.Truth)}, "fault": faults}))
}

func (rec *Recording) writeEvents(dir string) error {
	return create(filepath.Join(dir, "events.jsonl"), func(w *bufio.Writer) {
		var b []byte
		for k := range rec.Events {
			b = append(event.AppendJSON(b[:0], &rec.Events[k]), '\n')
			w.Write(b)
		}
	}, filepath.Join(dir, "truth-events.tsv"), func(w *bufio.Writer) {
		for k := range rec.Events {
			f := "-"
			if rec.Of[k] >= 0 {
				f = rec.Truth[rec.Of[k]].ID
			}
			fmt.Fprintf(w, "%s\t%s\t%c\n", rec.Events[k].ID, f, rec.Flags[k])
		}
	})
}

func create(first string, one func(*bufio.Writer), second string, two func(*bufio.Writer)) error {
	write := func(path string, fill func(*bufio.Writer)) error {
		f, err := os.Create(path)
		if err != nil {
			return err
		}
		w := bufio.NewWriter(f)
		fill(w)
		return errors.Join(w.Flush(), f.Close())
	}
	return errors.Join(write(first, one), write(second, two))
}

// writeTopology writes the networks as an edit-config would carry them.
func (rec *Recording) writeTopology(dir string) error {
	const nt = "urn:ietf:params:xml:ns:yang:ietf-network-topology"
	f, err := os.Create(filepath.Join(dir, "topology.xml"))
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	el := func(name, text string) {
		fmt.Fprintf(w, "<%s>", name)
		xml.EscapeText(w, []byte(text))
		fmt.Fprintf(w, "</%s>", name)
	}
	fmt.Fprintf(w, "<networks xmlns=\"urn:ietf:params:xml:ns:yang:ietf-network\" xmlns:nt=%q>\n", nt)
	for _, n := range rec.Networks {
		w.WriteString("<network>")
		el("network-id", n.ID)
		w.WriteString("<network-types/>")
		for _, s := range n.Supporting {
			w.WriteString("<supporting-network>")
			el("network-ref", s)
			w.WriteString("</supporting-network>")
		}
		for _, d := range n.Nodes {
			w.WriteString("\n<node>")
			el("node-id", d.ID)
			for _, s := range d.Supporting {
				w.WriteString("<supporting-node>")
				el("network-ref", s.Network)
				el("node-ref", s.Node)
				w.WriteString("</supporting-node>")
			}
			for _, p := range d.TPs {
				w.WriteString("<nt:termination-point>")
				el("nt:tp-id", p.ID)
				for _, s := range p.Supporting {
					w.WriteString("<nt:supporting-termination-point>")
					el("nt:network-ref", s.Network)
					el("nt:node-ref", s.Node)
					el("nt:tp-ref", s.TP)
					w.WriteString("</nt:supporting-termination-point>")
				}
				w.WriteString("</nt:termination-point>")
			}
			w.WriteString("</node>")
		}
		for _, l := range n.Links {
			w.WriteString("\n<nt:link>")
			el("nt:link-id", l.ID)
			w.WriteString("<nt:source>")
			el("nt:source-node", l.SourceNode)
			el("nt:source-tp", l.SourceTP)
			w.WriteString("</nt:source><nt:destination>")
			el("nt:dest-node", l.DestNode)
			el("nt:dest-tp", l.DestTP)
			w.WriteString("</nt:destination>")
			for _, s := range l.Supporting {
				w.WriteString("<nt:supporting-link>")
				el("nt:network-ref", s.Network)
				el("nt:link-ref", s.Link)
				w.WriteString("</nt:supporting-link>")
			}
			w.WriteString("</nt:link>")
		}
		w.WriteString("</network>\n")
	}
	w.WriteString("</networks>\n")
	return errors.Join(w.Flush(), f.Close())
}

// Period returns how long a recording lasts.
func (rec *Recording) Period() time.Duration {
	if len(rec.Events) == 0 {
		return 0
	}
	return rec.Events[len(rec.Events)-1].Arrival.Sub(rec.Events[0].Arrival)
}
