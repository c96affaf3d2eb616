// Package ops is the operations of the base protocol on the datastores: those of
// RFC 6241 with its capabilities, get-schema of RFC 6022, and get-data and edit-data of
// RFC 8526. It also makes the state that describes the server: the YANG library [RFC
// 8525] and netconf-state [RFC 6022].
//
// [Register] binds all of it to a server and its store.
//
// # Edits
//
// An edit is parsed in the goroutine of its session and applied in one transaction of
// the store, so that of two edits one sees the other's result. It is done as a whole or
// not at all, whatever the error-option; but continue-on-error does what can be done and
// tells what could not. Running and startup are valid after each edit. The candidate is
// held to the schema when it is committed or validated [RFC 7950 section 8.3.3], and by
// an edit whose test-option asks for it in so many words: the default of test-then-set
// would keep a client from preparing a change in steps.
//
// Every operation that changes a datastore asks for the right to it by Request.Write in
// its transaction; those that take no right but the one to be called tell the audit by
// Request.Changed.
//
// # Startup
//
// Running survives a restart; startup is a copy that is kept, and what the server begins
// with only when it is told to. DESIGN.md has the reasons.
//
// # Retrievals
//
// A filter sees what its user may read of a datastore, and the defaults that are in use
// there. What it selects shares the subtrees that it has whole, and is written as it is
// sent: defaults, depth, content, origins and annotations are decided node by node, so
// that no reply needs memory of its own. The basic mode of RFC 6243 is explicit; in
// operational it is report-all, as that datastore has the values in use, and explicit is
// no other [RFC 8526 section 3.1.1.2]. State has its defaults in both [RFC 6243 section
// 2.3.1].
//
// The depth of max-depth is counted from the outermost nodes that a filter selects, and
// without one from the top-level nodes. The one locale of list-pagination is C; numbers
// and enumerations are sorted by value.
//
// # Concurrency
//
// Reads take a snapshot and never wait for writers.
package ops
