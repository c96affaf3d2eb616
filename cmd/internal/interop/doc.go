// Package interop has a test that lets a foreign Go client loose on a real server:
// github.com/Juniper/go-netconf, which speaks base:1.0 and knows no notifications. It
// starts the program that the environment variable INCIDENTD_BIN names, and is skipped
// without it; make interop sets it, and runs the clients in Python beside it.
package interop
