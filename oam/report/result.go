package report

import (
	"encoding/json"
	"time"
)

// result is what a page needs of an entry of the list result, as RFC 7951 encodes it.
type result struct {
	RunID   string    `json:"run-id"`
	Trigger string    `json:"trigger"`
	Start   time.Time `json:"start-time"`
	End     time.Time `json:"end-time"`
	Outcome string    `json:"outcome"`
	Detail  string    `json:"detail"`
	Verdict string    `json:"verdict"`
	Hash    string    `json:"configuration-hash"`
	Members []member  `json:"member"`
}

// member is a run of a test.
type member struct {
	Name      string   `json:"name"`
	Execution uint32   `json:"execution"`
	Outcome   string   `json:"outcome"`
	Detail    string   `json:"detail"`
	Verdict   string   `json:"verdict"`
	Crossed   []string `json:"crossed"`
	Packets   *struct {
		Sent     uint32 `json:"tx-packet-count"`
		Received uint32 `json:"rx-packet-count"`
	} `json:"session-packet-statistics"`
	Errors *struct {
		LossRatio  string  `json:"loss-ratio"`
		FarEnd     *uint32 `json:"loss-count-far-end"`
		NearEnd    *uint32 `json:"loss-count-near-end"`
		Duplicates uint32  `json:"packets-dup-count"`
		Reordered  uint32  `json:"packet-reorder-count"`
	} `json:"session-error-statistics"`
	TwoWay    *delay `json:"two-way-delay"`
	FarEnd    *delay `json:"one-way-delay-far-end"`
	NearEnd   *delay `json:"one-way-delay-near-end"`
	Responses []struct {
		Code  string `json:"code"`
		Count uint32 `json:"count"`
	} `json:"response"`
	MTU       uint16 `json:"path-mtu"`
	BlackHole bool   `json:"path-mtu-black-hole"`
	Hops      uint8  `json:"hop-cnt"`
	PathEnd   string `json:"path-end-reason"`
	Steps     []struct {
		Offered   uint64 `json:"offered-rate,string"`
		Achieved  uint64 `json:"achieved-rate,string"`
		LossRatio string `json:"loss-ratio"`
	} `json:"step"`
	Samples []sample `json:"sample"`
}

// delay are figures of delays in nanoseconds.
type delay struct {
	Min     int64  `json:"min-delay-value,string"`
	Average int64  `json:"average-delay-value,string"`
	Max     int64  `json:"max-delay-value,string"`
	P95     int64  `json:"percentile-95-delay-value,string"`
	Jitter  *int64 `json:"average-jitter-value,string"`
}

// sample is a part of a run.
type sample struct {
	Offset   int64  `json:"offset,string"`
	Sent     uint32 `json:"tx-packet-count"`
	Received uint32 `json:"rx-packet-count"`
	Lost     uint32 `json:"packet-loss-count"`
	Min      int64  `json:"min-delay-value,string"`
	Average  int64  `json:"average-delay-value,string"`
	Max      int64  `json:"max-delay-value,string"`
}

// bounds are the thresholds of parameters.
type bounds struct {
	Loss    string `json:"max-loss-ratio"`
	Average int64  `json:"max-average-delay,string"`
	P95     int64  `json:"max-percentile-95-delay,string"`
	Jitter  int64  `json:"max-average-jitter,string"`
	OneWay  int64  `json:"max-one-way-delay,string"`
	Hops    uint8  `json:"max-hop-count"`
	MTU     uint16 `json:"min-path-mtu"`
}

// parameters are what a page tells of those of a test.
type parameters struct {
	Target     string `json:"target"`
	URL        string `json:"url"`
	Interface  string `json:"interface"`
	MAC        string `json:"destination-mac-address"`
	Port       uint16 `json:"destination-port"`
	DSCP       uint8  `json:"dscp"`
	Thresholds bounds `json:"thresholds"`
}

func read[T any](text json.RawMessage) (v T, err error) {
	err = json.Unmarshal(text, &v)
	return v, err
}
