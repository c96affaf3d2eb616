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

// catchUp is how much a train may be late and still make up for it.
const catchUp = 250 * time.Millisecond

// Pace has each packet sent at its time, and its sending recorded. It returns when all are
// sent and either all are answered or the last has had its time, or when ctx is done,
// which is no error. Trains of runs that begin together are spread over an interval, so
// that they do not hurt each other.
//
// send returns when the packet left. An error of it counts a packet as not sent; a
// *oam.Fault ends the train with it.
func (p Plan) Pace(ctx context.Context, env *oam.Env, r *Record, send func(i int) (time.Time, error)) error {
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
	begin := time.Now()
	for i := range p.Packets {
		due := begin.Add(time.Duration(i) * p.Interval)
		if early := time.Until(due); early > 0 {
			timer.Reset(early)
			if !wait() {
				return nil
			}
		} else if ctx.Err() != nil {
			return nil
		} else if -early > catchUp {
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
