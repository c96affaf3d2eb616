package bfd

import (
	"context"
	"log/slog"
	"time"

	"incidentd/oam"
)

// farewell is how long a run tells the far end that it is over: for the detection time, as
// far as a run that was stopped has that long [RFC 5880 section 6.8.16].
const farewell = time.Second

// run is a session with its packets.
type run struct {
	env     *oam.Env
	end     *end
	session *session

	packets  oam.Packets
	lateness time.Duration
	kernel   bool // all times are the kernel's
}

// keep runs the session until ctx is done.
func (r *run) keep(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		r.drain()
		now := time.Now()
		r.follow(func() { r.session.expire(now) })
		if err := r.send(now); err != nil {
			return err
		}
		if due := r.session.due(); due.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(time.Until(due))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case p := <-r.end.mailbox.packets:
			r.take(p)
		}
	}
}

// drain takes what has come, so that a run which was held up does not blame the far end.
func (r *run) drain() {
	for {
		select {
		case p := <-r.end.mailbox.packets:
			r.take(p)
		default:
			return
		}
	}
}

func (r *run) take(p received) {
	r.follow(func() {
		if err := r.session.receive(p.Control, p.packet, p.at); err != nil {
			r.packets.Bad++
			r.env.Log.Debug("BFD packet discarded", "err", err)
			return
		}
		r.packets.Received++
		r.kernel = r.kernel && p.kernel
	})
}

// follow has a change of state logged.
func (r *run) follow(f func()) {
	before, heard := r.session.state, r.session.heardAt
	f()
	if r.session.state == before {
		return
	}
	var silence time.Duration
	if !heard.IsZero() {
		silence = time.Since(heard)
	}
	r.env.Log.Debug("BFD session changed", slog.String("from", before.String()), slog.String("to", r.session.state.String()),
		slog.Int("diagnostic", int(r.session.diagnostic)), slog.Duration("silence", silence))
}

// send sends what has to be sent now.
func (r *run) send(now time.Time) error {
	for {
		due := r.session.next
		packet, ok := r.session.outgoing(now)
		if !ok {
			return nil
		}
		if r.session.next != due { // it is a periodic one
			r.lateness = max(r.lateness, now.Sub(due))
		}
		if err := r.env.Budget.Spend(r.end.octets); err != nil {
			return err
		}
		if _, err := r.end.conn.Send(packet, r.end.to); err != nil {
			r.packets.Unsent++
		} else {
			r.packets.Sent++
		}
	}
}

// leave tells the far end twice that the session ends on purpose, if there is one.
func (r *run) leave() error {
	if r.session.remote == 0 {
		return nil
	}
	pause := min(farewell, r.session.detectionTime()) / 2
	r.follow(func() { r.session.disable(time.Now()) })
	for range 2 {
		r.session.changed = true
		if err := r.send(time.Now()); err != nil {
			return err
		}
		time.Sleep(pause)
	}
	return nil
}

// measurement is what was found until now.
func (r *run) measurement(now time.Time) *oam.Measurement {
	packets := r.packets
	packets.Bad += r.end.mailbox.dropped.Load()
	m := &oam.Measurement{
		Packets: &packets,
		BFD:     r.session.history.found(now),
		Quality: &oam.Quality{MaxSendLateness: r.lateness, Timestamping: oam.KernelTimestamps},
	}
	if !r.kernel {
		m.Quality.Timestamping = oam.UserTimestamps
	}
	return m
}
