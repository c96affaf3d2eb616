package bfd

import "testing"

// after is section 6.8.6 of RFC 5880, and of 6.8.4 and 6.8.16 what changes states, word for
// word: another form of the machine.
func after(s State, e event) (State, Diagnostic) {
	switch {
	case e == disabled:
		if s == AdminDown {
			return s, 0
		}
		return AdminDown, AdministrativelyDown
	case e == expired:
		if s == Init || s == Up {
			return Down, DetectionTimeExpired
		}
		return s, 0
	}
	received := State(e)
	if s == AdminDown {
		return s, 0
	}
	if received == AdminDown {
		if s != Down {
			return Down, NeighborSignaledDown
		}
		return s, 0
	}
	if s == Down {
		if received == Down {
			return Init, 0
		}
		if received == Init {
			return Up, 0
		}
		return s, 0
	}
	if s == Init {
		if received == Init || received == Up {
			return Up, 0
		}
		return s, 0
	}
	if received == Down {
		return Down, NeighborSignaledDown
	}
	return s, 0
}

// Every event in every state.
func TestMachine(t *testing.T) {
	for s := AdminDown; s <= Up; s++ {
		for e := range events {
			to, why := after(s, e)
			step := machine[s][e]
			var got Diagnostic
			if step.why != nil {
				got = *step.why
			}
			if step.to != to || got != why {
				t.Errorf("in %s, event %d leads to %s with diagnostic %d, want %s with %d", s, e, step.to, got, to, why)
			}
		}
	}
	if got := State(7).String(); got != "State(7)" {
		t.Error(got)
	}
}
