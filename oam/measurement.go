package oam

import (
	"net"
	"net/netip"
	"time"
)

// Measurement is what a run found. There is what the type of test yields; nil and zero
// are left out, except in structs that are there.
type Measurement struct {
	Packets   *Packets   `json:"packets,omitempty"`
	Errors    *Errors    `json:"errors,omitempty"`
	TwoWay    *Delay     `json:"two-way,omitempty"`
	FarEnd    *Delay     `json:"far-end,omitempty"`  // one way, there
	NearEnd   *Delay     `json:"near-end,omitempty"` // one way, back
	Phases    []Phase    `json:"phases,omitempty"`
	Responses []Response `json:"responses,omitempty"`
	MTU       *MTU       `json:"mtu,omitempty"`
	Path      *Path      `json:"path,omitempty"`
	Steps     []Step     `json:"steps,omitempty"`
	// Throughput is the highest rate without loss, in kilobits per second; 0: none.
	Throughput uint64 `json:"throughput,omitempty"`
	// CertificateExpiration is when the first of a server's certificates expires.
	CertificateExpiration time.Time `json:"certificate-expiration,omitzero"`
	BFD                   *BFD      `json:"bfd,omitempty"`
	Quality               *Quality  `json:"quality,omitempty"`
	// Samples are how it went, in order. An engine gives up to MaxSamples; as many are kept
	// as the configuration says.
	Samples []Sample `json:"samples,omitempty"`

	// Verdict is the engine's, by the thresholds that it was given; "": NoVerdict.
	Verdict Verdict `json:"verdict,omitempty"`
	// Crossed are the thresholds that were crossed, such as "max-loss-ratio: 2.5 > 1".
	Crossed []string `json:"crossed,omitempty"`
}

// Verdict is the judgement of a measurement.
type Verdict string

// The verdicts.
const (
	Pass         Verdict = "pass"
	Fail         Verdict = "fail"
	Inconclusive Verdict = "inconclusive"
	NoVerdict    Verdict = "none"
)

// Packets are counts of packets [RFC 8532 session-packet-statistics].
type Packets struct {
	Sent     uint32 `json:"sent"`
	Received uint32 `json:"received"`
	Bad      uint32 `json:"bad"`    // answers refused
	Unsent   uint32 `json:"unsent"` // send errors
}

// Errors are loss, duplicates and reordering [RFC 8532 session-error-statistics].
type Errors struct {
	Lost       uint32  `json:"lost"`
	LossRatio  float64 `json:"loss-ratio"` // percent
	LossBurst  uint32  `json:"loss-burst"` // the most in a row
	Reordered  uint32  `json:"reordered"`
	Duplicates uint32  `json:"duplicates"`
	// Directed are the losses by direction; nil when that is not known.
	Directed *DirectedLoss `json:"directed,omitempty"`
}

// DirectedLoss is loss by direction.
type DirectedLoss struct {
	FarEnd  uint32 `json:"far-end"`  // on the way there
	NearEnd uint32 `json:"near-end"` // on the way back
}

// Delay are statistics of delays.
type Delay struct {
	Min, Average, Max, StandardDeviation time.Duration
	Percentile50, Percentile95           time.Duration
	Percentile99                         time.Duration
	// Jitter is nil for less than two samples in a row.
	Jitter *Jitter `json:",omitempty"`
}

// Jitter are statistics of differences of delays.
type Jitter struct {
	Min, Average, Max time.Duration // of |D(i)-D(i-1)| [RFC 3393]
	Smoothed          time.Duration // after the last packet [RFC 3550 section 6.4.1]
}

// Phase is the timing of a phase of a request: dns, connect, tls, first-byte, total.
type Phase struct {
	Name string
	Delay
}

// Response is how often a kind of answer came.
type Response struct {
	Code  string
	Count uint32
}

// MTU is the largest packet that arrives.
type MTU struct {
	Size      uint16
	BlackHole bool // larger ones vanish without an ICMP error
}

// Path is a path with its hops [RFC 8533].
type Path struct {
	HopCount uint8 // to the target; 0: it was not reached
	Complete bool  // the target answered
	// EndReason is why the path ends, such as "no-route at 10.0.3.2".
	EndReason string
	Hops      []Hop
}

// Hop is a hop of a path.
type Hop struct {
	Index     uint32             // TTL
	Addresses []netip.Addr       `json:",omitempty"` // none: silent
	MAC       []net.HardwareAddr `json:",omitempty"` // of a link trace
	Received  uint32
	MinDelay  time.Duration // 0: nothing was received
	// ICMP is the last answer's type and code; nil when there was none.
	ICMP *ICMP `json:",omitempty"`
	// Bridge is what a link trace tells of it; nil of other paths.
	Bridge *Bridge `json:",omitempty"`
}

// Bridge is what a link trace reply tells [IEEE 802.1Q clause 21.9]. The names of actions
// are those of ieee802-dot1q-cfm; "": not told.
type Bridge struct {
	Relay                  string
	Forwarded, TerminalMEP bool
	Ingress, Egress        string           `json:",omitempty"`
	IngressMAC, EgressMAC  net.HardwareAddr `json:",omitempty"`
}

// ICMP is the kind of an ICMP message.
type ICMP struct{ Type, Code uint8 }

// Step is a step of load; rates are of frames, in kilobits per second.
type Step struct {
	Percent           uint8 // of the committed rate
	Offered, Achieved uint64
	Sent, Lost        uint32  // on the way there
	LossRatio         float64 // percent, of Lost
	AverageDelay      time.Duration
	Percentile95      time.Duration
	AverageJitter     time.Duration
}

// BFD is what became of a BFD session [RFC 5880, RFC 9314].
type BFD struct {
	TimeToUp       time.Duration // 0: it never came up
	UpTime         time.Duration // all together
	DownCount      uint32
	DetectionCount uint32 // of them, those that silence was the reason of
	LongestDown    time.Duration
	// Diagnostic and RemoteDiagnostic are the last of either end.
	Diagnostic, RemoteDiagnostic uint8
	// What both ends agreed on while it was up the last time.
	TransmitInterval, ReceiveInterval, DetectionTime time.Duration
}

// Timestamping is who tells when an answer came.
type Timestamping string

// Who may tell.
const (
	UserTimestamps     Timestamping = "user"
	KernelTimestamps   Timestamping = "kernel"
	HardwareTimestamps Timestamping = "hardware"
)

// Quality is how far figures can be trusted.
type Quality struct {
	MaxSendLateness time.Duration // of this host
	ClockError      time.Duration // of both clocks together, as they tell it; 0: unknown
	OneWayValid     bool
	Timestamping    Timestamping
}
