package diagnose

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"incidentd/oam"
)

// Localise tells what the tests of a playbook have found, the gravest first. It is a pure
// function. There is always a finding: that nothing is wrong, or that it cannot be told.
func Localise(n *Network, b *Book, done []Measured) []Finding {
	l := &localiser{n, b, done, nil}
	if b.Whole {
		l.node()
	} else {
		l.path()
	}
	slices.SortStableFunc(l.findings, func(a, b Finding) int { return gravity[a.Cause] - gravity[b.Cause] })
	return l.findings
}

// localiser makes findings.
type localiser struct {
	*Network
	book     *Book
	done     []Measured
	findings []Finding
}

func (l *localiser) find(f Finding) { l.findings = append(l.findings, f) }

// path judges what was measured of a path.
func (l *localiser) path() {
	e := last(l.done, reach)
	switch {
	case e == nil || e.found() == nil || e.found().Packets == nil || e.found().Packets.Sent == 0:
		l.find(Finding{Cause: Inconclusive, Detail: l.unmeasured(e)})
	case !answers(e):
		l.unreached()
	default:
		l.loss()
		l.size()
	}
	l.services()
	if len(l.findings) == 0 {
		l.nothing()
	}
}

// unmeasured tells why a test has no result.
func (l *localiser) unmeasured(m *Measured) string {
	if m == nil {
		return fmt.Sprintf("nothing was sent to %s", l.book.Address)
	}
	if m.Run.Detail == "" {
		return fmt.Sprintf("the test of %s ended before it had measured anything", l.book.Address)
	}
	return fmt.Sprintf("%s could not be tested: %s", l.book.Address, m.Run.Detail)
}

// owner is whose an address is, and how it is told.
func (l *localiser) owner(a netip.Addr) (Place, string) {
	if p, ok := l.Owner(a); ok {
		return p, fmt.Sprintf("%s (%s)", p, a)
	}
	return Place{}, fmt.Sprintf("%s, which is nobody's in the topology,", a)
}

// unreached judges why no echo is answered.
func (l *localiser) unreached() {
	sent := last(l.done, reach).found().Packets.Sent
	if i := slices.IndexFunc(l.done, func(m Measured) bool {
		return (m.role == port || m.role == service && m.Type != "icmp-echo" && m.Node == l.book.Node) && answers(&m)
	}); i >= 0 {
		at, name := l.owner(l.book.Address)
		l.find(Finding{Cause: ICMPFiltered, Conclusive: true, At: at, Address: l.book.Address,
			Detail: fmt.Sprintf("%s answers %s and none of %d echo requests", name, l.done[i].Type, sent)})
		return
	}
	w := last(l.done, way)
	if w == nil || w.found() == nil || w.found().Path == nil {
		l.find(Finding{Cause: Inconclusive, Loss: 1, Detail: fmt.Sprintf("none of %d echo requests to %s was answered, and the path could not be found: %s", sent, l.book.Address, l.unmeasured(w))})
		return
	}
	p := w.found().Path
	if p.Complete {
		at, name := l.owner(l.book.Address)
		l.find(Finding{Cause: ICMPFiltered, Conclusive: true, At: at, Address: l.book.Address,
			Detail: fmt.Sprintf("%s answers the probes of its path and none of %d echo requests", name, sent)})
		return
	}
	l.end(p, int(sent))
}

// end judges where a path ends.
func (l *localiser) end(p *oam.Path, sent int) {
	what, where, _ := strings.Cut(p.EndReason, " at ")
	if after, ok := strings.CutPrefix(p.EndReason, "silent-drop-after "); ok {
		what, where = "silent-drop-after", after
	}
	a, err := netip.ParseAddr(where)
	if err != nil {
		f := Finding{Cause: FirstHopSilent, Conclusive: true, Loss: 1, Detail: fmt.Sprintf("none of %d echo requests to %s was answered, and no router on the way says anything", sent, l.book.Address)}
		if l.book.Vantage.Node != "" {
			f.At, _ = l.Towards(l.book.Vantage.Node, l.book.Node)
			f.At.Node = l.book.Vantage.Node
			f.Peer, _ = l.Far(f.At)
		}
		l.find(f)
		return
	}
	at, name := l.owner(a)
	f := Finding{Conclusive: true, At: Place{Node: at.Node}, Address: a, Loss: 1}
	forward := func() {
		if out, ok := l.Towards(at.Node, l.book.Node); ok {
			f.At = out
			f.Peer, _ = l.Far(out)
		}
	}
	switch what {
	case "no-route":
		f.Cause, f.Detail = NoRoute, fmt.Sprintf("%s has no route to %s", name, l.book.Address)
	case "next-hop-unresolved":
		f.Cause, f.Detail = NextHopUnresolved, fmt.Sprintf("the next hop towards %s does not answer %s", l.book.Address, name)
		forward()
	case "administratively-prohibited":
		f.Cause, f.Detail = Prohibited, fmt.Sprintf("a filter of %s refuses packets to %s", name, l.book.Address)
	case "routing-loop":
		f.Cause = RoutingLoop
		l.loop(&f, p, a)
	case "silent-drop-after":
		f.Cause = SilentDropAfter
		f.Detail = fmt.Sprintf("packets to %s reach %s, and nothing comes back from behind it: they are dropped there or on the next link, or the way back is missing", l.book.Address, name)
		forward()
	default:
		f.Cause, f.Conclusive = Inconclusive, false
		f.Detail = fmt.Sprintf("the path to %s ends with %q", l.book.Address, p.EndReason)
	}
	l.find(f)
}

// loop names the nodes that packets go round between.
func (l *localiser) loop(f *Finding, p *oam.Path, at netip.Addr) {
	seen := map[netip.Addr]int{}
	var round []netip.Addr
	for _, h := range p.Hops {
		for _, a := range h.Addresses {
			if seen[a]++; seen[a] == 2 {
				round = append(round, a)
			}
		}
	}
	if !slices.Contains(round, at) {
		round = append(round, at)
	}
	var names []string
	f.At = Place{}
	for _, a := range round {
		owner, name := l.owner(a)
		names = append(names, name)
		switch {
		case f.At.Node == "":
			f.At, f.Address = Place{Node: owner.Node}, a
		case f.Peer.Node == "" && owner.Node != f.At.Node:
			f.Peer = Place{Node: owner.Node}
		}
	}
	f.Detail = fmt.Sprintf("packets to %s go round between %s", l.book.Address, strings.Join(names, " and "))
}

// loss judges loss and waits, hop by hop.
func (l *localiser) loss() {
	asked := l.ofHops(hops)
	if len(asked) == 0 {
		l.unlocated()
		return
	}
	samples, waits := make([]sample, 0, len(asked)), make([]time.Duration, len(asked))
	for i, m := range asked {
		p := m.found().Packets
		s := sample{i, int(p.Sent), int(m.found().Errors.Lost)}
		if i == len(asked)-1 { // the target was asked before
			first := last(l.done, reach).found()
			s.sent += int(first.Packets.Sent)
			s.lost += int(first.Errors.Lost)
		}
		samples = append(samples, s)
		if d := m.found().TwoWay; d != nil {
			waits[i] = queue(d)
		}
	}
	use := usable(samples)
	slow, isSlow := congested(waits)
	list := changes(use)
	for _, c := range list {
		i := use[c.at].hop
		before := -1
		if c.at > 0 {
			before = use[c.at-1].hop
		}
		f := l.segment(asked, before, i)
		f.Cause, f.Loss, f.Conclusive = LinkLoss, c.ratio-max(0, c.before-noise), c.margin >= evidence
		all := pool(use[c.at:c.to])
		f.Detail = fmt.Sprintf("%d of %d echo requests that cross %s are lost (%s)", all.lost, all.sent, f.Detail, percent(c.ratio))
		if len(list) > 1 && c.before > noise {
			f.Detail += fmt.Sprintf(", %s of them before it", percent(c.before))
		}
		if isSlow && slow == i {
			f.Cause, f.Conclusive, isSlow = Congestion, true, false // the waits carry it, however few are lost
			f.Detail += fmt.Sprintf(", and they wait up to %s", rounded(waits[i]))
		}
		if !f.Conclusive {
			f.Cause, f.At, f.Peer = Inconclusive, Place{}, Place{}
			f.Detail += "; the samples do not tell this place from others"
		}
		l.find(f)
	}
	if isSlow {
		f := l.segment(asked, slow-1, slow)
		f.Cause, f.Conclusive = Congestion, true
		f.Detail = fmt.Sprintf("packets that cross %s wait up to %s, those before it do not", f.Detail, rounded(waits[slow]))
		l.find(f)
	}
	if len(list) == 0 && lossy(l.done) {
		l.unlocated()
	}
}

// unlocated tells of loss that has no place.
func (l *localiser) unlocated() {
	sent, lost := l.towardsTarget()
	if lost > 0 {
		l.find(Finding{Cause: Inconclusive, Loss: float64(lost) / float64(sent), Address: l.book.Address,
			Detail: fmt.Sprintf("%d of %d echo requests to %s are lost; too few to tell where", lost, sent, l.book.Address)})
	}
}

// towardsTarget counts the echo requests to the target, and those that were lost.
func (l *localiser) towardsTarget() (sent, lost int) {
	for i := range l.done {
		m := &l.done[i]
		if f := m.found(); f != nil && f.Packets != nil && f.Errors != nil && (m.role == reach || m.role == hops && m.Target == l.book.Address.String()) {
			sent, lost = sent+int(f.Packets.Sent), lost+int(f.Errors.Lost)
		}
	}
	return sent, lost
}

// ofHops are the steps of a part that have measured, in the order of the path.
func (l *localiser) ofHops(r role) (list []*Measured) {
	for i := range l.done {
		m := &l.done[i]
		if f := m.found(); m.role == r && f != nil && f.Packets != nil && f.Packets.Sent > 0 && f.Errors != nil {
			list = append(list, m)
		}
	}
	slices.SortStableFunc(list, func(a, b *Measured) int { return a.hop - b.hop })
	return list
}

// segment is what lies between two hops that were asked: a link, or the way over hops that do
// not answer; before is -1 for the near end. Its detail is how it is told.
func (l *localiser) segment(asked []*Measured, before, at int) Finding {
	a, _ := netip.ParseAddr(asked[at].Target)
	f := Finding{Address: a}
	to, toName := l.owner(a)
	from, fromName := Place{Node: l.book.Vantage.Node}, "this end"
	if before >= 0 {
		near, _ := netip.ParseAddr(asked[before].Target)
		from, fromName = l.owner(near)
	}
	if from.Node == to.Node {
		from.Node = ""
	}
	far, linked := l.Far(to)
	next := before >= 0 && asked[at].hop == asked[before].hop+1 || before < 0 && asked[at].hop == 1
	out, leads := l.Towards(from.Node, to.Node)
	switch {
	case linked && (far.Node == from.Node || from.Node == "" && next):
		f.At, f.Peer = far, to // the link in front of the interface that answers
	case from.Node == "": // it may be anywhere before
	case leads:
		f.At, f.Peer = out, Place{Node: to.Node}
		if far, ok := l.Far(out); ok && far.Node == to.Node {
			f.Peer = far
		}
	default:
		f.At, f.Peer = Place{Node: from.Node}, Place{Node: to.Node}
	}
	f.Detail = fmt.Sprintf("the way from %s to %s", fromName, toName)
	if f.At.Resource != "" && f.Peer.Resource != "" {
		f.Detail = fmt.Sprintf("the link from %s to %s", f.At, f.Peer)
	}
	return f
}

// size judges the path MTU.
func (l *localiser) size() {
	m := last(l.done, size)
	if m == nil || m.found() == nil || m.found().MTU == nil || m.found().MTU.Size >= largeSize {
		return
	}
	mtu := m.found().MTU
	f := Finding{Cause: MTUReduced}
	if mtu.BlackHole {
		f.Cause = MTUBlackHole
	}
	asked := l.ofHops(sizeOfHop)
	at := slices.IndexFunc(asked, func(m *Measured) bool { return m.found().Packets.Received == 0 })
	if at >= 0 && !slices.ContainsFunc(asked[at:], func(m *Measured) bool { return m.found().Packets.Received > 0 }) {
		cause := f.Cause
		f = l.segment(asked, at-1, at)
		f.Cause, f.Conclusive = cause, true
	} else {
		f.Detail = fmt.Sprintf("the path to %s", l.book.Address)
		f.Cause = Inconclusive
	}
	f.MTU = int(mtu.Size)
	f.Detail = fmt.Sprintf("packets larger than %d octets do not pass %s", mtu.Size, f.Detail)
	if mtu.BlackHole {
		f.Detail += ", and nobody says so"
	}
	l.find(f)
}

// services judges ports and configured tests.
func (l *localiser) services() {
	reached := answers(last(l.done, reach)) || slices.ContainsFunc(l.findings, func(f Finding) bool { return f.Cause == ICMPFiltered })
	for i := range l.done {
		m := &l.done[i]
		if m.role != port && m.role != service || m.found() == nil {
			continue
		}
		if f, ok := l.service(m, reached); ok {
			l.find(f)
		}
	}
}

// service judges one of them; false when there is nothing to tell.
func (l *localiser) service(m *Measured, reached bool) (Finding, bool) {
	f := Finding{Conclusive: true}
	name := m.Target
	if a, err := netip.ParseAddr(m.Target); err == nil {
		f.Address = a
		f.At, name = l.owner(a)
		f.At.Resource = ""
	}
	if lossRatio(m) == 0 || !reached && m.Target == l.book.Address.String() {
		return f, false // all is well, or it follows from the path
	}
	worst, answered := worstAnswer(m), answers(m)
	what := m.Type
	for _, x := range m.leafs {
		if x[0] == "destination-port" {
			what += " to port " + x[1]
		}
	}
	f.Loss = lossRatio(m)
	switch {
	case m.Type == "icmp-echo" || m.Type == "stamp" || m.Type == "udp-echo" && worst != "refused":
		// Its packets differ from those of the playbook in nothing but size and class.
		if lossy(l.done) || f.Loss < 0.02 || m.params.Leaf("dscp") == "" {
			return f, false
		}
		f.Cause, f.Detail = ClassLoss, fmt.Sprintf("%s of the packets with DSCP %s to %s are lost, and none without", percent(f.Loss), m.params.Leaf("dscp"), name)
	case strings.HasPrefix(worst, "certificate") || worst == "tls-failure":
		f.Cause, f.Detail = Certificate, fmt.Sprintf("%s has no certificate that is trusted: %s", name, worst)
	case m.Type == "dns-query":
		f.Cause, f.Detail = ResolverFailure, fmt.Sprintf("%s answers %s with %s", name, what, silence(worst))
	case worst == "refused" || worst == "reset":
		f.Cause, f.Detail = ServiceDown, fmt.Sprintf("%s answers, and %s is %s", name, what, worst)
	case worst == "timeout" && !answered:
		f.Cause, f.Detail = ServiceFiltered, fmt.Sprintf("%s answers, and %s gets no answer", name, what)
	default:
		f.Cause, f.Detail = ServiceFailing, fmt.Sprintf("%s answers %s with %s", name, what, silence(worst))
	}
	return f, true
}

// worstAnswer is the most frequent answer that was not the one wanted, "" when the far end
// was silent.
func worstAnswer(m *Measured) (worst string) {
	wanted := []string{"connected"}
	if m.params != nil {
		for _, leaf := range []string{"expected-status", "expected-rcode"} {
			if m.params.Schema().ChildNamed(leaf) != nil {
				wanted = append(wanted, oam.Params{Node: m.params}.String(leaf))
			}
		}
	}
	most := uint32(0)
	for _, r := range m.found().Responses {
		if r.Count > most && !slices.Contains(wanted, r.Code) {
			worst, most = r.Code, r.Count
		}
	}
	return worst
}

// silence is a kind of answer, or that there was none.
func silence(code string) string {
	if code == "" || code == "timeout" {
		return "silence"
	}
	return code
}

// nothing says what is excluded.
func (l *localiser) nothing() {
	sent, _ := l.towardsTarget()
	f := Finding{Cause: Healthy, Conclusive: true, Address: l.book.Address, Excluded: excluded(sent)}
	_, name := l.owner(l.book.Address)
	f.Detail = fmt.Sprintf("%s answers all of %d echo requests: only loss above %s is excluded", name, sent, percent(f.Excluded))
	if l.book.Degraded {
		f.Cause, f.Conclusive = Inconclusive, false
		f.Detail += ", so what the incident tells of may come and go"
	}
	l.find(f)
}

// node judges which addresses of a node, and of its neighbours, answer.
func (l *localiser) node() {
	var own, around, silent []*Measured
	neighbours := 0
	for i := range l.done {
		m := &l.done[i]
		if f := m.found(); m.role != facing || f == nil || f.Packets == nil || f.Packets.Sent == 0 {
			continue
		}
		switch {
		case m.Node != l.book.Node:
			neighbours++
			if answers(m) {
				around = append(around, m)
			}
		case answers(m):
			own = append(own, m)
		default:
			silent = append(silent, m)
		}
	}
	switch {
	case len(own)+len(silent) == 0:
		l.find(Finding{Cause: Inconclusive, Detail: fmt.Sprintf("no address of %s could be tested", l.book.Node)})
	case len(silent) == 0:
		l.find(Finding{Cause: Healthy, Conclusive: true, At: Place{Node: l.book.Node}, Detail: fmt.Sprintf("all %d addresses of %s answer", len(own), l.book.Node)})
	case len(own) > 0:
		for _, m := range silent {
			a, _ := netip.ParseAddr(m.Target)
			at, name := l.owner(a)
			l.find(Finding{Cause: InterfaceUnreachable, Conclusive: at.Resource != "", At: at, Address: a, Loss: 1,
				Detail: fmt.Sprintf("%s does not answer; %d other addresses of %s do", name, len(own), l.book.Node)})
		}
	case len(around) > 0:
		l.find(Finding{Cause: NodeUnreachable, Conclusive: true, At: Place{Node: l.book.Node}, Loss: 1,
			Detail: fmt.Sprintf("none of the %d addresses of %s answers, and %d of %d neighbours do", len(silent), l.book.Node, len(around), neighbours)})
	default:
		l.find(Finding{Cause: Inconclusive, Loss: 1, Detail: fmt.Sprintf("neither %s nor any of its neighbours answers: it may be the way there", l.book.Node)})
	}
}

// percent is a ratio for people.
func percent(p float64) string {
	if p >= 0.1 {
		return fmt.Sprintf("%.0f %%", 100*p)
	}
	return fmt.Sprintf("%.1f %%", 100*p)
}

func rounded(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }
