package cfm

import (
	"bytes"
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"incidentd/oam"
	"incidentd/oam/train"
)

// loopback is a test of cfm-loopback.
type loopback struct {
	endpoints
	data []byte
	plan train.Plan
}

// Loopback makes tests of cfm-loopback; it is an oam.Engine.
func Loopback(p oam.Params) (oam.Test, error) {
	e, err := readEndpoints(p)
	if err != nil {
		return nil, err
	}
	l := &loopback{endpoints: e}
	if n := p.Int("data-size"); n > 0 {
		l.data = make([]byte, n)
		for i := range l.data {
			l.data[i] = byte(i)
		}
	}
	l.plan = train.ReadPlan(p, l.size())
	return l, nil
}

// size is that of the frames.
func (l *loopback) size() int {
	f := l.frame(&end{}, LBM, 0)
	f.Data = l.data
	return len(f.Append(nil))
}

// Demand is what a run takes.
func (l *loopback) Demand() oam.Demand { return l.plan.Demand(l.where()) }

// Check opens the socket once.
func (l *loopback) Check(_ context.Context, env *oam.Env) error { return l.check(env, l.size()) }

// Run sends the train of messages.
func (l *loopback) Run(ctx context.Context, env *oam.Env) (*oam.Measurement, error) {
	x, err := l.open(env)
	if err != nil {
		return nil, err
	}
	first := rand.Uint32()
	record := train.NewRecord(l.plan)
	var wait sync.WaitGroup
	wait.Go(func() {
		l.receive(x, func(r Frame, at time.Time, kernel bool) {
			switch i := r.Transaction - first; { // numbers go round
			case r.OpCode != LBR || uint64(i) >= uint64(l.plan.Packets): // of another run
			case r.Source != l.target || !bytes.Equal(r.Data, l.data):
				record.Bad()
			default:
				record.Received(int(i), at, kernel)
			}
		})
	})
	message := l.frame(x, LBM, first)
	message.Destination, message.Data = l.target, l.data
	var buffer []byte
	err = l.plan.Pace(ctx, env, record, func(i int) (time.Time, error) {
		message.Transaction = first + uint32(i)
		buffer = message.Append(buffer[:0])
		return x.link.Send(buffer, x.index)
	})
	x.link.Close()
	wait.Wait()
	if err != nil {
		return nil, err
	}
	return record.Measurement(l.plan.Thresholds), nil
}
