package diagnose

import "net/netip"

// Cause is what a diagnosis may find, in the words of the typedef cause of
// incidentd-diagnosis.
type Cause string

// The causes, the gravest first.
const (
	NoRoute              Cause = "no-route"
	RoutingLoop          Cause = "routing-loop"
	NextHopUnresolved    Cause = "next-hop-unresolved"
	Prohibited           Cause = "administratively-prohibited"
	NodeUnreachable      Cause = "node-unreachable"
	SilentDropAfter      Cause = "silent-drop-after"
	FirstHopSilent       Cause = "first-hop-silent"
	InterfaceUnreachable Cause = "interface-unreachable"
	LinkLoss             Cause = "link-loss"
	Congestion           Cause = "congestion"
	MTUBlackHole         Cause = "mtu-black-hole"
	MTUReduced           Cause = "mtu-reduced"
	ClassLoss            Cause = "class-loss"
	ServiceDown          Cause = "service-down"
	ServiceFiltered      Cause = "service-filtered"
	ServiceFailing       Cause = "service-failing"
	ResolverFailure      Cause = "resolver-failure"
	Certificate          Cause = "certificate"
	PlannedWork          Cause = "planned-work"
	ICMPFiltered         Cause = "icmp-filtered-at-target"
	Inconclusive         Cause = "inconclusive"
	Healthy              Cause = "healthy"
)

// gravity orders the causes.
var gravity = func() map[Cause]int {
	m := map[Cause]int{}
	for i, c := range []Cause{NoRoute, RoutingLoop, NextHopUnresolved, Prohibited, NodeUnreachable, SilentDropAfter, FirstHopSilent,
		InterfaceUnreachable, LinkLoss, Congestion, MTUBlackHole, MTUReduced, ClassLoss, ServiceDown, ServiceFiltered, ServiceFailing,
		ResolverFailure, Certificate, PlannedWork, ICMPFiltered, Inconclusive, Healthy} {
		m[c] = i
	}
	return m
}()

// Finding is what tests have shown.
type Finding struct {
	Cause
	// Conclusive says that the samples carry it.
	Conclusive bool
	// At is where it is; the zero value when nobody owns the address that told it.
	At Place
	// Peer is the other end of the link that it is about; the zero value without one.
	Peer    Place
	Address netip.Addr
	// Loss is what was measured, Excluded what is not there, both from 0 to 1; Excluded of 0 is
	// not told.
	Loss, Excluded float64
	MTU            int
	Detail         string
}
