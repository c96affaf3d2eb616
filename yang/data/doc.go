// Package data is the data tree: configuration and state of a schema as one
// immutable tree, with its edits, differences, merges, filters and codecs.
//
// # Shape
//
// A Node is a container, a list entry, a leaf, a leaf-list entry, an anydata or
// anyxml, the input or output of an rpc, a notification, or the root of a
// datastore. Nodes have no parent pointers, so a changed tree shares every
// branch that did not change, and two trees are compared by comparing pointers.
// Where a parent is needed (paths, XPath), a walk carries a Loc.
//
// The entries of a list or leaf-list stand in a set of their own below the
// parent: a copy-on-write B+tree sorted by key where the system orders the
// entries, a slice where the user does or where there is no key. Finding,
// adding and removing an entry among n costs O(log n), and so does the memory
// of a changed tree.
//
// # Values
//
// A leaf's text is the canonical form of its type; identities and
// instance-identifiers are written with module names. The key of an entry is
// the text of its key leafs joined by NUL, which no value can hold.
//
// # Concurrency
//
// Nodes never change once they are reachable by others, and any number of
// goroutines may read them. A Builder belongs to one goroutine.
package data
