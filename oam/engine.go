package oam

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"time"
)

// Engine makes the tests of one type: it reads the container of the type's case, as
// defined in incidentd-oam-tests, whose content is valid. Absent leafs have their
// defaults. It is called at each commit that changes a test: it holds nothing and asks
// nobody. An error is one of the values' meaning, which YANG cannot tell.
type Engine func(Params) (Test, error)

// Test is what an Engine made of parameters: one thing that can be measured, any number of
// times, at several times at once. It does not change.
type Test interface {
	// Demand is what one run takes of the network.
	Demand() Demand

	// Check looks whether a run could begin: that the target has an address, and that
	// the system permits to send. It sends nothing to the target and keeps nothing open.
	Check(ctx context.Context, env *Env) error

	// Run measures. The network may do what it wants: loss, refusals and silence are
	// measured, and are no error. An error is that nothing could be measured: a
	// *Fault, or any other for a failure of the engine.
	//
	// When ctx is done the run was stopped or its time is over: Run then returns what
	// it has measured so far, within two seconds, with its sockets closed.
	Run(ctx context.Context, env *Env) (*Measurement, error)
}

// Demand is what a run takes of the network and of this host.
type Demand struct {
	// Target is where the packets go: an address or a name, as configured.
	Target string
	// Packets are the most that a run sends; 0: as many as PacketRate permits.
	Packets int
	// PacketRate is how many it sends in a second at most.
	PacketRate float64
	// BitRate is how many bits it sends in a second at most, of IP packets.
	BitRate float64
	// Duration is how long it takes when nothing is lost, the wait for the last answer
	// included; 0: until it is stopped.
	Duration time.Duration
	// Load says that the test loads the path on purpose.
	Load bool
	// Exclusive names what the run needs for itself, such as "udp port 862": two runs
	// that name the same at one vantage point exclude each other.
	Exclusive []string
}

// Vantage is the near end of a test; the zero value is this host as it routes.
type Vantage struct {
	Name string
	// NetworkInstance is a network namespace or a VRF of the host; "": the own one.
	NetworkInstance string
	// SourceAddress is what to send from; the zero value: as the host chooses.
	SourceAddress netip.Addr
	// Interface is what to send by; "": as the host routes.
	Interface string
}

// Env is what a run is given.
type Env struct {
	// RunID is that of the run, "" in Check.
	RunID   string
	Vantage Vantage
	// Permit says whether the limits allow to send to an address: nil, or a *Fault. To be
	// asked for each address before it gets the first packet.
	Permit func(netip.Addr) error
	// Budget has to be asked before each packet. It is nil in Check.
	Budget *Budget
	// Log is of the run.
	Log *slog.Logger
}

// Reason says why a run ended as it did, or a test cannot run: an identity derived from
// run-reason of incidentd-oam-tests.
type Reason string

// The reasons.
const (
	ResourceContention   Reason = "resource-contention"
	Priority             Reason = "priority"
	OutOfDate            Reason = "out-of-date"
	BadSchedule          Reason = "bad-schedule"
	BadTarget            Reason = "bad-target"
	TargetDenied         Reason = "target-denied"
	LimitExceeded        Reason = "limit-exceeded"
	NotPermitted         Reason = "not-permitted"
	NotSupported         Reason = "not-supported"
	EngineFailure        Reason = "engine-failure"
	BudgetExceeded       Reason = "budget-exceeded"
	ServerRestart        Reason = "server-restart"
	ClientStop           Reason = "client-stop"
	Paused               Reason = "paused"
	Overlap              Reason = "overlap"
	ConfigurationRemoved Reason = "configuration-removed"
	MemberFailed         Reason = "member-failed"
	WindowEnd            Reason = "window-end"
	MaxRunTime           Reason = "max-run-time"
)

// Fault is why nothing could be measured, and whose concern that is.
type Fault struct {
	Reason Reason
	Err    error
}

// Faultf makes a Fault of a formatted message, which may wrap.
func Faultf(r Reason, format string, args ...any) *Fault {
	return &Fault{r, fmt.Errorf(format, args...)}
}

// Error is the message alone; the reason stands beside it wherever it is told.
func (f *Fault) Error() string { return f.Err.Error() }

// Unwrap is the cause.
func (f *Fault) Unwrap() error { return f.Err }
