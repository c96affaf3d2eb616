// Package cfm has Connectivity Fault Management of Ethernet [IEEE 802.1Q clauses 18 to 22,
// once 802.1ag; ITU-T Y.1731]: the engines of cfm-loopback and cfm-linktrace, and
// maintenance points that answer them. Words are those of RFC 8531.
//
// A maintenance domain has a level from 0 to 7, and each of its frames says which. Points of
// a level look at frames of that level alone. A maintenance association is the service that
// is watched, here an interface with or without a VLAN; its ends are maintenance end
// points (MEP), and what lies between are intermediate points (MIP).
//
// A loopback message (LBM) goes to one point, which sends it back as a reply (LBR). A link
// trace message (LTM) names a target and goes from bridge to bridge: each MIP replies (LTR),
// looks up behind which port the target is, and passes the message on there with a TTL that is
// one less, and the point that has the target's address replies as the last.
//
// # Points
//
// An end point here is a down MEP: it looks out of the interface that it is on. Neither it
// nor a MIP sends continuity checks, and group loopback is not answered. An intermediate
// point is a Linux bridge with a MIP on each of its ports. The kernel floods link trace
// messages like any group's frames; for those that a MIP passes on not to arrive twice, the
// kernel has to be kept from that:
//
//	nft add table bridge cfm
//	nft add chain bridge cfm forward '{ type filter hook forward priority 0; }'
//	nft add rule bridge cfm forward ether daddr 01:80:c2:00:00:38/45 drop
//
// # Nobody is hurt
//
// Nothing leaves the link but by points of the same level. A point answers so many
// frames in a second and not more, never a group's address, and an answer is no larger than
// what it answers but for a fixed head.
//
// # Concurrency
//
// A run and a point have a goroutine that receives. A point answers one frame at a time; the
// kernel keeps what comes meanwhile, and drops what it cannot keep.
package cfm
