package resolve

import (
	"encoding/binary"
	"encoding/json"
	"strconv"
	"time"
)

// Phase is how far a run is.
type Phase string

// The phases of incidentd-resolution.
const (
	Admitted    Phase = "admitted"
	Preparing   Phase = "preparing"
	Applying    Phase = "applying"
	Watching    Phase = "watching"
	Confirming  Phase = "confirming"
	RollingBack Phase = "rolling-back"
	Ended       Phase = "ended"
)

// Outcome is how a run ended.
type Outcome string

// The outcomes of incidentd-resolution.
const (
	Resolved    Outcome = "resolved"
	NotCleared  Outcome = "not-cleared"
	Worse       Outcome = "worse"
	NotNeeded   Outcome = "not-needed"
	Failed      Outcome = "failed"
	Interrupted Outcome = "interrupted"
	Left        Outcome = "left"
)

// helpless reports whether the cure was applied and did not help, so that another is tried
// the next time. One that someone has to look after is not tried again either.
func (o Outcome) helpless() bool { return o == NotCleared || o == Worse || o == Left }

// Run is what is stored of a run.
type Run struct {
	Number   uint64    `json:"number"`
	Incident string    `json:"incident"`
	User     string    `json:"user,omitempty"`
	Begin    time.Time `json:"begin"`
	End      time.Time `json:"end,omitzero"`
	Phase    Phase     `json:"phase"`
	Outcome  Outcome   `json:"outcome,omitempty"`
	Detail   string    `json:"detail,omitempty"`
	Plan     Plan      `json:"plan"`
	// Token is the persist-id of the confirmed commit.
	Token string `json:"token,omitempty"`
	// Deadline is until when the incident has to be cleared.
	Deadline     time.Time     `json:"deadline,omitzero"`
	Steps        []Step        `json:"steps,omitempty"`
	Output       string        `json:"output,omitempty"`
	Alternatives []Alternative `json:"alternatives,omitempty"`
}

// Step is something that a run did.
type Step struct {
	Time time.Time `json:"time"`
	Text string    `json:"text"`
}

// Name is the run's id.
func (r *Run) Name() string { return runName(r.Number) }

func runName(n uint64) string { return "res-" + strconv.FormatUint(n, 10) }

// touched reports whether something of the cure may hold.
func (r *Run) touched() bool {
	return r.Phase == Applying || r.Phase == Watching || r.Phase == Confirming || r.Phase == RollingBack
}

// tableRuns has the runs by their numbers.
const tableRuns = "resolution-runs"

func rowKey(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func (r *Run) row() []byte {
	b, err := json.Marshal(r)
	if err != nil {
		panic("resolve: " + err.Error()) // there is nothing in it that JSON cannot have
	}
	return b
}

func parseRun(row []byte) (r Run, err error) {
	err = json.Unmarshal(row, &r)
	return r, err
}
