// Package alarm keeps the alarms of RFC 8632: what resources reported of themselves,
// before any correlation. It has the list of alarms with their histories, the shelves, the
// summary, the inventory, the profiles, the operator states, and the actions and
// notifications that belong to them.
//
// # Alarms are state
//
// All of it is part of the stored state tree, /al:alarms; this package holds nothing of its
// own that a restart could lose. An Edit is what a transaction does to alarms: it changes the
// lists, what is counted of them, and the notifications that tell of it, all or nothing. So the
// summary is exact in every snapshot, and reading it costs nothing; a change of an alarm costs
// O(log n) among n.
//
//	e := alarms.Begin(tx)
//	e.Report(events)
//	err := e.Done()
//
// # Alarm types
//
// A reported type that names an identity derived from alarm-type-id is that
// identity, with or without its module. Any other becomes the identity
// incidentd-alarm-types:reported with the reporter's word as qualifier, followed
// by a slash and the reporter's qualifier if there is one: the dynamic types of
// RFC 8632 section 3.2. The inventory has the concrete identities, what the configuration
// says of types (see Source), and what was reported.
//
// # Shelves and holds
//
// A shelf of the configuration takes the alarms that it matches. When the configuration
// changes, alarms go where they belong: a few thousand in the transaction of the commit, the
// rest in transactions of their own, which a restart does not stop. A change of an alarm in the
// meantime finds it where it is.
//
// A Hold is a shelf that a part of the server puts up for a time. It takes alarms by their
// resources as they come, or those that it is given:
//
//	e.Hold(alarm.Hold{Name: "cutover-7", Reason: "new line card in P1"})
//	e.Report(events)
//	e.Shelve("cutover-7", keys...) // before Done: nobody is told of them
//	err := e.Done()
//
// In the end Release lets them go. Those that are still there are back in the list, with the
// operator state un-shelved; Config.Returned gets them, the active ones among them, in the
// transaction that moves them, so that they can be reported to whoever was not told. A shelf
// hides alarms from the list and from notifications. What takes alarms as they come, a shelf of the
// configuration or a hold with resources, hides them from correlation too (Edit.Takes): they raise no
// incidents and are no evidence. What a hold was given by Shelve was judged before, as the alarms of an incident
// that planned work explains, and still is: how else would a fault beside the work be told from it?
//
// # Concurrency
//
// An Edit belongs to the writer of the store. One goroutine, from Start to Stop, moves what a
// commit could not and purges what is kept no longer. Actions that touch many alarms do some in
// each transaction, so that nobody waits long; each transaction has its record in the audit.
//
// # Layout
//
// A table of datastore/kv, alarms, has the row settling: the place up to which alarms have
// been put where they belong, while that has not come to its end. Its rows early/KEY are clears that
// found nothing to clear, with the time of the clear and that at which it was told.
package alarm
