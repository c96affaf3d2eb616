// Package yang compiles YANG 1.1 modules [RFC 7950] into an immutable, ordered,
// namespace-aware schema that everything above reads: the data tree, validation,
// the NETCONF operations and the tools.
//
// Only the parser of github.com/openconfig/goyang is used, for raw statements:
// it is well kept and fast, while the layers above it lose refine, child order,
// same-named augments and if-feature, and fall over on junk. From the
// statements on, everything is ours: the grammar, scopes, submodules, features,
// groupings with refine and augment, augments and deviations across modules,
// types with their restrictions, identities, config and key inheritance, and of
// the extensions those of RFC 7952 (annotations), RFC 8791 (structures), RFC 8040
// (yang-data) and RFC 8341 (default-deny).
//
// # Faults
//
// A module with a fault is refused. Compile goes through the whole set in steps
// (syntax and grammar, links between files, names and types, nodes, references
// between nodes) and gives all faults of the first step that finds any, each as
//
//	file:line:column: keyword "argument": reason
//
// The work is bounded for hostile modules too: nesting, the number of nodes and
// the members of unions have limits.
//
// # What is not checked
//
// That the names in must and when exist: XPath may name what another module adds.
// The substatements of extensions other than structures.
//
// # Concurrency
//
// A Schema and all it holds are read-only once Compile has returned; any number
// of goroutines may use them.
package yang
