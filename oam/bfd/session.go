package bfd

import (
	"math/rand/v2"
	"time"
)

// slow is the least interval while a session is not up [RFC 5880 section 6.8.3].
const slow = time.Second

// parameters of a session.
type parameters struct {
	desiredMinTx   time.Duration // when it is up
	requiredMinRx  time.Duration
	detectMult     uint8
	authentication *authentication // nil for none
}

// session is this end of a session: what stands in RFC 5880 section 6.8.1, and when what is
// due. It knows no clock and no network.
type session struct {
	parameters
	local, remote uint32 // discriminators
	state         State
	remoteState   State
	diagnostic    Diagnostic
	heard         Control   // the last packet of the far end
	heardAt       time.Time // zero: it is silent
	forgetAt      time.Time // when its sequence numbers are forgotten

	polling bool // until a final answers
	answer  bool // a poll of the far end has to be answered
	changed bool // the far end should hear at once what has changed

	extras int       // packets beyond the periodic ones that may be sent
	refill time.Time // when that is extraPackets again

	last, next time.Time // of the periodic packets
	fraction   float64   // of the interval, until next
	history    history
}

// extraPackets are the most packets that a session sends in an interval beside the periodic
// one. Each answers something of the far end, and one that is hostile could ask for any
// number.
const extraPackets = 3

func newSession(p parameters, local uint32, now time.Time) *session {
	s := &session{parameters: p, local: local, state: Down, remoteState: Down, next: now, fraction: 1}
	s.heard.RequiredMinRx = time.Microsecond // bfd.RemoteMinRxInterval begins with 1
	s.history.begin(now)
	return s
}

// transmitInterval is bfd.DesiredMinTxInterval.
func (s *session) transmitInterval() time.Duration {
	if s.state != Up {
		return max(slow, s.desiredMinTx)
	}
	return s.desiredMinTx
}

// negotiated is the interval of the periodic packets, before it is made shorter by chance;
// 0: the far end wants none [RFC 5880 section 6.8.2].
func (s *session) negotiated() time.Duration {
	if s.heard.RequiredMinRx == 0 {
		return 0
	}
	return max(s.transmitInterval(), s.heard.RequiredMinRx)
}

// receiveInterval is that of the far end's packets, before it makes it shorter.
func (s *session) receiveInterval() time.Duration {
	return max(s.requiredMinRx, s.heard.DesiredMinTx)
}

// detectionTime is how long the far end may be silent; 0: it was not heard [RFC 5880
// section 6.8.4].
func (s *session) detectionTime() time.Duration {
	return time.Duration(s.heard.DetectMult) * s.receiveInterval()
}

// receive takes a packet that Decode has taken and that is of this session. An error is that
// it is to be discarded.
func (s *session) receive(c Control, packet []byte, at time.Time) error {
	switch {
	case s.state == AdminDown:
		return nil // it is not looked at any more
	case c.AuthenticationPresent && s.authentication == nil:
		return discard("it is authenticated, and the session is not")
	case !c.AuthenticationPresent && s.authentication != nil:
		return discard("it is not authenticated")
	case s.authentication != nil:
		if !at.Before(s.forgetAt) { // it may have begun anew
			s.authentication.known = false
		}
		if err := s.authentication.check(packet, c.DetectMult); err != nil {
			return err
		}
	}
	s.heard, s.heardAt = c, at
	s.remote, s.remoteState = c.MyDiscriminator, c.State
	s.history.remote = c.Diagnostic
	if c.Final {
		s.polling = false
	}
	if c.Poll {
		s.answer = true
	}
	s.forgetAt = at.Add(2 * s.detectionTime())
	s.apply(event(c.State), at)
	if s.state == Up {
		s.history.agreed(s)
	}
	s.plan(at)
	return nil
}

// apply makes the step of an event.
func (s *session) apply(e event, at time.Time) {
	step := machine[s.state][e]
	if step.why != nil {
		s.diagnostic = *step.why
	}
	if step.to == s.state {
		return
	}
	before := s.transmitInterval()
	s.history.step(s.state, step.to, s.diagnostic, at)
	s.state = step.to
	s.changed = true
	if s.state != AdminDown && s.transmitInterval() != before {
		s.polling = true
	}
}

// plan moves the next periodic packet to where the interval that holds now puts it. One that
// is due earlier for that is due now, and not late.
func (s *session) plan(now time.Time) {
	if s.last.IsZero() {
		return
	}
	next := s.last.Add(time.Duration(s.fraction * float64(s.negotiated())))
	if next.Before(s.next) && next.Before(now) {
		next = now
	}
	s.next = next
}

// detectAt is when the far end has been silent for too long; zero: that cannot be.
func (s *session) detectAt() time.Time {
	if s.heardAt.IsZero() {
		return time.Time{}
	}
	return s.heardAt.Add(s.detectionTime())
}

// due is when the session wants to be called next; zero: when a packet comes.
func (s *session) due() time.Time {
	at := s.detectAt()
	if s.silent() || !at.IsZero() && at.Before(s.next) {
		return at
	}
	return s.next
}

// silent reports whether no periodic packets are to be sent [RFC 5880 section 6.8.7].
func (s *session) silent() bool {
	demanded := s.heard.Demand && s.state == Up && s.remoteState == Up && !s.polling
	return s.heard.RequiredMinRx == 0 || demanded
}

// expire looks whether the far end was silent for too long.
func (s *session) expire(now time.Time) {
	at := s.detectAt()
	if at.IsZero() || now.Before(at) {
		return
	}
	s.apply(expired, now)
	s.heard = Control{RequiredMinRx: s.heard.RequiredMinRx}
	s.heardAt, s.remote, s.remoteState = time.Time{}, 0, Down
	s.plan(now)
}

// disable takes the session down on purpose.
func (s *session) disable(now time.Time) {
	s.polling, s.answer = false, false
	s.apply(disabled, now)
}

// outgoing makes the packet that has to be sent now, if there is one. It is called until
// there is none.
func (s *session) outgoing(now time.Time) ([]byte, bool) {
	if !now.Before(s.refill) {
		s.extras, s.refill = extraPackets, now.Add(s.transmitInterval())
	}
	periodic := !s.silent() && !now.Before(s.next)
	extra := (s.answer || s.changed) && s.extras > 0
	if !periodic && !extra {
		return nil, false
	}
	c := Control{
		Diagnostic: s.diagnostic, State: s.state,
		Poll: s.polling && !s.answer, Final: s.answer,
		DetectMult: s.detectMult, MyDiscriminator: s.local, YourDiscriminator: s.remote,
		DesiredMinTx: s.transmitInterval(), RequiredMinRx: s.requiredMinRx,
	}
	s.answer, s.changed = false, false
	if periodic {
		s.last, s.fraction = now, s.jitter()
		s.plan(now)
	} else {
		s.extras--
	}
	packet := c.Append(make([]byte, 0, headerSize+sectionSize))
	if s.authentication != nil {
		packet = s.authentication.seal(packet)
	}
	return packet, true
}

// jitter is what part of the interval the next packet takes, so that sessions do not fall
// into step: 75 to 100 percent, and where one packet makes the detection time at most 90
// [RFC 5880 section 6.8.7].
func (s *session) jitter() float64 {
	most := 1.0
	if s.detectMult == 1 {
		most = .9
	}
	return .75 + (most-.75)*rand.Float64()
}
