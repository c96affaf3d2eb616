package incident

import (
	"math/bits"
	"sync"
	"time"
)

// lag counts how long decisions took from when the event that decided was given, or the
// timer due, until they were on disk with their notification. It is safe for concurrent
// use.
type lag struct {
	mu        sync.Mutex
	count     uint64
	longest   time.Duration
	late      uint64
	now, last spell
}

// spell are the lags of a minute, by size: eight classes for each power of two of a
// microsecond.
type spell struct {
	begun  time.Time
	counts [8 * 40]uint32
}

// lateDecision is the lag beyond which a decision counts as late.
const lateDecision = 50 * time.Millisecond

// add counts the decisions that are on disk now.
func (l *lag) add(since []time.Time, now time.Time) {
	if len(since) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.now.begun) >= time.Minute {
		l.last, l.now = l.now, spell{begun: now}
	}
	for _, at := range since {
		d := max(0, now.Sub(at))
		l.count++
		l.longest = max(l.longest, d)
		if d > lateDecision {
			l.late++
		}
		l.now.counts[class(d)]++
	}
}

// class is the place of a lag in a spell.
func class(d time.Duration) int {
	us := uint64(d.Microseconds())
	if us < 8 {
		return int(us)
	}
	e := bits.Len64(us) - 4
	return min(8*(e+1)+int(us>>e&7), 8*40-1)
}

// upTo is the end of a class.
func upTo(class int) time.Duration {
	if class < 8 {
		return time.Duration(class+1) * time.Microsecond
	}
	e := class/8 - 1
	return time.Duration(uint64(class%8+9)<<e) * time.Microsecond
}

// LagFigures tell how long decisions take: from when the event that decided was given, or
// the timer was due, until they are on disk with their notification.
type LagFigures struct {
	// Decisions were measured since the start, Late of them took more than 50 ms.
	Decisions, Late uint64
	Longest         time.Duration
	// Median and P99 are of the last minute or two.
	Median, P99 time.Duration
}

func (l *lag) figures() LagFigures {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := LagFigures{Decisions: l.count, Late: l.late, Longest: l.longest}
	var total, seen uint64
	for k := range l.now.counts {
		total += uint64(l.now.counts[k]) + uint64(l.last.counts[k])
	}
	for k := range l.now.counts {
		n := uint64(l.now.counts[k]) + uint64(l.last.counts[k])
		if n == 0 {
			continue
		}
		seen += n
		if f.Median == 0 && 2*seen >= total {
			f.Median = min(upTo(k), l.longest)
		}
		if 100*seen >= 99*total {
			f.P99 = min(upTo(k), l.longest)
			break
		}
	}
	return f
}
