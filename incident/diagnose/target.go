package diagnose

import (
	"net/netip"
	"slices"

	"incidentd/yang/data"
)

// Vantage is a near end of tests.
type Vantage struct {
	Name string // "": this host
	Node string // beside which it stands; "": not known
}

// Configured is a unitary test that supervises something.
type Configured struct {
	Name       string
	Parameters *data.Node // the container of its type
	Resources  []string
	Services   []string
}

// Target is what a playbook works on: the path to an address, or a node with all of its
// addresses.
type Target struct {
	Vantage
	Node    string
	Address netip.Addr // of a path
	Away    int        // links from the near end by the topology; 0: not known
	Whole   bool       // the node with its interfaces and neighbours
	Ports   []string   // of TCP that have to answer
	Tests   []Configured
}

// Bounds of a plan.
const (
	mostTargets = 2 // paths, besides the node
	mostTests   = 4 // configured ones
	bgpPort     = "179"
)

// TargetsOf are what the diagnosis of a subject has to test, the most telling first. There is
// none when no address of what it is about is known.
func TargetsOf(n *Network, vantages []Vantage, tests []Configured, s Subject) (list []Target) {
	if s.Planned {
		return nil
	}
	b := &chooser{Network: n, vantages: vantages, subject: s}
	for _, t := range tests {
		if t.concerns(s) && len(b.tests) < mostTests {
			b.tests = append(b.tests, t)
		}
	}
	switch s.Category {
	case "device", "device-hardware", "device-software", "line", "power-enviorment":
		b.whole(first(s.Causes))
	}
	switch s.Category {
	case "protocol":
		b.peers(true)
		b.causes()
		b.services()
	default:
		b.peers(false)
		b.services()
		b.causes()
	}
	if len(b.list) == 0 {
		b.tested()
	}
	if len(b.list) > 0 {
		last := len(b.list) - 1
		for i := range b.list {
			if !b.list[i].Whole { // the first path has the tests of the service
				last = i
				break
			}
		}
		b.list[last].Tests = b.tests
	}
	return b.list
}

// concerns reports whether a test supervises what an incident hits.
func (t *Configured) concerns(s Subject) bool {
	for _, v := range t.Services {
		if slices.Contains(s.Services, v) {
			return true
		}
	}
	for _, r := range t.Resources {
		for _, p := range append(slices.Clone(s.Causes), s.Sources...) {
			if r == p.Node || r == p.Node+"/"+p.Resource || r == p.String() {
				return true
			}
		}
	}
	return false
}

func first(list []Place) Place {
	if len(list) == 0 {
		return Place{}
	}
	return list[0]
}

// chooser chooses targets.
type chooser struct {
	*Network
	vantages []Vantage
	subject  Subject
	tests    []Configured
	list     []Target
	paths    int
}

// add adds the path to a node, unless it is there, or no address of the node is known.
func (b *chooser) add(v Vantage, node string, to netip.Addr, ports ...string) {
	known := slices.ContainsFunc(b.list, func(t Target) bool { return !t.Whole && t.Node == node && t.Vantage == v })
	if b.paths == mostTargets || known || !to.IsValid() || node != "" && v.Node == node {
		return
	}
	b.paths++
	b.list = append(b.list, Target{Vantage: v, Node: node, Address: to, Away: b.Distances(node)[v.Node], Ports: ports})
}

// whole adds a node with its interfaces and neighbours.
func (b *chooser) whole(at Place) {
	if _, ok := b.Address(at.Node); ok {
		b.list = append(b.list, Target{Vantage: b.nearest(at.Node), Node: at.Node, Whole: true})
	}
}

// nearest is the vantage point from which a node is the fewest links away; without any whose
// node is known, this host.
func (b *chooser) nearest(node string) (best Vantage) {
	away := b.Distances(node)
	least := -1
	for _, v := range b.vantages {
		if d, ok := away[v.Node]; ok && (least < 0 || d < least) {
			best, least = v, d
		}
	}
	return best
}

// services adds paths between the ends of the services that are hit.
func (b *chooser) services() {
	for _, name := range b.subject.Services {
		id, ok := b.Service(name)
		if !ok {
			continue
		}
		var ends []string
		for _, n := range b.ServiceNodes(id) {
			ends = append(ends, b.NodeName(n))
		}
		from := Vantage{}
		for _, v := range b.vantages {
			if slices.Contains(ends, v.Node) {
				from = v
				break
			}
		}
		if from.Node == "" && len(ends) > 0 {
			from = b.nearest(ends[0])
		}
		for _, end := range ends {
			to, _ := b.Address(end)
			b.add(from, end, to)
		}
	}
}

// causes adds paths to what may be the cause, beyond the link that is named.
func (b *chooser) causes() {
	for _, p := range append(slices.Clone(b.subject.Causes), b.subject.Sources...) {
		v := b.nearest(p.Node)
		to, _ := b.Address(p.Node)
		node := p.Node
		if far, ok := b.Far(p); ok {
			away := b.Distances(v.Node)
			if v.Node == p.Node || away != nil && away[far.Node] > away[p.Node] {
				if list := b.ports[far]; len(list) > 0 {
					node, to = far.Node, list[0]
				} else if a, ok := b.Address(far.Node); ok {
					node, to = far.Node, a
				}
			}
		}
		b.add(v, node, to)
	}
}

// peers adds paths between the ends of the sessions that are named, or of the tunnels.
func (b *chooser) peers(sessions bool) {
	var ports []string
	if sessions {
		ports = []string{bgpPort}
	}
	for _, p := range append(slices.Clone(b.subject.Causes), b.subject.Sources...) {
		for _, peer := range b.Peers(p, sessions) {
			v := b.nearest(p.Node)
			far := peer
			if v.Node == peer {
				far = p.Node
			}
			to, _ := b.Address(far)
			b.add(v, far, to, ports...)
		}
	}
}

// tested adds the far ends of the tests that supervise what is hit, where the topology has no
// address.
func (b *chooser) tested() {
	for _, t := range b.tests {
		a, err := netip.ParseAddr(t.Parameters.Leaf("target"))
		if err != nil {
			continue
		}
		v := Vantage{Name: t.Parameters.Leaf("vantage-point")}
		for _, known := range b.vantages {
			if known.Name == v.Name {
				v = known
			}
		}
		at, _ := b.Owner(a)
		b.add(v, at.Node, a)
	}
}
