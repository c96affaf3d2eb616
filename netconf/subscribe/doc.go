// Package subscribe sends the notifications of the journal to sessions: streams and
// create-subscription of RFC 5277, with replay.
//
// # Order
//
// A subscription is one cursor on the journal, from the record that its startTime
// names, or else from the next one that is published after the request was
// received. So there is neither a gap nor a double between replay and what follows,
// and the order is that of the journal. The reply to create-subscription is sent
// first. replayComplete stands after the last record that the journal had when the
// request was received, notificationComplete after the last one that is not later
// than stopTime. After that the session may subscribe again.
//
// A filter lets a notification pass whole or not at all. The elements of the filter
// are matched with the notification itself, not with its envelope.
//
// # Concurrency and back-pressure
//
// Each subscription has a goroutine of its session. It reads the journal at the
// pace of its peer: a slow one falls behind on its own cursor and holds up neither
// the journal nor others. When retention has overtaken it, it goes on with the
// oldest record that is kept; RFC 5277 has no message for that, so the peer cannot
// be told, and the loss is logged and counted (Stats.Lost). A record is encoded and
// parsed once for all subscriptions that come to it at about the same time.
package subscribe
