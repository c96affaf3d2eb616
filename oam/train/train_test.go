package train

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"incidentd/oam"
)

const ms = time.Millisecond

// run sends a train over a network that answers packet i after the delays of answers[i]:
// none is a loss, two are a duplicate.
func run(t *testing.T, p Plan, answers map[int][]time.Duration, stop time.Duration) (*oam.Measurement, time.Duration) {
	t.Helper()
	ctx := context.Background()
	if stop > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, stop)
		defer cancel()
	}
	r := NewRecord(p)
	env := &oam.Env{Budget: oam.NewBudget(p.Demand(""))}
	begin := time.Now()
	err := p.Pace(ctx, env, r, func(i int) (time.Time, error) {
		now := time.Now()
		delays, ok := answers[i]
		if !ok {
			delays = []time.Duration{10 * ms}
		}
		for _, d := range delays {
			if d == 0 {
				r.Received(i, now, true) // before Pace has recorded it
				continue
			}
			time.AfterFunc(d, func() { r.Received(i, now.Add(d), true) })
		}
		return now, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(begin)
	m := r.Measurement(p.Thresholds)
	time.Sleep(time.Minute) // for what comes too late
	return m, took
}

func TestTrain(t *testing.T) {
	tests := []struct {
		name    string
		plan    Plan
		answers map[int][]time.Duration
		stop    time.Duration
		packets oam.Packets
		errors  oam.Errors
	}{
		{"all answered", Plan{Packets: 10}, nil, 0,
			oam.Packets{Sent: 10, Received: 10}, oam.Errors{}},
		{"losses", Plan{Packets: 10}, map[int][]time.Duration{2: {}, 5: {}, 6: {}}, 0,
			oam.Packets{Sent: 10, Received: 7}, oam.Errors{Lost: 3, LossRatio: 30, LossBurst: 2}},
		{"too late is a loss", Plan{Packets: 4}, map[int][]time.Duration{1: {1001 * ms}}, 0,
			oam.Packets{Sent: 4, Received: 3}, oam.Errors{Lost: 1, LossRatio: 25, LossBurst: 1}},
		{"just in time", Plan{Packets: 4}, map[int][]time.Duration{1: {1000 * ms}}, 0,
			oam.Packets{Sent: 4, Received: 4}, oam.Errors{Reordered: 1}},
		{"duplicates", Plan{Packets: 4}, map[int][]time.Duration{0: {10 * ms, 11 * ms}, 3: {10 * ms, 11 * ms, 12 * ms}}, 0,
			oam.Packets{Sent: 4, Received: 4}, oam.Errors{Duplicates: 1}}, // those of the last come after the end
		{"reordered", Plan{Packets: 5}, map[int][]time.Duration{1: {150 * ms}, 2: {150 * ms}}, 0,
			oam.Packets{Sent: 5, Received: 5}, oam.Errors{Reordered: 1}},
		{"answered before it is recorded", Plan{Packets: 3}, map[int][]time.Duration{0: {0}}, 0,
			oam.Packets{Sent: 3, Received: 3}, oam.Errors{}},
		{"stopped with an answer on its way", Plan{Packets: 100}, map[int][]time.Duration{3: {500 * ms}}, 520 * ms,
			oam.Packets{Sent: 5, Received: 4}, oam.Errors{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tt.plan.Interval, tt.plan.Timeout = 100*ms, time.Second
				m, took := run(t, tt.plan, tt.answers, tt.stop)
				if d := cmp.Diff(&tt.packets, m.Packets); d != "" {
					t.Error(d)
				}
				if d := cmp.Diff(&tt.errors, m.Errors); d != "" {
					t.Error(d)
				}
				if limit := tt.plan.Demand("").Duration + tt.plan.Interval; took > limit {
					t.Errorf("it took %s of %s", took, limit)
				}
			})
		})
	}
}

// A packet of which sending fails is counted; a fault ends the train, as does a budget
// that is spent.
func TestPaceErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := Plan{Packets: 5, Interval: 10 * ms, Timeout: 50 * ms, Octets: 100}
		r := NewRecord(p)
		env := &oam.Env{Budget: oam.NewBudget(oam.Demand{Packets: 3})}
		err := p.Pace(t.Context(), env, r, func(i int) (time.Time, error) { return time.Time{}, errors.New("no buffer") })
		var f *oam.Fault
		if !errors.As(err, &f) || f.Reason != oam.BudgetExceeded {
			t.Errorf("Pace = %v", err)
		}
		if m := r.Measurement(Thresholds{}); m.Packets.Unsent != 3 || m.Packets.Sent != 0 || m.TwoWay != nil {
			t.Errorf("%+v", m.Packets)
		}
		env.Budget = oam.NewBudget(p.Demand(""))
		err = p.Pace(t.Context(), env, NewRecord(p), func(i int) (time.Time, error) {
			return time.Time{}, oam.Faultf(oam.BadTarget, "the address is gone")
		})
		if !errors.As(err, &f) || f.Reason != oam.BadTarget {
			t.Errorf("Pace = %v", err)
		}
	})
}

func TestFigures(t *testing.T) {
	got := Figures([]time.Duration{10 * ms, 12 * ms, 11 * ms, 11 * ms, 20 * ms})
	want := &oam.Delay{
		Min: 10 * ms, Average: 12800 * time.Microsecond, Max: 20 * ms, StandardDeviation: 3655133 * time.Nanosecond,
		Percentile50: 11 * ms, Percentile95: 20 * ms, Percentile99: 20 * ms,
		// 2/16 = .125; .125+(1-.125)/16 = .1796875; less a sixteenth: .16845703125; and 9 ms.
		Jitter: &oam.Jitter{Min: 0, Average: 3 * ms, Max: 9 * ms, Smoothed: 720428 * time.Nanosecond},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if Figures(nil) != nil {
		t.Error("no packet has figures")
	}
	// No jitter across a packet that is lost.
	var s series
	s.add(0, 1*ms)
	s.add(2, 5*ms)
	if s.delay().Jitter != nil {
		t.Error("packets 0 and 2 are in a row")
	}
}

func TestJudge(t *testing.T) {
	ratio := func(v float64) *float64 { return &v }
	d := func(v time.Duration) *time.Duration { return &v }
	good := func() *oam.Measurement {
		return &oam.Measurement{
			Packets: &oam.Packets{Sent: 10, Received: 10}, Errors: &oam.Errors{},
			TwoWay:  &oam.Delay{Average: 10 * ms, Percentile95: 15 * ms, Jitter: &oam.Jitter{Average: 2 * ms}},
			Quality: &oam.Quality{},
		}
	}
	tests := []struct {
		name    string
		change  func(*oam.Measurement)
		t       Thresholds
		want    oam.Verdict
		crossed []string
	}{
		{"no bounds", func(*oam.Measurement) {}, Thresholds{}, oam.NoVerdict, nil},
		{"all hold", func(*oam.Measurement) {}, Thresholds{MaxLossRatio: ratio(0), MaxAverageDelay: d(10 * ms), MaxPercentile95: d(15 * ms), MaxAverageJitter: d(2 * ms)}, oam.Pass, nil},
		{"loss", func(m *oam.Measurement) { m.Errors.LossRatio = 10 }, Thresholds{MaxLossRatio: ratio(5)}, oam.Fail, []string{"max-loss-ratio: 10 > 5"}},
		{"delay", func(*oam.Measurement) {}, Thresholds{MaxAverageDelay: d(9 * ms), MaxLossRatio: ratio(0)}, oam.Fail, []string{"max-average-delay: 10ms > 9ms"}},
		{"two at once", func(*oam.Measurement) {}, Thresholds{MaxPercentile95: d(14 * ms), MaxAverageJitter: d(ms)}, oam.Fail,
			[]string{"max-percentile-95-delay: 15ms > 14ms", "max-average-jitter: 2ms > 1ms"}},
		{"too few answers", func(m *oam.Measurement) { m.Packets.Received = 4 }, Thresholds{MaxAverageDelay: d(time.Second)}, oam.Inconclusive, nil},
		{"too few packets", func(m *oam.Measurement) { m.Packets.Sent, m.Packets.Received = 4, 0 }, Thresholds{MaxLossRatio: ratio(0)}, oam.Inconclusive, nil},
		{"nothing came back", func(m *oam.Measurement) {
			m.Packets.Received, m.TwoWay, m.Errors.LossRatio = 0, nil, 100
		}, Thresholds{MaxLossRatio: ratio(1), MaxAverageDelay: d(ms)}, oam.Fail, []string{"max-loss-ratio: 100 > 1"}},
		{"within the noise", func(m *oam.Measurement) { m.Quality.MaxSendLateness = 20 * ms }, Thresholds{MaxAverageDelay: d(9 * ms)}, oam.Inconclusive, nil},
		{"one way without clocks", func(*oam.Measurement) {}, Thresholds{MaxOneWayDelay: d(time.Second)}, oam.Inconclusive, nil},
		{"one way", func(m *oam.Measurement) {
			m.FarEnd, m.NearEnd, m.Quality.OneWayValid = &oam.Delay{Average: 8 * ms}, &oam.Delay{Average: 2 * ms}, true
		}, Thresholds{MaxOneWayDelay: d(7 * ms)}, oam.Fail, []string{"max-one-way-delay: 8ms > 7ms"}},
	}
	for _, tt := range tests {
		m := good()
		tt.change(m)
		tt.t.Judge(m)
		if m.Verdict != tt.want || !cmp.Equal(m.Crossed, tt.crossed) {
			t.Errorf("%s: %s %q, want %s %q", tt.name, m.Verdict, m.Crossed, tt.want, tt.crossed)
		}
	}
}

// A host that stood still goes on at the pace of the plan, and tells how late it was.
func TestPaceStandstill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := Plan{Packets: 3000, Interval: 2 * ms, Timeout: time.Second, Octets: 100}
		r := NewRecord(p)
		env := &oam.Env{Budget: oam.NewBudget(p.Demand(""))}
		err := p.Pace(t.Context(), env, r, func(i int) (time.Time, error) {
			if i == 1000 {
				time.Sleep(3 * time.Second)
			}
			return time.Now(), nil
		})
		if err != nil {
			t.Error(err)
		}
		if m := r.Measurement(Thresholds{}); m.Packets.Sent != 3000 || m.Quality.MaxSendLateness < 2*time.Second {
			t.Errorf("%+v, %s late", m.Packets, m.Quality.MaxSendLateness)
		}
	})
}

// What somebody else has measured holds, also when it is told before the sending is.
func TestTook(t *testing.T) {
	r := NewRecord(Plan{Packets: 2, Timeout: time.Second})
	r.Took(0, 3*ms)
	r.Sent(0, time.Now(), 0)
	r.Sent(1, time.Now(), 0)
	r.Took(1, 5*ms)
	if m := r.Measurement(Thresholds{}); m.Packets.Received != 2 || m.TwoWay.Min != 3*ms || m.TwoWay.Max != 5*ms {
		t.Errorf("%+v %+v", m.Packets, m.TwoWay)
	}
}
