package correlate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"incidentd/incident/topology"
)

// mostEvents bounds the events that the content of an incident lists.
const mostEvents = 10_000

// causeText is how a cause is named, what it is in ietf-incident-types, and what helps.
type causeText struct {
	name, category, advice string
	risk                   bool
}

var causeTexts = [causes]causeText{
	EdgeFailure:  {"Link failure", "network", "Locate the break between the two ends, by reflectometer where there is one, and repair the line.", false},
	NodeFailure:  {"Node down", "device", "Reach the node out of band; restart it or replace it.", false},
	CardFailure:  {"Line card failure", "line", "Reset the line card; replace it if it does not come back.", false},
	PortFailure:  {"Interface down", "device-hardware", "Check the module and the patch of the interface; replace the module.", false},
	PowerFailure: {"Power failure", "power-enviorment", "Restore the mains of the site before its batteries are empty.", false},
	IGPFailure:   {"IGP failure", "protocol", "Compare the configuration of the routing protocol with that of the neighbours; roll the last change back.", false},
	SessionReset: {"BGP session down", "protocol", "Check both ends of the session: reachability, timers, policy and limits.", false},
	AccessOutage: {"Customer access down", "network", "Ask the customer for power and equipment; then test the access line.", false},
	Overload:     {"Processor overload", "device-software", "Find the process that takes the time or the memory.", true},
	Degradation:  {"Link quality degraded", "network", "Clean or replace the optics and the patch of the link; move traffic away until then.", false},
	OpticalDrift: {"Optical power drift", "network", "Measure the section and adjust its amplifiers before the margin is spent.", true},
	RoutingCrash: {"Routing process restarted", "device-software", "Secure the core file of the process and ask the vendor.", false},
	SyncLoss:     {"Synchronisation lost", "network", "Follow the clock's path back to where it is still locked.", false},
	Surge:        {"Traffic surge", "network", "Find out whose traffic it is at the node where it leaves; limit it or widen the way.", false},
	Transaction:  {"Configuration error", "overlay", "Correct the request that failed and deploy it again.", false},
	Unknown:      {"Alarm without known cause", "device", "", false},
	Impairment:   {"Supervised quality impaired", "network", "Diagnose the incident: a test has found what nothing has reported yet. Move traffic away if it gets worse.", true},
	Interruption: {"Supervised path interrupted", "network", "Diagnose the incident: nothing arrives, and nothing has reported why.", false},
}

// content tells what an incident is now; its events and explanation are written when
// somebody asks for them.
func (e *Engine) content(i *incident) *Incident {
	c, _ := e.outline(i)
	e.detail(i, c)
	return c
}

// outline tells what an incident is now, but for its events and its explanation, and
// folds all that an update would tell into a number.
func (e *Engine) outline(i *incident) (*Incident, uint64) {
	text := causeTexts[i.root.cause]
	c := &Incident{
		No: i.no, Type: "fault", Category: text.category, Status: Updated, ResolveAdvice: text.advice,
		RaiseTime: timeOf(i.raised), OccurTime: timeOf(i.t0), LastUpdated: timeOf(i.updated), Ticket: true,
	}
	if i.cleared != 0 {
		c.ClearTime = timeOf(i.cleared)
	}
	if i.updated == i.raised {
		c.Status = Raised
	}
	if i.risk() {
		c.Type = "potential-risk"
	}
	e.services(i, c)
	c.AtRisk = i.reach.atRisk
	c.RootCauses = e.rootCauses(i)
	c.Domain = e.domain(i)
	c.Priority = priority(c)
	if i.root.cause == AccessOutage && slices.ContainsFunc(i.members, func(a *alarm) bool { return a.class == Gasp }) {
		c.Category = "power-enviorment"
	}
	if i.markID != "" {
		c.Labels, c.Ticket, c.Category, c.Mark = append(c.Labels, "maintenance"), false, "maintenance", i.markID
	}
	c.RecurrenceOf, c.Recurrences = e.before(i)
	if i.periodic {
		c.Labels, c.Ticket = append(c.Labels, "periodic"), false
	}
	c.Name = name(c)
	c.Detail = c.RootCauses[0].CauseName + at(c.RootCauses[0].Node, c.RootCauses[0].Resource)
	if d := c.RootCauses[0].Detail; d != "" {
		c.Detail += ": " + d
	}
	events, marks := i.events()
	c.EventsOmitted = max(0, events-mostEvents)
	for _, a := range i.members {
		c.EventsOmitted += int(a.omitted)
	}
	for k := range i.past {
		c.EventsOmitted += int(i.past[k].omitted)
	}
	c.EventsOmitted += int(i.linesOmitted)
	return c, c.sum(marks)
}

// roles tells the part that each member plays: where nothing speaks of the root itself,
// the first piece of evidence does.
type roles struct{ first *alarm }

func (i *incident) roles() (r roles) {
	for _, a := range i.members {
		if a.root {
			return r
		}
	}
	return roles{i.firstEvidence()}
}

func (r roles) of(a *alarm) Role {
	if a.root || a == r.first {
		return Root
	}
	return Symptom
}

// events counts the events of an incident and sums what tells them apart.
func (i *incident) events() (n int, marks uint64) {
	weigh := func(m uint64, r Role, cleared bool) uint64 {
		k := uint64(r)<<1 | 1
		if cleared {
			k |= 8
		}
		return m * (k*0x9E3779B97F4A7C15 | 1)
	}
	for k := range i.past {
		p := &i.past[k]
		n += len(p.seen)
		marks += weigh(p.marks, Symptom, true) + weigh(p.last(), Symptom, !p.active)
	}
	n += len(i.context) + len(i.lines)
	role := i.roles()
	for _, a := range i.members {
		n += len(a.seen)
		r := role.of(a)
		marks += weigh(a.marks, r, true)
		if len(a.seen) > 0 {
			marks += weigh(a.seen[len(a.seen)-1].mark(), r, !a.active)
		}
	}
	return n, marks + uint64(len(i.context)) + uint64(len(i.lines)+int(i.linesOmitted))<<32
}

// name says what the incident does to services, or where nothing is hit, what it is.
func name(c *Incident) string {
	if len(c.ServiceInstances) == 0 {
		return c.RootCauses[0].CauseName + at(c.RootCauses[0].Node, c.RootCauses[0].Resource)
	}
	out, first := 0, -1
	for k, s := range c.ServiceStates {
		if s == Outage {
			out++
			if first < 0 {
				first = k
			}
		}
	}
	word, n := "degradation", len(c.ServiceInstances)
	if out > 0 {
		word, n = "unavailable", out
	}
	s := c.ServiceInstances[max(first, 0)]
	switch {
	case n == 1 && len(c.ServiceInstances) == 1:
		return s + " " + word
	case n == 1:
		return fmt.Sprintf("%s %s, %s degraded", s, word, count(len(c.ServiceInstances)-1))
	}
	return fmt.Sprintf("%s and %s %s", s, count(n-1), word)
}

func count(n int) string {
	if n == 1 {
		return "1 more service"
	}
	return fmt.Sprintf("%d more services", n)
}

func at(node, resource string) string {
	if node == "" {
		return ""
	}
	if resource == "" {
		return " at " + node
	}
	return " at " + node + " " + resource
}

func priority(c *Incident) string {
	switch {
	case slices.Contains(c.ServiceStates, Outage):
		return "critical"
	case len(c.ServiceInstances) > 0:
		return "high"
	case c.Type == "potential-risk":
		return "low"
	}
	return "medium"
}

// sources returns the nodes and their resources that events name, sorted.
func sources(all []EventRef) (out []Source) {
	type place struct{ node, resource string }
	places := make([]place, 0, len(all))
	for k := range all {
		places = append(places, place{all[k].Node, all[k].Resource})
	}
	slices.SortFunc(places, func(a, b place) int { return cmp.Or(cmp.Compare(a.node, b.node), cmp.Compare(a.resource, b.resource)) })
	for _, p := range slices.Compact(places) {
		if len(out) == 0 || out[len(out)-1].Node != p.node {
			out = append(out, Source{Node: p.node})
		}
		if s := &out[len(out)-1]; p.resource != "" {
			s.Resources = append(s.Resources, p.resource)
		}
	}
	return out
}

// byArrival returns the events in order of arrival. An event is large, so their indexes
// are sorted.
func byArrival(all []EventRef) []EventRef {
	order := func(a, b *EventRef) int { return cmp.Or(a.Arrival.Compare(b.Arrival), cmp.Compare(a.ID, b.ID)) }
	at := make([]int32, len(all))
	sorted := true
	for k := range all {
		at[k] = int32(k)
		sorted = sorted && (k == 0 || order(&all[k-1], &all[k]) <= 0)
	}
	if sorted {
		return all
	}
	slices.SortFunc(at, func(a, b int32) int { return cmp.Or(order(&all[a], &all[b]), cmp.Compare(a, b)) })
	out := make([]EventRef, len(all))
	for k, from := range at {
		out[k] = all[from]
	}
	return out
}

func (i *incident) firstEvidence() (first *alarm) {
	for _, a := range i.members {
		if !a.soft && (first == nil || a.t < first.t || a.t == first.t && a.serial < first.serial) {
			first = a
		}
	}
	return first
}

// services lists what is hit; a symptom that tells of an outage is believed.
func (e *Engine) services(i *incident, c *Incident) {
	if len(i.reach.services) == 0 {
		return
	}
	var lost map[topology.ServiceID]bool
	for _, a := range i.members {
		if a.class == ServiceLost || a.class == SupervisionLost && a.active {
			if lost == nil {
				lost = map[topology.ServiceID]bool{}
			}
			lost[a.obj.service] = true
		}
	}
	c.ServiceInstances = make([]string, len(i.reach.services))
	c.ServiceStates = make([]ServiceState, len(i.reach.services))
	for k, s := range i.reach.services {
		st := s.state
		if lost[s.service] {
			st = Outage
		}
		if i.flapping() {
			st = Degraded // it is there in between
		}
		c.ServiceInstances[k], c.ServiceStates[k] = s.name, st
	}
}

// domain returns the identity of ietf-incident-types that an incident belongs to.
func (e *Engine) domain(i *incident) string {
	h := i.root
	switch h.cause {
	case AccessOutage:
		return "access"
	case EdgeFailure, NodeFailure, PortFailure, CardFailure, PowerFailure, Unknown:
	case OpticalDrift:
		return "otn"
	default:
		return "ip"
	}
	optical, packet := false, false
	for _, a := range i.members {
		if a.soft || a.obj.nodeID == topology.None {
			continue
		}
		if e.x.Optical(a.obj.nodeID) {
			optical = true
		} else {
			packet = true
		}
	}
	switch {
	case optical && packet:
		return "cross-domain"
	case optical:
		return "otn"
	}
	return "ip"
}

// rootCauses returns the place of the root first, then the other end of an edge and the
// rivals that are within one nat.
func (e *Engine) rootCauses(i *incident) []RootCause {
	out := append(make([]RootCause, 0, 4), e.places(i, i.root)...)
	for _, h := range i.also {
		out = append(out, e.places(i, h)[0])
	}
	for _, r := range i.rivals {
		if i.score-r.score > 1000 {
			continue
		}
		for _, p := range e.places(i, r.h)[:1] {
			if !slices.ContainsFunc(out, func(o RootCause) bool { return o.Node == p.Node && o.Resource == p.Resource }) {
				p.Detail = strings.TrimSuffix("also possible; "+p.Detail, "; ")
				out = append(out, p)
			}
		}
	}
	return out[:min(len(out), 4)]
}

// places returns where a cause is, the end that spoke first before the other. They are
// good until the next call.
func (e *Engine) places(i *incident, h *hypothesis) []RootCause {
	text := causeTexts[h.cause]
	one := func(node, resource, detail string) []RootCause { return e.spot(node, resource, text.name, detail) }
	switch h.cause {
	case EdgeFailure, Degradation, OpticalDrift:
		if h.edge != topology.None {
			return e.ends(i, h, text.name)
		}
	case AccessOutage:
		return e.accessPlace(i, h, text.name)
	case Surge:
		return one(h.node, e.customerPort(i, h), "")
	case PowerFailure:
		detail := ""
		if h.site != topology.None {
			detail = "site " + h.name
		}
		for _, a := range i.members {
			if powerSet.has(a.class) && !a.soft {
				return one(a.obj.node, a.obj.name, detail)
			}
		}
		if nodes := e.siteNodes(h); len(nodes) > 0 {
			return one(e.x.NodeName(nodes[0]), "", detail)
		}
		return one(h.node, "", detail)
	case IGPFailure:
		if c := e.committed(h.node, i.t0); c != nil {
			return one(h.node, c.ref.Resource, "after the change: "+c.ref.Text)
		}
		for k := range i.context {
			if i.context[k].Node == h.node {
				return one(h.node, i.context[k].Resource, "after the change: "+i.context[k].Text)
			}
		}
		return one(h.node, "config", "")
	case Overload, RoutingCrash, SyncLoss, SessionReset, Unknown, Impairment, Interruption:
		if a := rootMember(i, h); a != nil {
			name := text.name
			if h.cause == Unknown {
				name = unknownName(a)
			}
			return e.spot(a.obj.node, a.obj.name, name, lastText(a))
		}
	case Transaction:
		return e.transactionPlace(i, text.name)
	case CardFailure:
		for _, a := range i.members { // as its node calls it
			if a.class == Card && a.obj.card == h.card && a.obj.node == h.node {
				return one(h.node, a.obj.name, e.evidenceText(i, h))
			}
		}
	case PortFailure:
		name := text.name
		if h.n != topology.None && e.x.Optical(h.n) {
			name = "Optical port failure"
		}
		return e.spot(h.node, h.name, name, e.evidenceText(i, h))
	}
	if h.cause == EdgeFailure || h.cause == Degradation || h.cause == OpticalDrift || h.cause == SessionReset {
		if a := i.firstEvidence(); a != nil { // the edge has left the topology
			return one(a.obj.node, a.obj.name, h.name)
		}
	}
	return one(h.node, h.name, e.evidenceText(i, h))
}

// spot returns one place, good until the next call.
func (e *Engine) spot(node, resource, name, detail string) []RootCause {
	e.spots = append(e.spots[:0], RootCause{node, resource, name, detail})
	return e.spots
}

// ends returns both ends of an edge, first the one that spoke of it first.
func (e *Engine) ends(i *incident, h *hypothesis, name string) []RootCause {
	d := e.x.Edge(h.edge)
	if h.cause == EdgeFailure && d.Kind == topology.SectionEdge {
		name = "Fibre failure"
	}
	detail := d.Network + " " + d.Link
	end := func(n topology.NodeID, p topology.PortID) RootCause {
		r := RootCause{Node: e.x.NodeName(n), CauseName: name, Detail: detail}
		if p != topology.None {
			r.Resource = e.x.PortName(p)
		}
		return r
	}
	e.spots = append(e.spots[:0], end(d.A, d.PortA), end(d.B, d.PortB))
	out := e.spots
	var first *alarm
	for _, a := range i.members {
		if a.soft || !a.root || a.obj.nodeID != d.A && a.obj.nodeID != d.B {
			continue
		}
		if first == nil || a.t < first.t || a.t == first.t && a.serial < first.serial {
			first = a
		}
	}
	if first != nil && first.obj.nodeID == d.B {
		out[0], out[1] = out[1], out[0]
	}
	return out
}

func (e *Engine) accessPlace(i *incident, h *hypothesis, name string) []RootCause {
	if h.edge == topology.None {
		return e.spot(h.node, h.name, name, "")
	}
	d := e.x.Edge(h.edge)
	ce, pe, port := d.B, d.A, d.PortA
	if e.x.customerLines(d.A) != nil {
		ce, pe, port = d.A, d.B, d.PortB
	}
	detail := "line of " + e.x.NodeName(ce)
	for _, a := range i.members {
		if a.class == Gasp {
			return e.spot(e.x.NodeName(ce), "", "Customer equipment without power", detail)
		}
	}
	if port == topology.None {
		return e.spot(e.x.NodeName(ce), "", name, detail)
	}
	return e.spot(e.x.NodeName(pe), e.x.PortName(port), name, detail)
}

func (e *Engine) transactionPlace(i *incident, name string) []RootCause {
	var best *alarm
	for _, a := range i.members {
		if best == nil || (a.class == ConfigError) != (best.class == ConfigError) && a.class == ConfigError || a.class == best.class && a.t < best.t {
			best = a
		}
	}
	if best == nil {
		return e.spot("", "", name, i.trace)
	}
	return e.spot(best.obj.node, best.obj.name, name, lastText(best))
}

// rootMember returns the earliest member that lists a hypothesis as its own root.
func rootMember(i *incident, h *hypothesis) (best *alarm) {
	for _, a := range i.members {
		for j := range a.cands {
			if a.cands[j].h == h && a.cands[j].root && (best == nil || a.t < best.t) {
				best = a
			}
		}
	}
	return best
}

func lastText(a *alarm) string {
	return a.text()
}

func unknownName(a *alarm) string {
	if a.class == Other {
		return "Alarm " + a.typ.id
	}
	s := strings.ReplaceAll(a.class.String(), "-", " ")
	return strings.ToUpper(s[:1]) + s[1:]
}

// customerPort returns the port to a customer that is full at the node of a surge; empty
// if none is known.
func (e *Engine) customerPort(i *incident, h *hypothesis) string {
	for _, a := range i.members {
		if a.obj.node == h.node && a.class.spread() == Surge && a.obj.port != topology.None &&
			slices.ContainsFunc(e.x.PortEdges(a.obj.port), func(ed topology.EdgeID) bool { return e.x.Kind(ed) == topology.AccessEdge }) {
			return a.obj.name
		}
	}
	return ""
}

// evidenceText returns what the first alarm of the root itself says.
func (e *Engine) evidenceText(i *incident, h *hypothesis) string {
	if a := rootMember(i, h); a != nil {
		return lastText(a)
	}
	return ""
}

// sum folds what an update would tell into a number. Times of updates, the status and
// the explanation, which follow from the rest, are left out; marks stands for the events.
func (c *Incident) sum(marks uint64) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211 // FNV-1a
	h := uint64(offset)
	word := func(w string) {
		for k := range len(w) {
			h = (h ^ uint64(w[k])) * prime
		}
		h *= prime
	}
	number := func(n uint64) { h = (h ^ n) * prime }
	word(c.Name)
	word(c.Type)
	word(c.Domain)
	word(c.Category)
	word(c.Priority)
	word(c.Detail)
	for k, s := range c.ServiceInstances {
		word(s)
		number(uint64(c.ServiceStates[k]))
	}
	for _, v := range c.AtRisk {
		word(v)
	}
	for k := range c.RootCauses {
		r := &c.RootCauses[k]
		word(r.Node)
		word(r.Resource)
		word(r.CauseName)
		word(r.Detail)
	}
	for _, l := range c.Labels {
		word(l)
	}
	word(c.Mark)
	number(uint64(c.EventsOmitted))
	number(marks)
	return h
}
