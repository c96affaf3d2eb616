// Package path holds the engines of path-discovery, the hops on the way to a target, and
// path-mtu, the largest packet that gets there.
//
// Discovery by UDP needs no privilege: the kernel hands the ICMP errors about a socket's
// packets to that socket. All its probes have the same addresses and ports, so that they
// take one of several equal paths; an answer is told to its probe by the number within,
// which routers quote. The answers of one that quotes too little are told apart by asking
// it again, one probe at a time.
package path
