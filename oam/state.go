package oam

import "slices"

// State is a state of a test or of a sequence. The figures of the draft call some of them
// otherwise than its modules, which have their names here.
type State uint8

// The states. Finish is of tests alone, Success and Failure are of sequences alone. None is
// that of what is not there yet.
const (
	None State = iota
	Planned
	Configured
	Ready
	Ongoing
	Stopped
	Finish
	Success
	Failure
	Erroneous
)

// Kind is a test or a sequence.
type Kind uint8

// The kinds.
const (
	UnitaryTest Kind = iota
	TestSequence
)

// String is the name of the kind in incidentd-oam-tests.
func (k Kind) String() string { return [...]string{"unitary-test", "test-sequence"}[k] }

// machine is a state machine: the name of each state, and the edges.
type machine struct {
	names map[State]string
	edges map[State][]State
}

// machines are figure 2 and figure 4 of the draft, with what DESIGN.md adds to them.
var machines = [...]machine{
	UnitaryTest: {
		names: map[State]string{Planned: "planned", Configured: "configure", Ready: "ready", Ongoing: "ongoing", Stopped: "stop", Finish: "finish", Erroneous: "error"},
		edges: map[State][]State{
			None:       {Planned, Finish}, // the latter restored
			Planned:    {Configured, Stopped},
			Configured: {Ready, Erroneous, Stopped},
			Ready:      {Ongoing, Stopped},
			Ongoing:    {Finish, Erroneous, Stopped},
			Stopped:    {Finish, Planned},
			Finish:     {Planned, Stopped},
			Erroneous:  {Planned, Finish, Stopped},
		},
	},
	TestSequence: {
		names: map[State]string{Planned: "planned", Configured: "configured", Ready: "ready", Ongoing: "ongoing", Stopped: "stop", Success: "success", Failure: "failure", Erroneous: "error"},
		edges: map[State][]State{
			None:       {Planned, Success, Failure}, // the latter two restored
			Planned:    {Configured, Stopped},
			Configured: {Ready, Erroneous, Stopped},
			Ready:      {Ongoing, Stopped},
			Ongoing:    {Success, Failure, Erroneous, Stopped},
			Stopped:    {Failure, Planned},
			Success:    {Planned, Stopped},
			Failure:    {Planned, Stopped},
			Erroneous:  {Planned, Stopped},
		},
	},
}

// Name is what the draft's modules call a state of a kind, "" for one that the kind does
// not have.
func (k Kind) Name(s State) string { return machines[k].names[s] }

// state is the state of a name, None for one that is none.
func (k Kind) state(name string) State {
	for s, n := range machines[k].names {
		if n == name {
			return s
		}
	}
	return None
}

// may reports whether there is an edge from a state to another.
func (k Kind) may(from, to State) bool { return slices.Contains(machines[k].edges[from], to) }

// stopped is where a run goes from Stopped.
func (k Kind) stopped() State {
	if k == TestSequence {
		return Failure
	}
	return Finish
}

// passing are the states that are only passed through on the way to others: nobody is told
// of them.
func (s State) passing() bool { return s == Planned || s == Configured }
