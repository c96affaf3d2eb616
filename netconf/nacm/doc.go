// Package nacm controls who may do what: the NETCONF access control model [RFC
// 8341].
//
// A Controller keeps the rules of a store, which stand in running. They are compiled
// anew when they have changed, and for each user once: his Access has only the rules
// of his groups, in their order, and answers for all that he does.
//
// # Decisions
//
// The first rule that fits decides [RFC 8341 section 3.4]. Without one it is
// nacm:default-deny-all or -write of the node or of one that it is in, and then
// read-default, write-default or exec-default. A user of no group has no rules, even
// those for the group "*". Where the RFC leaves room:
//
//   - A node is read when it and all that it is in may be: a rule that permits a part of
//     what is hidden does not show it. An entry is hidden with any of its keys.
//   - A container without presence has no existence of its own, so writing it is
//     writing what is in it. One of which nothing is left is not shown.
//   - Who deletes a node deletes all that is in it, and needs the right to each part.
//   - Moving an entry is an update of it.
//   - What becomes of other cases of a choice, and of nodes whose when no longer holds,
//     needs no right [RFC 8341 section 3.2.5].
//   - The error-path of a deletion leads no deeper than its user may read, as an
//     rpc-error must not tell what is hidden [RFC 8341 section 3.2.5].
//
// # How an access is found
//
// A walk down a tree carries a state: the rules that hold for the node, and the rules
// whose path leads further. The states of nodes that no path tells apart are the same,
// and are made once. A state knows whether it permits everything below, so that such a
// subtree is taken whole: reading costs what is hidden, not what is there.
//
// # Concurrency
//
// All methods may be called concurrently. An Access never changes; ask the Controller
// for another to learn of new rules.
package nacm
