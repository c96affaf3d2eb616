package bfd

import (
	"time"

	"incidentd/oam"
)

// history is what became of a session.
type history struct {
	began   time.Time
	upAt    time.Time     // since when it is up; zero: it is not
	downAt  time.Time     // since when it is down after it was up; zero: it is not
	toUp    time.Duration // until it came up first
	up      time.Duration // all times together that are over
	longest time.Duration // that it was down after it was up

	downs, detections uint32
	why, remote       Diagnostic
	last              *agreement
}

// agreement is what both ends agreed on while the session was up the last time.
type agreement struct{ transmit, receive, detection time.Duration }

func (h *history) begin(now time.Time) { h.began = now }

// step records a change of state.
func (h *history) step(from, to State, why Diagnostic, at time.Time) {
	h.why = why
	switch {
	case to == Up:
		h.upAt = at
		if h.toUp == 0 {
			h.toUp = max(at.Sub(h.began), 1)
		}
		h.close(at)
	case from == Up:
		h.up += at.Sub(h.upAt)
		h.upAt = time.Time{}
		if to == Down {
			h.downs++
			h.downAt = at
			if why == DetectionTimeExpired {
				h.detections++
			}
		}
	}
}

// close ends the time that the session is down.
func (h *history) close(at time.Time) {
	if !h.downAt.IsZero() {
		h.longest = max(h.longest, at.Sub(h.downAt))
		h.downAt = time.Time{}
	}
}

// agreed records what holds now.
func (h *history) agreed(s *session) {
	h.last = &agreement{transmit: s.negotiated(), receive: s.receiveInterval(), detection: s.detectionTime()}
}

// found is the measurement at the end of a run.
func (h *history) found(now time.Time) *oam.BFD {
	h.close(now)
	if !h.upAt.IsZero() {
		h.up += now.Sub(h.upAt)
		h.upAt = time.Time{}
	}
	f := &oam.BFD{
		TimeToUp: h.toUp, UpTime: h.up, DownCount: h.downs, DetectionCount: h.detections, LongestDown: h.longest,
		Diagnostic: uint8(h.why), RemoteDiagnostic: uint8(h.remote),
	}
	if a := h.last; a != nil {
		f.TransmitInterval, f.ReceiveInterval, f.DetectionTime = a.transmit, a.receive, a.detection
	}
	return f
}
