package linkmetrics

import (
	"context"
	"flag"
	"sync"
	"testing"
	"time"

	"incidentd/netconf/netconftest"
	"incidentd/oam"
)

var update = flag.Bool("update", false, "rewrite the dialogues with what is received")

// course is an engine whose runs take no time, and find one after the other what a target's
// line goes through.
type course struct {
	target string
	runs   *int
}

func (c *course) Demand() oam.Demand {
	return oam.Demand{Target: c.target, Packets: 1, PacketRate: 1, BitRate: 1, Duration: time.Second}
}
func (c *course) Check(context.Context, *oam.Env) error { return nil }

// lines are the mean delays there and back, in milliseconds, and the loss in percent.
var lines = map[string][]struct{ delay, loss float64 }{
	// None, 5 %, 50 % for a while, back, then loss alone, then nothing comes back.
	"192.0.2.1": {{10, 0}, {10.5, 0}, {15, 0}, {15, 0}, {15, 0}, {10, 0}, {10, 0}, {10, 0}, {10, 1}, {10, 1}, {10, 1}, {10, 1}, {0, 100}},
}

func (c *course) Run(context.Context, *oam.Env) (*oam.Measurement, error) {
	line := lines[c.target]
	at := line[min(*c.runs, len(line)-1)]
	*c.runs++
	m := &oam.Measurement{Packets: &oam.Packets{Sent: 100, Received: uint32(100 - at.loss)}, Errors: &oam.Errors{Lost: uint32(at.loss), LossRatio: at.loss},
		Quality: &oam.Quality{OneWayValid: true}, Verdict: oam.Pass}
	if at.loss > 0 {
		m.Verdict = oam.Fail
	}
	if at.loss < 100 {
		d := time.Duration(at.delay * 1e6)
		m.TwoWay = &oam.Delay{Min: d - ms, Average: d, Max: d + 5*ms, Jitter: &oam.Jitter{Average: 300 * us}}
		m.FarEnd = &oam.Delay{Min: d/5 - 100*us, Average: d / 5, Max: d/5 + ms}
		m.NearEnd = &oam.Delay{Min: d*4/5 - 900*us, Average: d * 4 / 5, Max: d*4/5 + 4*ms}
	}
	return m, nil
}

func setup(b *netconftest.Bench) {
	k, err := New(b.Store, nil)
	if err != nil {
		panic(err)
	}
	engine := func(p oam.Params) (oam.Test, error) { return &course{p.String("target"), new(int)}, nil }
	m, err := oam.New(oam.Config{Store: b.Store, DB: b.DB, Strict: true, Finished: k.Observe, Engines: map[string]oam.Engine{"stamp": engine}})
	if err != nil {
		panic(err)
	}
	if err := m.Start(); err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { k.Run(ctx) })
	b.OnEnd(func() {
		m.Stop()
		cancel()
		running.Wait()
	})
}

func TestDialogues(t *testing.T) {
	netconftest.Play(t, "testdata/*.txt", *update, netconftest.Config{Setup: setup})
}
