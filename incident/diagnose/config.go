package diagnose

import (
	"net/netip"
	"slices"
	"time"

	"incidentd/oam"
	"incidentd/yang/data"
)

// settings are diagnosis-service and what else running has for diagnoses. They do not change.
type settings struct {
	Limits
	allowed, denied  []netip.Prefix
	concurrent, wait int
	most             Intrusiveness // of what a user asks for
	self             bool
	delay            time.Duration
	least            int // priority, see priorities

	vantages []Vantage
	tests    []Configured
}

// priorities of incidents, the highest first.
var priorities = []string{"critical", "high", "medium", "low"}

// settingsOf reads them.
func (s *schema) settingsOf(running *data.Node) *settings {
	p := oam.Params{Node: of(running, s.service)}
	l, self := p.In("limits"), p.In("self-diagnosis")
	out := &settings{
		Limits: Limits{PacketRate: l.Float("packet-rate"), PacketBurst: l.Float("packet-burst"),
			OctetRate: l.Float("bit-rate") * 1000 / 8, OctetBurst: l.Float("octet-burst")},
		allowed: prefixes(l.Strings("allowed-prefix")), denied: prefixes(l.Strings("denied-prefix")),
		concurrent: l.Int("max-concurrent"), wait: l.Int("max-waiting"),
		self: self.Bool("enabled"), delay: self.Duration("delay", time.Second),
		least: slices.Index(priorities, self.String("min-priority")),
	}
	if l.String("max-intrusiveness") == Perceptible.String() {
		out.most = Perceptible
	}
	for v := range of(running, s.oam).Entries("vantage-point") {
		if node := v.Leaf("node"); node != "" {
			out.vantages = append(out.vantages, Vantage{v.Leaf("name"), node})
		}
	}
	for e := range running.Get(s.tests.Parent).EntriesOf(s.tests) {
		if c, ok := s.configured(e); ok {
			out.tests = append(out.tests, c)
		}
	}
	return out
}

// configured reads a unitary test that supervises something.
func (s *schema) configured(e *data.Node) (Configured, bool) {
	by := e.Child("supervision")
	if by == nil {
		return Configured{}, false
	}
	choice := s.tests.ChildNamed("icmp-echo").Parent.Parent
	for c := range e.Children() {
		if n := c.Schema(); n.Parent != nil && n.Parent.Parent == choice {
			return Configured{Name: e.Leaf("name"), Parameters: c, Resources: by.Values("resource"), Services: by.Values("service-instance")}, true
		}
	}
	return Configured{}, false
}

// prefixes reads prefixes that the schema has checked.
func prefixes(list []string) (out []netip.Prefix) {
	for _, s := range list {
		if p, err := netip.ParsePrefix(s); err == nil {
			out = append(out, p.Masked())
		}
	}
	return out
}

// permit says whether a diagnosis may send to an address.
func (s *settings) permit(a netip.Addr) error {
	a = a.Unmap().WithZone("")
	in := func(p netip.Prefix) bool { return p.Contains(a) }
	switch {
	case slices.ContainsFunc(s.denied, in):
		return oam.Faultf(oam.TargetDenied, "%s is excluded by denied-prefix of /diagnosis-service/limits", a)
	case len(s.allowed) > 0 && !slices.ContainsFunc(s.allowed, in):
		return oam.Faultf(oam.TargetDenied, "%s is in none of the networks of allowed-prefix of /diagnosis-service/limits", a)
	}
	return nil
}
