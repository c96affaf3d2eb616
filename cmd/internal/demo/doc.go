// Package demo is a sample network and the weather over it: what `incidentd demo`
// loads and lets happen, so that there is something to see at once.
//
// The network is that of a small carrier: twelve sites, fibres between them, optical
// channels over the fibres, IP links over the channels, IS-IS over those, traffic
// engineered tunnels between the edge routers and five VPNs over the tunnels.
// [Networks] is its configuration [RFC 8345], with what else is known of its nodes.
// VPN-A runs over PE1, P1, P2 and PE2, as in the examples of the incident draft.
//
// A [Storm] breaks something every half minute and mends it a while later. What each
// layer reports follows from the network: a cut fibre is two losses of signal, the
// failed channels over it, the interfaces, adjacencies, sessions, tunnels and services
// above.
package demo
