package client

import "errors"

// Errors of the connection.
var (
	// ErrClosed is wrapped by every error of a call whose connection has ended.
	ErrClosed = errors.New("netconf: connection closed")

	// ErrProtocol is a violation of the protocol by the server, after which the
	// connection is closed.
	ErrProtocol = errors.New("netconf: the server violates the protocol")

	// ErrTorn is the cause of a connection that was closed since the context of a
	// call ended while its request was being written.
	ErrTorn = errors.New("netconf: a request was given up half written")
)

// Errors of the login.
var (
	// ErrHostKey is a host key that is unknown, or another than the known one.
	ErrHostKey = errors.New("host key verification failed")

	// ErrNoSubsystem is a server that speaks SSH but does not serve NETCONF.
	ErrNoSubsystem = errors.New("the server has no subsystem netconf")
)
