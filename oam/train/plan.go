package train

import (
	"context"
	"errors"
	"hash/fnv"
	"time"

	"incidentd/oam"
)

// Plan is how a train is sent and judged: the groupings probe-train and
// loss-delay-thresholds of incidentd-oam-tests.
type Plan struct {
	Packets  int
	Interval time.Duration // from one packet to the next
	Timeout  time.Duration // how long an answer may take
	Octets   int           // of each packet, from its IP header on
	// Smooth has each packet sent at its time as exactly as the system can, at the cost of a
	// thread, and little of what is late made up for: bursts fill queues.
	Smooth bool
	Thresholds
}

// ReadPlan reads the parameters of a train whose packets have so many octets.
func ReadPlan(p oam.Params, octets int) Plan {
	return Plan{
		Packets:    p.Int("number-of-packets"),
		Interval:   p.Duration("interval", time.Microsecond),
		Timeout:    p.Duration("session-timeout", time.Millisecond),
		Octets:     octets,
		Thresholds: ReadThresholds(p.In("thresholds")),
	}
}

// Demand is what a run of the plan takes.
func (p Plan) Demand(target string) oam.Demand {
	rate := float64(time.Second) / float64(p.Interval)
	return oam.Demand{
		Target:     target,
		Packets:    p.Packets,
		PacketRate: rate,
		BitRate:    rate * float64(8*p.Octets),
		Duration:   time.Duration(p.Packets-1)*p.Interval + p.Timeout,
	}
}

// catchUp is how much a train may be late and still make up for it, and smoothCatchUp one
// that is smooth.
const (
	catchUp       = 250 * time.Millisecond
	smoothCatchUp = 10 * time.Millisecond
)

// coarse is how long before its time the runtime's timers may wake up who is exact: they
// know milliseconds only.
const coarse = 2 * time.Millisecond

// Log is told what becomes of the packets of a train: a Record or a Tally.
type Log interface {
	// Sent is that packet i left at a time, and how late that was; Unsent that it could not.
	Sent(i int, at time.Time, late time.Duration)
	Unsent(i int)
	// Complete is closed when there is nothing more to come.
	Complete() <-chan struct{}
}

// Pace has each packet sent at its time, and its sending recorded. It returns when all are
// sent and either all are answered or the last has had its time, or when ctx is done,
// which is no error. Trains of runs that begin together are spread over an interval, so
// that they do not hurt each other.
//
// send returns when the packet left. An error of it counts a packet as not sent; a
// *oam.Fault ends the train with it.
func (p Plan) Pace(ctx context.Context, env *oam.Env, r Log, send func(i int) (time.Time, error)) error {
	timer := time.NewTimer(stagger(env.RunID, p.Interval))
	defer timer.Stop()
	wait := func() bool {
		select {
		case <-ctx.Done():
			return false
		case <-timer.C:
			return true
		}
	}
	if !wait() {
		return nil
	}
	begin, most, exact := time.Now(), catchUp, time.Duration(0)
	if p.Smooth {
		most, exact = smoothCatchUp, coarse
	}
	for i := range p.Packets {
		due := begin.Add(time.Duration(i) * p.Interval)
		early := time.Until(due)
		if early > exact {
			timer.Reset(early - exact)
			if !wait() {
				return nil
			}
			early = time.Until(due)
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case p.Smooth && early > 0:
			pause(early)
		case -early > most:
			// This host stood still. What is overdue is not sent all at once: that is more than
			// the run may send, and another measurement than the one wanted.
			begin = begin.Add(-early)
		}
		if err := env.Budget.Spend(p.Octets); err != nil {
			return err
		}
		at, err := send(i)
		var f *oam.Fault
		switch {
		case errors.As(err, &f):
			return f
		case err != nil:
			r.Unsent(i)
		default:
			r.Sent(i, at, at.Sub(due))
		}
	}
	timer.Reset(p.Timeout)
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-r.Complete():
	}
	return nil
}

// stagger is when the train of a run begins: always the same for a run, and spread evenly
// for many.
func stagger(run string, interval time.Duration) time.Duration {
	h := fnv.New64a()
	h.Write([]byte(run))
	return time.Duration(h.Sum64() % uint64(max(interval, 1)))
}
