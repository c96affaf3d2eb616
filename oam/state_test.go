package oam

import (
	"strings"
	"testing"
)

// Each pair of states of figures 2 and 4, with what DESIGN.md adds: a row for each state,
// an x for each state that it may go to.
func TestMachines(t *testing.T) {
	tests := []struct {
		kind  Kind
		table string
	}{
		{UnitaryTest, `
to         planned configure ready ongoing stop finish error
planned       .        x       .      .     x     .      .
configure     .        .       x      .     x     .      x
ready         .        .       .      x     x     .      .
ongoing       .        .       .      .     x     x      x
stop          x        .       .      .     .     x      .
finish        x        .       .      .     x     .      .
error         x        .       .      .     x     x      .`},
		{TestSequence, `
to         planned configured ready ongoing stop success failure error
planned       .        x        .      .     x      .       .      .
configured    .        .        x      .     x      .       .      x
ready         .        .        .      x     x      .       .      .
ongoing       .        .        .      .     x      x       x      x
stop          x        .        .      .     .      .       x      .
success       x        .        .      .     x      .       .      .
failure       x        .        .      .     x      .       .      .
error         x        .        .      .     x      .       .      .`},
	}
	for _, tt := range tests {
		lines := strings.Split(strings.TrimSpace(tt.table), "\n")
		columns := strings.Fields(lines[0])[1:]
		if len(columns) != len(machines[tt.kind].names) || len(lines) != len(columns)+1 {
			t.Fatalf("%s: the table has %d states, the machine %d", tt.kind, len(columns), len(machines[tt.kind].names))
		}
		for _, line := range lines[1:] {
			cells := strings.Fields(line)
			from := tt.kind.state(cells[0])
			for i, cell := range cells[1:] {
				to := tt.kind.state(columns[i])
				if from == None || to == None {
					t.Fatalf("%s: %s or %s is no state", tt.kind, cells[0], columns[i])
				}
				if got, want := tt.kind.may(from, to), cell == "x"; got != want {
					t.Errorf("%s: from %s to %s: %t, want %t", tt.kind, cells[0], columns[i], got, want)
				}
			}
		}
		if tt.kind.may(None, Ongoing) || !tt.kind.may(None, Planned) {
			t.Errorf("%s: what is new is not planned", tt.kind)
		}
	}
}
