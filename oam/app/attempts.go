package app

import (
	"context"
	"errors"
	"sync"
	"syscall"
	"time"

	"incidentd/oam"
	"incidentd/oam/train"
)

// atOnce is how many attempts of a run may be under way.
const atOnce = 256

var errBusy = errors.New("too many attempts are under way")

// attempts is a train of attempts, each of which takes some packets.
type attempts struct {
	plan train.Plan
	cost int // packets that an attempt sends at most
}

// demand is what a run takes.
func (a attempts) demand(target string) oam.Demand {
	d := a.plan.Demand(target)
	d.Packets *= a.cost
	d.PacketRate *= float64(a.cost)
	d.BitRate *= float64(a.cost)
	return d
}

// try is one attempt. It tells the kind of answer, whether it is the one that is
// wanted, and how long it took, where somebody else knows that better; 0: until now. ctx
// ends with the attempt's timeout. A *oam.Fault ends the run.
type try func(ctx context.Context, i int) (code string, good bool, took time.Duration, err error)

// run makes the attempts, and waits for all of them.
func (a attempts) run(ctx context.Context, env *oam.Env, f try) (*oam.Measurement, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var (
		record = train.NewRecord(a.plan)
		slots  = make(chan struct{}, atOnce)
		wait   sync.WaitGroup

		mu    sync.Mutex
		codes = map[string]uint32{}
	)
	err := a.plan.Pace(ctx, env, record, func(i int) (time.Time, error) {
		for range a.cost - 1 { // Pace asks for one
			if err := env.Budget.Spend(a.plan.Octets); err != nil {
				return time.Time{}, err
			}
		}
		select {
		case slots <- struct{}{}:
		default:
			return time.Time{}, errBusy
		}
		started := make(chan time.Time, 1)
		wait.Go(func() {
			defer func() { <-slots }()
			began := time.Now()
			started <- began
			ctx, cancel := context.WithTimeout(ctx, a.plan.Timeout)
			defer cancel()
			code, good, took, err := f(ctx, i)
			at := time.Now()
			if f, ok := errors.AsType[*oam.Fault](err); ok {
				stop(f)
				return
			}
			if err != nil {
				if code = reason(err); time.Since(began) >= a.plan.Timeout {
					code = "timeout"
				} else if ctx.Err() != nil {
					return // stopped: the answer may have been on its way
				}
			}
			switch {
			case err != nil || !good:
				record.Lost(i)
			case took > 0:
				record.Took(i, took)
			default:
				record.Received(i, at, false)
			}
			if code != "" {
				mu.Lock()
				codes[code]++
				mu.Unlock()
			}
		})
		return <-started, nil
	})
	failed, _ := errors.AsType[*oam.Fault](context.Cause(ctx))
	stop(nil)
	wait.Wait()
	switch {
	case err != nil:
		return nil, err
	case failed != nil:
		return nil, failed
	}
	m := record.Measurement(a.plan.Thresholds)
	m.Responses = responses(codes)
	return m, nil
}

// exhausted are the errors of a host that has nothing left to try with.
var exhausted = []error{syscall.EMFILE, syscall.ENFILE, syscall.EADDRNOTAVAIL, syscall.ENOBUFS, syscall.ENOMEM}

// local makes a fault of an error that is this host's and not an answer of the network.
func local(err error) error {
	for _, e := range exhausted {
		if errors.Is(err, e) {
			return oam.Faultf(oam.EngineFailure, "this host cannot open another connection: %w", err)
		}
	}
	return err
}

// reason is the response that an error stands for.
func reason(err error) string {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "reset"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, syscall.ETIMEDOUT):
		return "timeout"
	}
	return "unreachable"
}
