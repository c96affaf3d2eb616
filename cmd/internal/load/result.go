package load

import (
	"cmp"
	"slices"
	"time"
)

// Run is what one run of a workload has measured.
type Run struct {
	Operations int     `json:"operations"`
	Bytes      int64   `json:"bytes,omitempty"` // of replies, where their size is what is measured
	Seconds    float64 `json:"seconds"`         // on the wall
	CPU        float64 `json:"cpu-seconds"`     // of the server's processes; 0 when they are not known
	OwnCPU     float64 `json:"own-cpu-seconds"` // of this program
	P50        float64 `json:"p50-ms"`          // of what one operation has taken
	P99        float64 `json:"p99-ms"`
	Max        float64 `json:"max-ms"`
	Missing    int     `json:"missing,omitempty"` // operations whose outcome did not come
}

// Result is what the runs of a workload say together: medians of them.
type Result struct {
	Workload string `json:"workload"`
	// Sessions and Nodes are how many there were.
	Sessions int `json:"sessions,omitempty"`
	Nodes    int `json:"nodes,omitempty"`

	// Rate is operations a second; the Unit says of what.
	Rate float64 `json:"rate,omitempty"`
	Unit string  `json:"unit,omitempty"`
	// BytesPerSecond is where the size is what is measured.
	BytesPerSecond float64 `json:"bytes-per-second,omitempty"`
	// CPU and OwnCPU are milliseconds of an operation, of the server and of this program.
	CPU    float64 `json:"cpu-ms,omitempty"`
	OwnCPU float64 `json:"own-cpu-ms,omitempty"`
	P50    float64 `json:"p50-ms,omitempty"`
	P99    float64 `json:"p99-ms,omitempty"`
	// RSS is the resident memory of the server's processes at the end.
	RSS int64 `json:"rss,omitempty"`

	// Finding is what a workload says in words that does not measure a rate.
	Finding string `json:"finding,omitempty"`
	// Skipped says what the server lacks for the workload.
	Skipped string `json:"skipped,omitempty"`
	// Failed is the error that has ended it.
	Failed string `json:"failed,omitempty"`

	Runs []Run `json:"runs,omitempty"`
}

// summarize fills the medians in.
func (r *Result) summarize() {
	of := func(f func(Run) float64) float64 {
		list := make([]float64, len(r.Runs))
		for i, run := range r.Runs {
			list[i] = f(run)
		}
		return median(list)
	}
	per := func(total float64, run Run) float64 { return total / float64(max(run.Operations, 1)) }
	r.Rate = of(func(run Run) float64 { return float64(run.Operations) / run.Seconds })
	r.BytesPerSecond = of(func(run Run) float64 { return float64(run.Bytes) / run.Seconds })
	r.CPU = of(func(run Run) float64 { return per(run.CPU*1000, run) })
	r.OwnCPU = of(func(run Run) float64 { return per(run.OwnCPU*1000, run) })
	r.P50 = of(func(run Run) float64 { return run.P50 })
	r.P99 = of(func(run Run) float64 { return run.P99 })
}

func median(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	if n := len(list); n%2 == 0 {
		return (list[n/2-1] + list[n/2]) / 2
	}
	return list[len(list)/2]
}

// latencies fills in what single operations have taken. It sorts the list.
func (run *Run) latencies(list []time.Duration) {
	if len(list) == 0 {
		return
	}
	slices.SortFunc(list, cmp.Compare)
	at := func(q float64) float64 {
		return milliseconds(list[min(len(list)-1, int(q*float64(len(list))))])
	}
	run.P50, run.P99, run.Max = at(0.5), at(0.99), milliseconds(list[len(list)-1])
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
