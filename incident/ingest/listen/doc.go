// Package listen is what the kinds of sources share that others send to: the groupings
// listener, connections, tls-server and http-access of incidentd-sources, as Go has them.
//
// # Concurrency
//
// Configurations never change. A Server's Serve accepts connections until its context is
// done, gives each a goroutine of its own, and waits for all of them.
package listen
