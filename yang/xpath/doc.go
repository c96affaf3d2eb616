// Package xpath is XPath 1.0 for YANG: the whole expression language with every
// axis but namespace, the core function library, and the functions of RFC 7950
// section 10.
//
// It works on any tree that implements [Node]. An expression is compiled once by
// [Compile] (names resolved, types checked, an evaluation plan made) and may then
// be evaluated any number of times, by any number of goroutines, each evaluation
// with its own [Context].
//
// # How an expression is evaluated
//
// A location path is a chain of steps. As long as a step leads to at most one node
// (a parent, a container, a leaf, a list entry all of whose keys are given), the
// chain is followed without any set being built. Predicates that compare a key of
// a list with something that does not depend on the entry, as in
//
//	/nw:networks/nw:network[nw:network-id = current()/../network-ref]/nw:node
//
// are recognised when the expression is compiled, in any order, spread over several
// predicates or joined by "and". When they name all the keys of the list, the entry
// is looked up by [Node.Entry]; otherwise the list is scanned. Where only the
// existence of a node matters (boolean(), not(), and, or, predicates, comparisons)
// the search ends at the first hit. A set is sorted only when the steps that made it
// can have left document order.
//
// # The tree
//
// The data model is that of RFC 7950 section 6.4.1: a root, elements, and the text
// of leafs. There are no attributes, comments, processing instructions and IDs: the
// expressions that ask for them are valid and find nothing. A text node is made by
// this package when an expression asks for one, so an implementation of Node never
// makes any. The namespace axis and variables do not exist in YANG; they are errors
// of [Compile].
//
// # Hostile expressions
//
// Users of a server write expressions too. [Compile] bounds length ([MaxLength]) and
// nesting ([MaxDepth]), and [Context].Budget bounds the work of one evaluation.
//
// # Errors
//
// The errors are this package's own ([*SyntaxError], [ErrBudget], ...). Who knows in
// which element of which message the expression stood makes an rpc-error of them.
package xpath
