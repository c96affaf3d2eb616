// Package load puts a NETCONF server under load over SSH and measures what it does: the
// workloads of ncload, whichever server it is. The list that is read and changed is the
// nodes of RFC 8345 (ietf-network with ietf-network-topology), which a server of networks has anyway.
//
// What is asked of the server is in base:1.0, or in base:1.1 where it can that, and each
// workload says in its Result when the server lacks what it needs. All that is measured
// happens in one network of the name NetworkID, which is deleted before and afterwards.
//
// # Concurrency
//
// A Session belongs to one goroutine. A workload starts as many as it has sessions and
// waits for all of them; no reply is waited for longer than Server.Timeout.
package load
