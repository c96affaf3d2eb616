// Package ingest runs the sources of events that running has (incidentd-sources): it
// begins and ends them as they are configured, begins those that failed again, knows how
// each gets on, and hands the events of their messages to the manager of incidents.
//
// # A kind of source
//
// A kind is a container in the choice kind of incidentd-sources, or of a module that
// augments it, and a Kind that makes a Source of that container. The packages below this
// one are kinds; package listen has what those share that others send to. A Source turns
// what it receives into mapping.Messages and hands them to its Feed:
//
//   - Offer never waits: for UDP, where what does not fit into the queue is lost and
//     counted;
//   - Put waits until there is room: for TCP, whose sender is held up by that;
//   - Report returns when the events are on disk: for senders that get an answer;
//   - Keep returns when the events are on disk, however long that takes: for logs that have
//     them until then.
//
// A Kind's New is called for each source that a commit changes, before the commit, and its
// error refuses it.
//
// # Concurrency
//
// One goroutine, begun by Start, compares running with what runs, after each commit. A
// source has two more: one that runs it, and one that maps and stores what its queue has,
// up to 1,000 messages in a transaction. The latter goes on for two seconds after the
// source has ended, to store what is left. States are looked at every second, and changes
// announced by source-state-changed.
package ingest
