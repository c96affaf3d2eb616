// Package client is a NETCONF client [RFC 6241, RFC 6242]: for tools, tests and
// devices whose notifications we read.
//
// [Dial] connects over SSH, [New] over any byte stream. [Client.Call] sends one
// operation and waits for its reply; methods such as [Client.GetConfig] wrap it.
// What the server refuses comes back as *rpcerr.Error or rpcerr.Errors, to be
// found with errors.As.
//
// # Concurrency and back-pressure
//
// A Client may be used by any number of goroutines at once. One goroutine of its
// own reads; it hands each reply to the call that waits for it, by message-id, and
// puts notifications into the channel of [Client.Notifications].
//
// That channel holds Config.Notifications elements. When it is full the reader
// stops: neither notifications nor replies are read until the consumer goes on,
// the window of the connection fills, and the server learns that we are slow.
// Nothing is dropped. So who subscribes has to read the channel, and must not wait
// for a Call in the goroutine that reads it unless there is room.
//
// # Ends
//
// When the connection is lost, or closed, every call returns an error that wraps
// ErrClosed and the cause, the notification channel is closed after its last
// element, and Done is closed. A call whose context is done returns at once; its
// reply is dropped when it comes. Only when the context ends while the request is
// being written, so that the server has half a message, the connection is closed.
package client
