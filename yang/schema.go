package yang

import (
	"iter"
	"slices"
	"strings"

	"incidentd/yang/xpath"
)

// Kind is the kind of a schema node.
type Kind uint8

// The kinds of schema nodes. Root is the parent of all top-level data nodes of
// a schema; it stands in no module.
const (
	Root Kind = iota
	Container
	List
	Leaf
	LeafList
	AnyData
	AnyXML
	Choice
	Case
	RPC
	Action
	Input
	Output
	Notification
	// Structure is an sx:structure or rc:yang-data: data that no datastore has.
	Structure
)

var kindNames = [...]string{"root", "container", "list", "leaf", "leaf-list", "anydata", "anyxml",
	"choice", "case", "rpc", "action", "input", "output", "notification", "structure"}

// String returns the statement's keyword.
func (k Kind) String() string { return kindNames[k] }

// Schema is a set of compiled modules.
type Schema struct {
	// Root has the top-level data nodes of all implemented modules, in order of
	// module name and then of the module's own statements.
	Root *Node
	// Modules are all modules, implemented or only imported, by name.
	Modules []*Module

	byName      map[string]*Module
	byNS        map[string]*Module
	rpcs        map[string]*Node
	notifs      map[string]*Node
	structures  map[string]*Node
	annotations map[string]*Annotation
	identAt     map[string]*Identity
}

// Module is one module of a schema.
type Module struct {
	Name, Namespace, Prefix, Revision string
	// Implemented is false for a module of which only typedefs, groupings and
	// identities are used [RFC 7950 section 5.6.5].
	Implemented bool
	// Features are the supported ones, sorted.
	Features []string
	// Source is the module's text, for get-schema.
	Source []byte
	// Description is the module's first sentence about itself.
	Description string
	// Submodules are the included ones, in the order of their include.
	Submodules []Submodule
	// DeviatedBy are the names of the modules that deviate from this one, sorted.
	DeviatedBy []string

	schema      *Schema
	sources     []*source // its own text, then those of the submodules
	definitions map[definitionKey]*statement
	features    map[string]*statement
	enabled     map[string]bool
}

// Node is a schema node. Its fields are read-only.
type Node struct {
	Kind   Kind
	Name   string
	Module *Module
	// Parent is the schema parent, choices and cases included; nil for what
	// stands at the top of a module.
	Parent *Node
	// Children are the schema children in the module's order, choices and cases
	// included; actions and notifications stand apart in Operations.
	Children []*Node
	// Data are the data children, choices and cases left out, in order. A data
	// node's Order is its index there.
	Data       []*Node
	Order      int
	Operations []*Node

	Config      bool
	Mandatory   bool
	Presence    bool
	UserOrdered bool
	// NewestFirst is true for a list of state whose one key is a date-and-time: what the
	// system orders, it orders so that the latest entry is the first.
	NewestFirst bool
	Min, Max    int // Max is 0 for unbounded
	Type        *Type
	// Defaults are canonical values: of the leaf or leaf-list itself, or of its
	// type.
	Defaults    []string
	DefaultCase *Node // of a choice
	Keys        []*Node
	Unique      [][]*Node
	Musts       []*Constraint
	Whens       []*Constraint
	Units       string
	Status      string
	Description string
	Reference   string
	// Deny is what nacm:default-deny-write or -all says, "" without one [RFC
	// 8341 section 3.4.1].
	Deny string

	data   map[childKey]*Node
	byName map[string]*Node // nil value: two modules use the name
	depth  int
	where  string
	def    *definition
	// stateless is true within rpcs, actions, notifications and structures,
	// where config has no meaning.
	stateless bool
}

type childKey struct {
	module *Module
	name   string
}

// Constraint is a must or a when, compiled with the prefixes of the module that
// wrote it.
type Constraint struct {
	Text    string
	Expr    *xpath.Expr
	Message string // error-message of a must
	AppTag  string // error-app-tag of a must
	// OnParent is true for the when of an augment, uses, choice or case: its
	// context is the data node above [RFC 7950 section 7.21.5].
	OnParent bool

	ns    *namespaces
	where string
}

// Identity is an identity and all that derive from it.
type Identity struct {
	Name    string
	Module  *Module
	Bases   []*Identity
	derived map[*Identity]bool
	stmt    *statement
}

// QName is the identity's canonical value, module:name.
func (i *Identity) QName() string { return i.Module.Name + ":" + i.Name }

// Description is what the module says of the identity.
func (i *Identity) Description() string { return i.stmt.value("description") }

// Abstract reports whether others are derived from the identity.
func (i *Identity) Abstract() bool { return len(i.derived) > 0 }

// DerivedFrom reports whether i is derived, directly or not, from base.
func (i *Identity) DerivedFrom(base *Identity) bool { return base.derived[i] }

// Module returns the module of a name, or nil.
func (s *Schema) Module(name string) *Module { return s.byName[name] }

// ByNamespace returns the module of a namespace, or nil.
func (s *Schema) ByNamespace(ns string) *Module { return s.byNS[ns] }

// RPC returns an rpc by module and name, or nil.
func (s *Schema) RPC(module, name string) *Node { return s.rpcs[module+":"+name] }

// RPCs yields every rpc, sorted by qualified name.
func (s *Schema) RPCs() iter.Seq[*Node] { return sortedNodes(s.rpcs) }

// Notification returns a top-level notification by module and name, or nil.
func (s *Schema) Notification(module, name string) *Node { return s.notifs[module+":"+name] }

// Notifications yields every top-level notification, sorted by qualified name.
func (s *Schema) Notifications() iter.Seq[*Node] { return sortedNodes(s.notifs) }

// Identity returns the identity of a canonical name module:name, or nil.
func (s *Schema) Identity(qname string) *Identity { return s.identAt[qname] }

func sortedNodes(m map[string]*Node) iter.Seq[*Node] {
	return func(yield func(*Node) bool) {
		names := make([]string, 0, len(m))
		for n := range m {
			names = append(names, n)
		}
		slices.Sort(names)
		for _, n := range names {
			if !yield(m[n]) {
				return
			}
		}
	}
}

// SiblingAt returns the module of a namespace of the same schema, or nil.
func (m *Module) SiblingAt(namespace string) *Module { return m.schema.byNS[namespace] }

// ResolveType is Type.Resolve in the module's schema.
func (m *Module) ResolveType(t *Type, text string) *Type { return t.Resolve(text, m.schema) }

// Child returns the data child of a module and name, or nil.
func (n *Node) Child(m *Module, name string) *Node { return n.data[childKey{m, name}] }

// NotificationIn returns the notification of a data node by module and name, or nil [RFC
// 7950 section 7.16]. In an instance it stands behind the data children.
func (n *Node) NotificationIn(m *Module, name string) *Node {
	for _, op := range n.Operations {
		if op.Kind == Notification && op.Module == m && op.Name == name {
			return op
		}
	}
	return nil
}

// ChildNamed returns the data child of a local name, or nil when there is none
// or when two modules use the name.
func (n *Node) ChildNamed(name string) *Node { return n.byName[name] }

// DataParent returns the closest parent that is no choice or case; nil at the
// top of a module.
func (n *Node) DataParent() *Node {
	p := n.Parent
	for p != nil && (p.Kind == Choice || p.Kind == Case) {
		p = p.Parent
	}
	return p
}

// CaseOf returns the case that holds the data node and its choice, when the
// closest schema parent is a case.
func (n *Node) CaseOf() (cas, choice *Node) {
	if n.Parent != nil && n.Parent.Kind == Case {
		return n.Parent, n.Parent.Parent
	}
	return nil, nil
}

// IsKey reports whether a leaf is a key of its list.
func (n *Node) IsKey() bool {
	return n.Kind == Leaf && n.Parent != nil && n.Parent.Kind == List && slices.Contains(n.Parent.Keys, n)
}

// Multiple reports whether a data node may occur more than once: a list or a
// leaf-list.
func (n *Node) Multiple() bool { return n.Kind == List || n.Kind == LeafList }

// HasValue reports whether the node's instances have a value: leaf or leaf-list.
func (n *Node) HasValue() bool { return n.Kind == Leaf || n.Kind == LeafList }

// QName is the node's name with its module's: module:name.
func (n *Node) QName() string {
	if n.Module == nil {
		return n.Name
	}
	return n.Module.Name + ":" + n.Name
}

// Path is the schema node identifier with module names, as in
// /ietf-network:networks/network. A name without a module has its parent's.
func (n *Node) Path() string {
	if n.Kind == Root {
		return "/"
	}
	var parts []string
	for p := n; p != nil; p = p.Parent {
		if p.Kind == Root {
			break
		}
		name := p.Name
		if p.Parent == nil || p.Parent.Module != p.Module {
			name = p.QName()
		}
		parts = append(parts, name)
	}
	slices.Reverse(parts)
	return "/" + strings.Join(parts, "/")
}

// String is the node's kind and path, for messages.
func (n *Node) String() string { return n.Kind.String() + " " + n.Path() }

// Identities yields all identities, sorted by qualified name.
func (s *Schema) Identities() iter.Seq[*Identity] {
	return func(yield func(*Identity) bool) {
		names := make([]string, 0, len(s.identAt))
		for n := range s.identAt {
			names = append(names, n)
		}
		slices.Sort(names)
		for _, n := range names {
			if !yield(s.identAt[n]) {
				return
			}
		}
	}
}
