package transport

import (
	"cmp"
	"time"
)

// Limits bound what peers can take of a server. A zero field stands for its default.
type Limits struct {
	// LoginGrace is the time from the connection to the end of the login, then for
	// each channel to the request of the subsystem, and for a connection without
	// channels to open one. 30 seconds by default.
	LoginGrace time.Duration
	// MaxUnauthenticated limits the connections that have not logged in. Others
	// are closed at once. 64 by default.
	MaxUnauthenticated int
	// MaxPerSource is the same for those of one IPv4 address or IPv6 /64, so that
	// one host cannot lock out all others. Half of MaxUnauthenticated by default.
	MaxPerSource int
	// MaxSessions limits the channels, and also the connections that have logged
	// in. 1024 by default.
	MaxSessions int
	// MaxPerUser is the same for those of one user. 256 by default.
	MaxPerUser int
	// MaxAuthTries limits the failed attempts of a connection. 6 by default.
	MaxAuthTries int
	// KeepAlive is the interval of keepalive@openssh.com requests. 30 seconds by
	// default, negative switches them off.
	KeepAlive time.Duration
	// KeepAliveCount is for how many intervals a peer may leave them unanswered
	// before its connection is closed. 3 by default.
	KeepAliveCount int
	// RekeyBytes is after how many bytes in one direction new keys are agreed [RFC
	// 4253 section 9]. 1 GiB by default. By time the SSH package offers none.
	RekeyBytes uint64
}

func (l Limits) withDefaults() Limits {
	l.LoginGrace = cmp.Or(l.LoginGrace, 30*time.Second)
	l.MaxUnauthenticated = cmp.Or(l.MaxUnauthenticated, 64)
	l.MaxPerSource = cmp.Or(l.MaxPerSource, (l.MaxUnauthenticated+1)/2)
	l.MaxSessions = cmp.Or(l.MaxSessions, 1024)
	l.MaxPerUser = cmp.Or(l.MaxPerUser, 256)
	l.MaxAuthTries = cmp.Or(l.MaxAuthTries, 6)
	l.KeepAlive = cmp.Or(l.KeepAlive, 30*time.Second)
	l.KeepAliveCount = cmp.Or(l.KeepAliveCount, 3)
	l.RekeyBytes = cmp.Or(l.RekeyBytes, 1<<30)
	return l
}

// SetLimits replaces the limits for connections and sessions that begin from now on.
// Those that are there stay, even beyond a limit that is lower now.
func (s *Server) SetLimits(l Limits) {
	l = l.withDefaults()
	s.limits.Store(&l)
}
