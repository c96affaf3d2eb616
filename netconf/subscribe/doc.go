// Package subscribe sends notifications to sessions: the streams and
// create-subscription of RFC 5277, and the subscriptions of RFC 8639, dynamic ones as RFC
// 8640 binds them to NETCONF, and configured ones by call home.
//
// # What a subscription is
//
// A [Subscription] sends the event records of a [Target] to a session. The target knows
// where they come from: a stream here, a datastore in package push, which adds its
// [Kind] to the [Publisher]. The subscription knows everything else: its id, policy and
// state, its counters, its encoding, when it is suspended, and what its receiver is told
// about it. The policy is kept as an entry of /subscriptions/subscription, whatever way
// it came, so that requests, state and notifications are one tree seen from three sides.
//
// The life of a subscription:
//
//	establish   Kind.New makes the target; it runs when the reply has been sent
//	modify      the target halts, Target.Modify makes the next one from the merged policy,
//	            which runs from the reply on; refused, the old one goes on
//	delete      the target halts, and then the reply is sent: nothing comes after it
//	kill        it ends whatever it does, and its receiver is told
//	renew       the configuration that it refers to has changed: Refresher.Refresh;
//	            subscription-modified, or subscription-terminated when that is gone
//	suspend     a message could not be written for Config.SuspendAfter
//	complete    Target.Run returns nil: its stop-time has come
//	lose        the rules let the receiver have nothing of it any more: Guarded.Permitted;
//	            subscription-terminated
//
// A session has subscriptions of one RFC only: one of RFC 5277 at a time, or some of RFC
// 8639 [RFC 8640 section 4].
//
// # Order
//
// A subscription to a stream is one cursor on the journal, from the record that its
// start time names, or else from the next one that is published after the request was
// received. So there is neither a gap nor a double between replay and what follows,
// and the order is that of the journal. The reply is sent first. The notification that
// the replay is over stands after the last record that the journal had when the
// request was received, the one that the subscription is complete after the last one
// that is not later than the stop time. What a change of the filter makes other is told
// between the last record that passed the old one and the first that passes the new.
//
// A filter lets a notification pass whole or not at all. It is matched with the
// notification itself, not with its envelope.
//
// # Configured subscriptions
//
// [Publisher.Run] keeps those of the configuration going. It calls each receiver-instance
// that one of them uses (Config.Call), once for each source-address and DSCP that they want,
// and calls again when a session ends. Each receiver of
// each subscription has a place in the journal and a number of event records sent. They
// are written together, once a second at most, when the receiver has confirmed: its SSH has
// answered a request that was sent behind the notifications. After a lost link or a restart
// the receiver gets subscription-started and then everything from its last confirmed place
// on. So no event record is missing, and one that comes twice has the sequence number that
// it had (incidentd-notifications, sequencing), as long as neither the filter nor the
// receiver's rights have changed in between. What is confirmed was received; what the
// receiver made of it is not known. When retention has overtaken a receiver it is told by a
// suspension and a resumption, and goes on with the oldest record that is kept.
//
// # Concurrency and back-pressure
//
// Run has a goroutine for each link to a receiver. The mutex of the caller comes before that
// of a Subscription; the writer of the store takes neither of them but for the moment of
// interrupting a subscription.
//
// Each subscription has a goroutine of its session. It reads the journal at the
// pace of its peer: a slow one falls behind on its own cursor and holds up neither
// the journal nor others. A record is encoded and parsed once for all subscriptions
// that come to it at about the same time, and those that are at hand are written together, in
// one framing for all that send the same. They take turns, so that RPCs do not wait behind a
// storm.
//
// A peer that does not read for Config.SuspendAfter has its subscriptions of RFC 8639
// suspended. When it reads again it is told so, that they are resumed, and then all that
// it has missed, from the journal. When that is kept no longer the subscription is
// terminated. A peer that does not read for Config.SuspensionTimeout has its session
// closed. RFC 5277 has no words for any of it: there a subscription that retention has
// overtaken goes on with the oldest record that is kept, the loss is logged and counted
// (Stats.Lost), and the session is closed after netconf.Limits.Stall.
package subscribe
