// Package ops is the operations of the base protocol on the datastores: those of
// RFC 6241, with the capabilities :writable-running and :validate, get-schema of RFC
// 6022, and get-data and edit-data of RFC 8526. It also makes the
// state that describes the server: the YANG library [RFC 8525] and netconf-state
// [RFC 6022].
//
// [Register] binds all of it to a server and its store. What the operations do not
// implement (candidate, startup, confirmed commits, url, XPath, defaults
// modes, max-depth) is answered with operation-not-supported.
//
// # Concurrency
//
// Reads take a snapshot and never wait for writers. An edit is parsed in the
// goroutine of its session and applied in one transaction of the store, so that of
// two edits one sees the other's result; it is all or nothing, whatever the
// error-option.
package ops
