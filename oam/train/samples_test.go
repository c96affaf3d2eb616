package train

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"incidentd/oam"
)

// A packet that was not sent is in no sample, one that is lost in its own.
func TestSamples(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := Plan{Packets: 4, Interval: 100 * ms, Timeout: time.Second, Octets: 100}
		r := NewRecord(p)
		env := &oam.Env{Budget: oam.NewBudget(p.Demand(""))}
		err := p.Pace(t.Context(), env, r, func(i int) (time.Time, error) {
			now := time.Now()
			switch i {
			case 1:
				return now, errors.New("no buffer")
			case 2: // lost
			default:
				time.AfterFunc(time.Duration(i+1)*ms, func() { r.Received(i, time.Now(), true) })
			}
			return now, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		want := []oam.Sample{
			{Sent: 1, Received: 1, Min: ms, Average: ms, Max: ms},
			{Offset: 200 * ms, Sent: 1, Lost: 1},
			{Offset: 300 * ms, Sent: 1, Received: 1, Min: 4 * ms, Average: 4 * ms, Max: 4 * ms},
		}
		if d := cmp.Diff(want, r.Measurement(Thresholds{}).Samples); d != "" {
			t.Error(d)
		}
	})
}

// A long train has no more samples than a measurement may have, and none of its packets is
// missing in them.
func TestSamplesOfMany(t *testing.T) {
	const packets = 2500
	r := NewRecord(Plan{Packets: packets, Timeout: time.Second})
	begin := time.Now().Add(-time.Hour)
	for i := range packets {
		at := begin.Add(time.Duration(i) * ms)
		r.Sent(i, at, 0)
		if i%10 != 0 {
			r.Received(i, at.Add(time.Duration(i%10)*ms), true)
		}
	}
	list := r.Measurement(Thresholds{}).Samples
	var sum oam.Sample
	for _, s := range list {
		sum.Sent, sum.Lost, sum.Received = sum.Sent+s.Sent, sum.Lost+s.Lost, sum.Received+s.Received
	}
	if d := cmp.Diff(oam.Sample{Sent: packets, Lost: packets / 10, Received: packets - packets/10}, sum); d != "" || len(list) != 834 {
		t.Errorf("%d samples: %s", len(list), d)
	}
	if d := cmp.Diff(oam.Sample{Offset: 9 * ms, Sent: 3, Lost: 1, Received: 2, Min: ms, Average: 5 * ms, Max: 9 * ms}, list[3]); d != "" {
		t.Error(d)
	}
}
