// Package correlate is the correlator: events, topology, rules and marks go in,
// decisions about incidents come out, each with its reason.
//
// # A pure function
//
// [Engine] has no goroutine, no lock, no wall clock and no chance in it. Its clock is
// the stream time, which is the latest arrival or tick it was told. The same calls give
// the same decisions, byte for byte, also when the engine is written out by
// [Engine.Snapshot] and read back between any two of them, and however many ticks by
// [Engine.Advance] lie between two events. One goroutine at a time may use an engine;
// what it returns may be kept and shared.
//
// # The way of an event
//
// An event becomes an alarm, found by node, resource, type and qualifier (alarm.go). Its
// type gives its class, what it says whatever a vendor calls it (class.go). Class and
// place give candidates, the possible causes, by the rules and the topology (rules.go,
// candidates.go, stack.go). An alarm high in the stack, a tunnel or a service, joins the incident that
// brought down what it rests on, or waits for that (impact.go). Any other joins the open
// incident whose root explains it, or goes to the pool. The pool is solved after a short
// pause by a greedy weighted cover in which what should have alarmed and did not counts
// against a cause (solve.go, score.go); incidents younger than Config.Settle are solved
// again when new evidence touches them, so that roots may move and incidents merge.
// An incident is raised when it has lasted, updated at a limited rate, and cleared when
// its root events have been clear for a while (lifecycle.go). Marks and rhythms take
// the ticket away and mute nothing (label.go). What fails together or at one time of day
// is learnt and offered (history.go, learn.go).
//
// Operators merge, split and move by Engine.Command, an input like an event. Why an event
// is in an incident stands with it (explain.go), why not tells Engine.WhyNot.
//
// Weights are in thousandths of a nat, so that no sum depends on rounding.
package correlate
