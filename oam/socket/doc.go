// Package socket opens the sockets that measurements need: in a network namespace or a
// VRF, with a DSCP, with the kernel's time of each packet that comes, with the ICMP errors
// that routers send back.
//
// Linux has all of that. On other systems Open fails with not-supported; what needs no
// more than package net works there too.
//
// # Concurrency
//
// One goroutine may receive from a Conn while others send. Close ends both.
package socket
