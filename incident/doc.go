// Package incident keeps incidents through their lifecycle
// [draft-feng-opsawg-incident-management-01]: it hands events to the correlator,
// turns the correlator's decisions into the incidents of /inc:incidents and the
// notifications that announce them, and lets operators acknowledge them.
//
// # Durability
//
// The correlator is a pure function of the events it was fed, so its state is
// their log: events are written before it acts on them, in the same transaction as
// the incidents, alarms and notifications that follow from them. After a crash it
// is made anew from its last snapshot and the events since; what it then decides
// was decided and stored before, and is dropped. When a transaction comes to
// nothing (a full disk), the correlator, which has seen its events, is made anew
// too.
//
// # Bounded work
//
// A transaction stores at most 256 decisions and feeds the correlator for at most ten
// milliseconds. What is left, events of the log that the correlator has not seen and
// decisions that are not stored, is the next transaction's, before anything new is taken.
// So a storm, or a hundred thousand timers due in one moment, holds nobody up for long. A
// report is answered when all of its events are judged. A crash in between loses nothing:
// the events are in the log, and what was decided twice has its serial. Decisions keep
// their order, since nothing is fed before what it would overtake; so the same events
// give the same incidents, however the work was cut. How long decisions take is state.
//
// # The stream clock
//
// The correlator's time is that of the events' arrival, never the server's clock.
// An event arrives when its reporter says (leaf arrival of incidentd-collector),
// or else when the server got it; one without arrival whose own time is more than
// an hour back is taken to be of a recording, and its time for its arrival. Nothing
// arrives later than the server's own time, and stream time never goes back: what
// arrives late arrives now. Between events stream time
// goes on with the server's clock, so that an incident is raised or cleared when
// nothing more comes. While a recording runs in, its clock stands for the two
// seconds after each batch, so that it is judged as it was recorded.
//
// # Admission
//
// Events come in by inlets, one for each source: the users of report-events, and the
// sources of package ingest.
//
//	in := m.Inlet("syslog udp")
//	defer in.Close()
//	in.Report(ctx, events)      // waits until they are on disk, or says why they are not
//	in.Send(ctx, events, done)  // waits for room only: slows a source down that can be
//	in.Offer(events, done)      // does not wait: what finds no room is counted as lost
//
// Between the inlets and the writer lies one queue of bounded memory. An inlet may hold
// as much of it as is still free, and they take turns, so a source in a storm gets what
// the others leave and can shut out none. One transaction takes what waits, up to a
// thousand events or ten milliseconds, so that many small reports share the cost of
// being made durable. Container admission of incidentd-admission sets the bounds and
// tells how much waits, for how long, and what was refused or lost.
//
// # Planned work
//
// A window of incidentd-maintenance is told to the correlator as marks: its occurrence of
// now, the one before and the next (maintenance.go). They change when a window begins or
// ends and when its configuration does; the correlator's state is stored with each change,
// so that after a crash the events since are judged by the marks that were. What has
// taken place is a row of the table maintenance for each window. Marks decide by the
// root cause alone, never by what is near, and an incident that a mark explains is labelled,
// has no ticket, and its alarms are on the shelf of the window until that ends.
//
// # Shelves
//
// An event of an alarm that a shelf takes [RFC 8632 section 3.6] has that written beside it in the log.
// The correlator puts it aside, so that it raises nothing and is no evidence. When shelves
// change, what is on one leaves its incident, and what lasts and is on none any more is judged as if it
// had come now; the state of the correlator is stored with that, as with a command.
//
// # What operators do
//
// Operators merge, split and move by commands to the correlator (incidentd-management). No
// event of the log leads to the state after one, so that state is stored with it. What is
// refused is no failure of the transaction: the correlator has seen nothing that is not
// stored, and need not be made anew. A dry run replays the log without commands, on both
// sides, outside of the writer.
//
// Who did what stands in the incident, and in the audit. An incident goes into the history
// when it is cleared, with what explains it then, and leaves the operational datastore when
// its time is over.
//
// # Changes of configuration
//
// What the correlator judges by is configuration: incidentd-correlation, and the network. A
// Manager is a participant of the commits that change it. It stores the correlator's state
// with such a commit, so that what came before is never judged by what came after; the
// change takes hold with the next event or timer, or a tenth of a second later.
//
// A directory whose correlator is of another version, or has left no snapshot, is judged
// anew from the log: what lasts is raised under new numbers, and the incidents that were
// open are cleared, merged into what has their events.
//
// # Concurrency
//
// A Manager owns its correlator from within transactions: everything that touches
// it runs in the writer of the datastore. One goroutine lets stream time go on. It
// starts with Start and ends in Stop. Another takes the events of the queue while there
// are any; Stop waits for it.
//
// # Layout
//
// Five tables of datastore/kv (layout 4):
//
//	events      eight bytes, big-endian, the place in the log, to eight bytes of
//	            server time in nanoseconds and the event as a line of JSON
//	event-ids   an event's id to its place in the log
//	correlator  "place": the place in the log that the parts are the state after;
//	            "clock": stream time and server time of the last transaction, and 1
//	            for a recording; "serial": that of the last decision that was stored;
//	            "number": the highest serial number that an incident has
//	correlator-parts
//	            the state of the correlator in parts, of which a snapshot writes
//	            those that have changed
//	incident-history
//	            the serial number of a cleared incident to its times, services and
//	            nodes, by which it is found, its entry and its explanation
package incident
