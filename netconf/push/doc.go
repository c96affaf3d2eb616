// Package push serves subscriptions to datastores: YANG-Push [RFC 8641]. It adds the
// target datastore to package subscribe, which knows everything else about a
// subscription.
//
// # Selections
//
// What a receiver may see of a datastore is a tree: the datastore, without what the
// receiver may not read, without what the filter does not select. All subscriptions
// with the same datastore, filter and rights share a [selection], which makes that tree
// once for each state of the datastore, and writes it, and what makes it other than an
// earlier one, once for all of them.
//
// # Periodic
//
// A periodic subscription sends its selection at the instants that are whole multiples
// of the period away from its anchor, or from its begin. Each instant is computed from
// the anchor, so nothing drifts. One that a slow receiver has missed is left out.
//
// # On change
//
// An on-change subscription keeps the tree that its receiver has, and sends how the
// present one differs, as a YANG patch. Trees are immutable and share what is alike, so
// that costs what has changed. There is no queue: for a receiver that is slow, or
// dampened, or suspended, changes grow together into one patch. Access is evaluated
// for each patch: what the receiver may read no longer is deleted in it, silently. When
// that leaves nothing that could be read, the subscription is terminated.
//
// Within a dampening period every transaction is looked at, so that the patch in the end
// also tells what has changed and changed back [RFC 8641 section 3.3]. Of more than
// maxTouched such nodes the rest is left out, and the patch is an incomplete-update.
//
// Whatever a transaction puts into the stored state (datastore.Tx.SetState) is told, without
// any more ado. What providers of the datastores make when they are asked has no changes. It is left out
// of on-change subscriptions, and those that could select nothing else are refused: each
// node of the schema that a filter can select is asked for, at any depth. The capabilities
// of RFC 9196 tell which nodes these are.
//
// What stands in the operational datastore is seen with the defaults in use, so updates have
// what get-data shows, and a leaf that goes back to its default is replaced.
//
// An update of more than Config.MaxNodes nodes is refused or, later, suspends the
// subscription until it is smaller.
//
// # Concurrency
//
// A target belongs to its Subscription, which runs it in a goroutine of its own. A
// selection is used by many of them, and its methods may be called concurrently: who
// comes first works, the others wait.
package push
