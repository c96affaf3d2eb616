package transport

import "errors"

// Errors of the framing. They end a session: after any of them neither the
// Reader nor the Writer can find the next message's start.
var (
	// ErrTooBig is a message longer than the reader allows.
	ErrTooBig = errors.New("message exceeds the size limit")

	// ErrNoMemory is a message for which there is no memory at the moment.
	ErrNoMemory = errors.New("no memory is left for messages")

	// ErrBadChunk is a violation of the chunked framing [RFC 6242 section 4.2],
	// after which the connection has to be closed.
	ErrBadChunk = errors.New("malformed chunked framing")

	// ErrDelimiter is a message that cannot be sent with end-of-message framing,
	// because it contains the delimiter.
	ErrDelimiter = errors.New("message contains the end-of-message delimiter")
)

// Errors of the server.
var (
	// ErrServerClosed is returned by Serve when Shutdown was called before.
	ErrServerClosed = errors.New("transport: server is shut down")
)
