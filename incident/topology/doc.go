// Package topology holds the index of ietf-network [RFC 8345] that correlation asks:
// which edges end at a port, what rides on an edge, what an edge rides on, which
// services use it, and what belongs to a node, a card and a site.
//
// # From networks to one graph
//
// [Build] takes every layer and makes one graph of it. The same node-id in several
// networks is the same node, the same tp-id at a node the same port. The two directed
// links between two ports are one edge. A protocol network whose links repeat those of
// the network below (an IGP over IP links) adds nothing but other names for the same
// edges. What an edge is follows from the relations, see [EdgeKind], never from how
// things are called, with one exception: words such as "te" or "tunnel" in a network's
// types or id tell a tunnel layer from a transmission layer where the relations of both
// are the same.
//
// A VPN is an overlay network that nothing else rests on: its links name tunnels or IP
// links as supporting-link, and its network-id is the service instance.
//
// # Concurrency
//
// An [Index] never changes after Build. Everything it returns belongs to it and must
// not be modified; any number of goroutines may read.
package topology
