package oam

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Run is one execution of a test or a sequence, or of a member of one. It is what is
// stored of it.
type Run struct {
	ID string `json:"id,omitempty"`
	// Occurrence is when it was due; zero for one that was asked for.
	Occurrence time.Time `json:"occurrence,omitzero"`
	Trigger    Trigger   `json:"trigger"`
	Start      time.Time `json:"start"`
	End        time.Time `json:"end,omitzero"`
	Outcome    Outcome   `json:"outcome"`
	Reason     Reason    `json:"reason,omitempty"`
	Detail     string    `json:"detail,omitempty"`
	// Hash is the SHA-256 of the definition that was run.
	Hash       string       `json:"hash,omitempty"`
	IncidentID string       `json:"incident,omitempty"`
	Found      *Measurement `json:"found,omitempty"` // of a test
	Verdict    Verdict      `json:"verdict,omitempty"`
	Members    []Member     `json:"members,omitempty"` // of a sequence
	// CertificateID is the SHA-256 of the certificate that the run has yielded.
	CertificateID string `json:"certificate,omitempty"`
}

// Member is a run of a test within a sequence.
type Member struct {
	Name      string `json:"name"`
	Execution uint32 `json:"execution"` // from 1
	Run
}

// Trigger is what began a run.
type Trigger string

// The triggers.
const (
	BySchedule  Trigger = "schedule"
	ByCatchUp   Trigger = "catch-up"
	ByAction    Trigger = "action"
	BySequence  Trigger = "sequence"
	ByDiagnosis Trigger = "diagnosis"
)

// Outcome is how a run ended.
type Outcome string

// The outcomes.
const (
	StillOngoing Outcome = "ongoing"
	Finished     Outcome = "finished"
	WasStopped   Outcome = "stopped"
	Failed       Outcome = "error"
	Skipped      Outcome = "skipped"
)

// progress is what is stored of a test besides its runs: enough to go on after a restart.
type progress struct {
	// Since is when the definition was made; what was due before is not missed.
	Since time.Time `json:"since"`
	// Last is the last occurrence that was begun or left out.
	Last time.Time `json:"last,omitzero"`
	// Begun is the last occurrence that was begun, which is not begun again when the clock
	// is set back.
	Begun    time.Time `json:"begun,omitzero"`
	State    string    `json:"state,omitempty"` // one in which a test may end
	Runs     uint32    `json:"runs,omitempty"`
	Failures uint32    `json:"failures,omitempty"`
	Missed   uint32    `json:"missed,omitempty"`
	Overlaps uint32    `json:"overlaps,omitempty"`
	Verdict  Verdict   `json:"verdict,omitempty"`
	// Kept is how many results were ever stored, and so the slot of the next.
	Kept uint32 `json:"kept,omitempty"`
	// Failing are the verdicts that supervision looks at, the latest last, and Raised
	// whether a crossing has been told.
	Failing []bool `json:"failing,omitempty"`
	Raised  bool   `json:"raised,omitempty"`
	// Losing are the runs of which nothing arrived, and Lost whether that has been told.
	Losing []bool `json:"losing,omitempty"`
	Lost   bool   `json:"lost,omitempty"`
	// Order is in which order the members of a sequence were made.
	Order []string `json:"order,omitempty"`
}

// copy is the progress as it is, whatever becomes of it.
func (p progress) copy() progress {
	p.Failing, p.Losing, p.Order = slices.Clone(p.Failing), slices.Clone(p.Losing), slices.Clone(p.Order)
	return p
}

// The tables. The keys of the last two begin with the key of the test; see key.
const (
	tableErrands  = "oam-errands"  // run-id to Run, while it is under way
	tableOpen     = "oam-open"     // run-id to openRun
	tableProgress = "oam-progress" // to progress
	tableRuns     = "oam-runs"     // with the slot, four bytes, to Run
)

// openRun is a run that has begun, as it is stored before its first packet.
type openRun struct {
	Kind Kind   `json:"kind"`
	Name string `json:"name"`
	Run  Run    `json:"run"`
}

// key is the key of a test: its kind, its name, and an end that no name has.
func key(k Kind, name string) []byte {
	return append(append([]byte{byte(k)}, name...), 0)
}

// slotKey is the key of a result.
func slotKey(k Kind, name string, slot uint32) []byte {
	return append(key(k, name), byte(slot>>24), byte(slot>>16), byte(slot>>8), byte(slot))
}

// afterKey is the end of the keys that begin with that of a test.
func afterKey(k Kind, name string) []byte {
	b := key(k, name)
	b[len(b)-1] = 1
	return b
}

// pack writes a record. What it is made of can be written.
func pack(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("oam: a record cannot be written: %v", err))
	}
	return b
}
