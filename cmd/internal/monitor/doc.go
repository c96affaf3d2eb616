// Package monitor tells other programs how a server gets on: figures for Prometheus at
// /metrics, whether it lives at /healthz, and whether it takes work at /readyz.
//
// # Metrics
//
// The figures are those of operational state. A table names the containers of the schema
// that become metrics, and everything numeric in them does: its name is that of the leaf
// with what stands in the table before it, its help is the leaf's description, its kind
// follows from its type (a counter of ietf-yang-types is a counter, and its name ends in
// _total), milliseconds become seconds, and the lists on the way there become labels. So a
// new figure of the state is a metric by itself, and both can never differ. What has no
// place in the state (the store, the journal, durations of operations, Go and the process)
// is added here.
//
// Configuration is never told, nor anything about single incidents, alarms or users.
//
// # Why client_golang
//
// It is the reference implementation of the exposition format, and brings the figures of
// the runtime and of the process with it.
//
// # Concurrency
//
// A Monitor may be used by any goroutine. A commit that changes where it listens does not
// wait for it.
package monitor
