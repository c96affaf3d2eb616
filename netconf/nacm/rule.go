package nacm

import (
	"strings"

	"incidentd/yang"
	"incidentd/yang/data"
)

// Operation is a kind of access [RFC 8341 section 3.2.2].
type Operation uint8

// The kinds of access.
const (
	Create Operation = iota
	Read
	Update
	Delete
	Exec

	operations = iota
)

var operationNames = [operations]string{"create", "read", "update", "delete", "exec"}

// String is the name of the operation in access-operations.
func (o Operation) String() string { return operationNames[o] }

// ParseOperation is the operation of a name in access-operations.
func ParseOperation(name string) (Operation, bool) {
	for o, n := range operationNames {
		if n == name {
			return Operation(o), true
		}
	}
	return 0, false
}

// operationSet has a bit for each operation.
type operationSet uint8

const allOperations = operationSet(1<<operations - 1)

func (s operationSet) has(o Operation) bool { return s&(1<<o) != 0 }

// parseOperations reads the leaf access-operations.
func parseOperations(text string) operationSet {
	if text == "" || text == any {
		return allOperations
	}
	var s operationSet
	for name := range strings.FieldsSeq(text) {
		if o, ok := ParseOperation(name); ok {
			s |= 1 << o
		}
	}
	return s
}

// any is the name that fits all.
const any = "*"

// kind is what a rule is about: its rule-type.
type kind uint8

const (
	everything kind = iota
	protocolOperation
	notification
	dataNode
)

// rule is a rule of a rule-list.
type rule struct {
	list, name string
	order      int // place among the rules of all lists
	module     string
	kind       kind
	target     string // rpc-name or notification-name
	path       yang.PathPattern
	operations operationSet
	permit     bool
}

// newRule reads a rule. It fails when its path leads to what the schema does not have,
// as one of a version before may.
func newRule(schema *yang.Schema, list string, n *data.Node) (*rule, error) {
	r := &rule{list: list, name: n.Leaf("name"), module: any, operations: parseOperations(n.Leaf("access-operations")), permit: n.Leaf("action") == "permit"}
	if n.Has("module-name") {
		r.module = n.Leaf("module-name")
	}
	switch {
	case n.Has("rpc-name"):
		r.kind, r.target = protocolOperation, n.Leaf("rpc-name")
	case n.Has("notification-name"):
		r.kind, r.target = notification, n.Leaf("notification-name")
	case n.Has("path"):
		r.kind = dataNode
		var err error
		if r.path, err = schema.PathPattern(n.Leaf("path")); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// fits reports whether the rule is about the module and the operation.
func (r *rule) fits(m *yang.Module, o Operation) bool {
	return r.operations.has(o) && (r.module == any || m != nil && r.module == m.Name)
}

// names reports whether the rule is about the top-level node of a kind: it names it, or
// everything.
func (r *rule) names(k kind, s *yang.Node) bool {
	return r.kind == everything || r.kind == k && (r.target == any || r.target == s.Name)
}

// total reports whether the rule fits whatever is done, so that no later one ever does.
func (r *rule) total() bool {
	return r.kind == everything && r.module == any && r.operations == allOperations
}

// RuleText writes an entry of the list rule as a line: the name, the decision, the kinds
// of access, and what it is about.
func RuleText(n *data.Node) string {
	operations, module := n.Leaf("access-operations"), n.Leaf("module-name")
	if operations == "" || operations == any {
		operations = "everything"
	}
	about := ""
	for _, leaf := range []string{"rpc-name", "notification-name", "path"} {
		if v := n.Leaf(leaf); v != "" {
			about = " " + strings.TrimSuffix(leaf, "-name") + " " + v
		}
	}
	if module != "" && module != any {
		about += " of the module " + module
	}
	return n.Leaf("name") + ": " + n.Leaf("action") + " " + operations + about
}
