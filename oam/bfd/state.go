package bfd

import "fmt"

// State is a state of a session, as the wire has it [RFC 5880 section 4.1].
type State uint8

// The states.
const (
	AdminDown State = iota
	Down
	Init
	Up
)

var stateNames = [...]string{"AdminDown", "Down", "Init", "Up"}

// String is the name in RFC 5880.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// Diagnostic is why a session changed its state [RFC 5880 section 4.1].
type Diagnostic uint8

// The diagnostics that this end gives.
const (
	NoDiagnostic         Diagnostic = 0
	DetectionTimeExpired Diagnostic = 1
	NeighborSignaledDown Diagnostic = 3
	AdministrativelyDown Diagnostic = 7
	largestDiagnostic               = 31 // of five bits
)

// event is what can change a state. The first four are the states that a packet of the far
// end may tell.
type event uint8

const (
	receivedAdminDown = event(AdminDown)
	receivedDown      = event(Down)
	receivedInit      = event(Init)
	receivedUp        = event(Up)
	expired           = event(iota) // the detection time
	disabled                        // by this end
	events
)

// step is the state after an event. why is nil where the diagnostic stays.
type step struct {
	to  State
	why *Diagnostic
}

func because(d Diagnostic) *Diagnostic { return &d }

// machine has the state after each event in each state [RFC 5880 sections 6.2, 6.8.4, 6.8.6
// and 6.8.16].
var machine = [...][events]step{
	// This end goes down on purpose and stays so: what the far end says is discarded.
	AdminDown: {
		receivedAdminDown: {to: AdminDown},
		receivedDown:      {to: AdminDown},
		receivedInit:      {to: AdminDown},
		receivedUp:        {to: AdminDown},
		expired:           {to: AdminDown},
		disabled:          {to: AdminDown},
	},
	Down: {
		receivedAdminDown: {to: Down},
		receivedDown:      {to: Init},
		receivedInit:      {to: Up},
		receivedUp:        {to: Down}, // it has to notice first that this end is down
		expired:           {to: Down},
		disabled:          {AdminDown, because(AdministrativelyDown)},
	},
	Init: {
		receivedAdminDown: {Down, because(NeighborSignaledDown)},
		receivedDown:      {to: Init},
		receivedInit:      {to: Up},
		receivedUp:        {to: Up},
		expired:           {Down, because(DetectionTimeExpired)},
		disabled:          {AdminDown, because(AdministrativelyDown)},
	},
	Up: {
		receivedAdminDown: {Down, because(NeighborSignaledDown)},
		receivedDown:      {Down, because(NeighborSignaledDown)},
		receivedInit:      {to: Up},
		receivedUp:        {to: Up},
		expired:           {Down, because(DetectionTimeExpired)},
		disabled:          {AdminDown, because(AdministrativelyDown)},
	},
}
