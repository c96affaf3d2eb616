// Package yang compiles YANG 1.1 modules [RFC 7950] into an immutable, ordered,
// namespace-aware schema that everything above reads: the data tree, validation,
// the NETCONF operations and the tools.
//
// Only the parser of github.com/openconfig/goyang is used, for raw statements:
// it is well kept and fast, while the layers above it lose refine, child order,
// same-named augments and if-feature, and fall over on junk. From the
// statements on, everything is ours: features, groupings with refine and
// augment, augments across modules, types with their restrictions, identities,
// config and key inheritance.
//
// # Concurrency
//
// A Schema and all it holds are read-only once Compile has returned; any number
// of goroutines may use them.
package yang
