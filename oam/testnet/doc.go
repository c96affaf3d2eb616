// Package testnet makes networks out of the kernel's namespaces: hosts, routers and links
// between them, for tests of what sends real packets and for the lab. It needs Linux, root
// and iproute2; Missing tells what is not there, and a test skips with that notice.
//
// A network belongs to the process that made it. Its namespaces bear the process id, so
// that two runs do not meet, and Close removes them with everything in them.
package testnet
