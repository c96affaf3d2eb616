package bfd

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// sent is a packet on the wire between two sessions.
type sent struct {
	at   time.Time
	from int
	Control
	late time.Duration // a periodic one
}

// wire has two sessions in virtual time. cut loses what either end sends.
type wire struct {
	t    *testing.T
	ends [2]*session
	cut  [2]bool
	log  []sent
}

func newWire(t *testing.T, a, b parameters) *wire {
	now := time.Now()
	return &wire{t: t, ends: [2]*session{newSession(a, 0xa, now), newSession(b, 0xb, now)}}
}

// run lets a time pass. A packet arrives at once.
func (w *wire) run(d time.Duration) {
	w.t.Helper()
	for end := time.Now().Add(d); ; {
		for again := true; again; {
			again = false
			for i, s := range w.ends {
				if w.send(i, s) {
					again = true
				}
			}
		}
		next := end
		for _, s := range w.ends {
			if at := s.due(); !at.IsZero() && at.Before(next) {
				next = at
			}
		}
		if !next.After(time.Now()) && !next.Before(end) {
			return
		}
		time.Sleep(time.Until(next))
	}
}

func (w *wire) send(from int, s *session) bool {
	now := time.Now()
	s.expire(now)
	due := s.next
	packet, ok := s.outgoing(now)
	if !ok {
		return false
	}
	var late time.Duration
	if s.next != due {
		late = now.Sub(due)
	}
	c, whole, err := Decode(packet)
	if err != nil {
		w.t.Fatal(err)
	}
	w.log = append(w.log, sent{now, from, c, late})
	if !w.cut[from] {
		if err := w.ends[1-from].receive(c, whole, now); err != nil {
			w.t.Fatal(err)
		}
	}
	return true
}

// fast are parameters of 50 ms and 3 packets.
func fast() parameters {
	return parameters{desiredMinTx: 50 * time.Millisecond, requiredMinRx: 50 * time.Millisecond, detectMult: 3}
}

// Both come up at once, leave the slow pace at once, and a cut is seen after the detection
// time, not before.
func TestSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, fast(), parameters{desiredMinTx: 20 * time.Millisecond, requiredMinRx: 70 * time.Millisecond, detectMult: 4})
		a, b := w.ends[0], w.ends[1]
		w.run(10 * time.Millisecond)
		if a.state != Up || b.state != Up {
			t.Fatalf("%s and %s", a.state, b.state)
		}
		w.run(2 * time.Second)
		if a.negotiated() != 70*time.Millisecond || b.negotiated() != 50*time.Millisecond {
			t.Errorf("intervals are %s and %s", a.negotiated(), b.negotiated())
		}
		if a.detectionTime() != 200*time.Millisecond || b.detectionTime() != 210*time.Millisecond {
			t.Errorf("detection times are %s and %s", a.detectionTime(), b.detectionTime())
		}
		for _, p := range w.log {
			if p.late > 0 {
				t.Errorf("a packet is late by %s: %+v", p.late, p.Control)
			}
		}
		if a.polling || b.polling {
			t.Error("a poll was not answered")
		}
		w.cut[1] = true // a hears nothing any more
		heard := a.heardAt
		for a.state == Up {
			w.run(time.Millisecond)
		}
		if silence := a.history.downAt.Sub(heard); silence != 200*time.Millisecond {
			t.Errorf("detected after %s, want 200ms", silence)
		}
		if a.diagnostic != DetectionTimeExpired || b.state != Down || b.diagnostic != NeighborSignaledDown {
			t.Errorf("diagnostics %d and %d, b is %s", a.diagnostic, b.diagnostic, b.state)
		}
		if a.remote != 0 || a.transmitInterval() != slow {
			t.Errorf("remote discriminator %d, interval %s", a.remote, a.transmitInterval())
		}
		w.cut[1] = false
		w.run(2 * time.Second)
		if a.state != Up || b.state != Up {
			t.Errorf("%s and %s after the cut", a.state, b.state)
		}
		found := a.history.found(time.Now())
		if found.DownCount != 1 || found.DetectionCount != 1 || found.TimeToUp > 10*time.Millisecond || found.LongestDown <= 0 || found.LongestDown > slow {
			t.Errorf("%+v", found)
		}
		if found.TransmitInterval != 70*time.Millisecond || found.ReceiveInterval != 50*time.Millisecond || found.DetectionTime != 200*time.Millisecond {
			t.Errorf("%+v", found)
		}
		if total := found.UpTime + found.LongestDown; total != time.Since(a.history.began) { // it came up at once
			t.Errorf("up and down are %s of %s", total, time.Since(a.history.began))
		}
		if f := b.history.found(time.Now()); f.DownCount != 1 || f.DetectionCount != 0 {
			t.Errorf("the far end: %+v", f)
		}
	})
}

// The rules of every packet that is sent.
func TestPackets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := fast()
		one.detectMult = 1
		w := newWire(t, fast(), one)
		w.run(500 * time.Second)
		if a := w.ends[0].state; a != Up {
			t.Fatal(a)
		}
		var last [2]time.Time
		gaps := [2][]time.Duration{}
		for _, p := range w.log {
			if p.Poll && p.Final {
				t.Fatalf("a poll that is final: %+v", p)
			}
			if p.State != Up && p.DesiredMinTx < slow {
				t.Fatalf("not up, and faster than a second: %+v", p)
			}
			if p.State == Up && !p.Final && !p.Poll { // the periodic ones of the steady state
				if !last[p.from].IsZero() {
					gaps[p.from] = append(gaps[p.from], p.at.Sub(last[p.from]))
				}
			}
			last[p.from] = p.at
		}
		for i, most := range []time.Duration{50 * time.Millisecond, 45 * time.Millisecond} {
			g := gaps[i][2:] // behind the polls
			const least = 37500 * time.Microsecond
			if len(g) < 5000 || slices.Min(g) < least || slices.Min(g) > least+least/50 || slices.Max(g) > most || slices.Max(g) < most-most/50 {
				t.Errorf("end %d: %d packets, from %s to %s apart; want %s to %s", i, len(g), slices.Min(g), slices.Max(g), least, most)
			}
		}
	})
}

// Silence is kept when the far end asks for it.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(fast(), 1, time.Now())
		c := Control{State: Down, DetectMult: 3, MyDiscriminator: 2, DesiredMinTx: slow}
		if err := s.receive(c, nil, time.Now()); err != nil {
			t.Fatal(err)
		}
		if s.state != Init || !s.due().Equal(s.detectAt()) {
			t.Errorf("%s, due in %s", s.state, time.Until(s.due()))
		}
		packets := func() (n int) {
			for _, ok := s.outgoing(time.Now()); ok; _, ok = s.outgoing(time.Now()) {
				n++
			}
			return n
		}
		if n := packets(); n != 1 {
			t.Errorf("the change is told in %d packets", n)
		}
		time.Sleep(2 * time.Second)
		if n := packets(); n != 0 {
			t.Errorf("%d periodic packets to who wants none", n)
		}
		c.State, c.RequiredMinRx, c.Demand, c.YourDiscriminator, c.Final = Up, slow, true, 1, true
		for range 2 { // the first one makes it Up
			if err := s.receive(c, nil, time.Now()); err != nil {
				t.Fatal(err)
			}
			packets()
		}
		time.Sleep(2900 * time.Millisecond)
		if s.state != Up || packets() != 0 {
			t.Errorf("%s; demand mode is not kept", s.state)
		}
		c.Poll, c.Final = true, false
		s.receive(c, nil, time.Now())
		if n := packets(); n != 1 {
			t.Errorf("a poll in demand mode is answered by %d packets", n)
		}
		time.Sleep(3 * time.Second)
		s.expire(time.Now())
		c.RequiredMinRx = 0
		s.receive(c, nil, time.Now())
		s.heard.RequiredMinRx = 0
		time.Sleep(3 * time.Second)
		s.expire(time.Now())
		if s.state != Down || !s.due().IsZero() {
			t.Errorf("%s, due at %s: nothing is", s.state, s.due())
		}
	})
}

// A far end that asks for answers all the time gets no more of them than were budgeted.
func TestFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := fast()
		s := newSession(p, 1, time.Now())
		c := Control{State: Down, Poll: true, DetectMult: 3, MyDiscriminator: 2, DesiredMinTx: slow, RequiredMinRx: time.Microsecond}
		n := 0
		const length = 10 * time.Second
		for began := time.Now(); time.Since(began) < length; time.Sleep(100 * time.Microsecond) {
			c.State, c.YourDiscriminator = State(n)%4, 1
			s.receive(c, nil, time.Now())
			for _, ok := s.outgoing(time.Now()); ok; _, ok = s.outgoing(time.Now()) {
				n++
			}
		}
		l := &liveness{parameters: p}
		if most := int(l.Demand().PacketRate * length.Seconds()); n > most {
			t.Errorf("%d packets are sent, and %d were asked for", n, most)
		}
	})
}

// Authenticated sessions come up, take each other's restart, and refuse others.
func TestAuthenticatedSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := fast(), fast()
		a.authentication, b.authentication = authenticated(t, 1<<32-10), authenticated(t, 5)
		w := newWire(t, a, b)
		w.run(10 * time.Second)
		if w.ends[0].state != Up {
			t.Fatal(w.ends[0].state)
		}
		plain := Control{State: Down, DetectMult: 3, MyDiscriminator: 2, YourDiscriminator: 0xa}
		if err := w.ends[0].receive(plain, plain.Append(nil), time.Now()); err == nil || w.ends[0].state != Up {
			t.Errorf("%v, and the session is %s", err, w.ends[0].state)
		}
		restarted := fast()
		restarted.authentication = authenticated(t, 1)
		c := Control{State: Down, DetectMult: 3, MyDiscriminator: 0xc, DesiredMinTx: slow, RequiredMinRx: slow, AuthenticationPresent: true}
		old := restarted.authentication.seal(c.Append(nil))
		if err := w.ends[0].receive(c, old, time.Now()); err == nil {
			t.Error("a number out of order is taken while the session lives")
		}
		time.Sleep(3 * 2 * 50 * time.Millisecond)
		w.ends[0].expire(time.Now())
		if err := w.ends[0].receive(c, old, time.Now()); err != nil || w.ends[0].state != Init {
			t.Errorf("after twice the detection time: %v, %s", err, w.ends[0].state)
		}
		unauthenticated := newSession(fast(), 1, time.Now())
		if err := unauthenticated.receive(c, old, time.Now()); err == nil {
			t.Error("a session without a key takes what is authenticated")
		}
	})
}

// A session that ends on purpose says so, and looks at nothing any more.
func TestDisable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, fast(), fast())
		w.run(time.Second)
		w.ends[0].disable(time.Now())
		w.run(10 * time.Millisecond)
		if b := w.ends[1]; b.state != Down || b.diagnostic != NeighborSignaledDown || b.heard.State != AdminDown || b.history.remote != AdministrativelyDown {
			t.Errorf("%s, %d; heard %s, %d", b.state, b.diagnostic, b.heard.State, b.history.remote)
		}
		w.run(10 * time.Second)
		if w.ends[0].state != AdminDown || w.ends[1].state != Down {
			t.Errorf("%s and %s", w.ends[0].state, w.ends[1].state)
		}
	})
}
