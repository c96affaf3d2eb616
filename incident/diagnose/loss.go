package diagnose

import (
	"math"
	"time"

	"incidentd/oam"
)

// sample is what became of the packets to one hop of a path.
type sample struct {
	hop        int // its place on the path
	sent, lost int
}

func (s sample) ratio() float64 { return float64(s.lost) / float64(max(1, s.sent)) }

const (
	// noise is the loss that a good link may have.
	noise = 0.001
	// evidence is how many nats one explanation has to be better than the next: twenty to
	// one.
	evidence = 3.0
	// confidence is that of what is excluded.
	confidence = 0.99
)

// excluded is the loss above which it is excluded that none of n packets is lost.
func excluded(n int) float64 {
	if n == 0 {
		return 1
	}
	return 1 - math.Pow(1-confidence, 1/float64(n))
}

// change is where on a path the loss begins, or grows.
type change struct {
	at, to int     // the samples that have it, the second excluded
	before float64 // the loss up to there
	ratio  float64 // from there on
	// margin is how many nats better this explains the samples than anything else.
	margin float64
}

// usable leaves out the hops that lose more than some hop behind them: what is lost there are
// answers of the hop itself, which routers limit, and not packets on their way.
func usable(samples []sample) (list []sample) {
	for i, s := range samples {
		limited := false
		for _, behind := range samples[i+1:] {
			if s.lost > behind.lost && apart(s, behind) > 3 {
				limited = true
				break
			}
		}
		if !limited {
			list = append(list, s)
		}
	}
	return list
}

// apart is how many standard deviations the losses of two samples are from each other.
func apart(a, b sample) float64 {
	if a.sent == 0 || b.sent == 0 {
		return 0
	}
	p := float64(a.lost+b.lost) / float64(a.sent+b.sent)
	sigma := math.Sqrt(p * (1 - p) * (1/float64(a.sent) + 1/float64(b.sent)))
	if sigma == 0 {
		return 0
	}
	return math.Abs(a.ratio()-b.ratio()) / sigma
}

// changes finds where the loss of a path begins and where it grows, in order. The samples are
// those of usable.
func changes(samples []sample) (list []change) {
	before, from := noise, 0
	for from < len(samples) {
		c, ok := steepest(samples[from:], before)
		if !ok {
			break
		}
		c.at += from
		list = append(list, c)
		// What grows behind it has to be seen against what is lost already.
		from, before = c.at+1, c.ratio
	}
	for i := range list { // what is lost up to the next change only
		end := len(samples)
		if i+1 < len(list) {
			end = list[i+1].at
		}
		list[i].to, list[i].ratio = end, pool(samples[list[i].at:end]).ratio()
		if i > 0 {
			list[i].before = list[i-1].ratio
		}
	}
	return list
}

// pool is samples as one.
func pool(samples []sample) (all sample) {
	for _, s := range samples {
		all.sent += s.sent
		all.lost += s.lost
	}
	return all
}

// steepest is the most likely place at which the loss of samples rises; false when it is as
// likely that it does not.
func steepest(samples []sample, before float64) (best change, ok bool) {
	flat := 0.0
	for _, s := range samples {
		flat += likelihood(s, before)
	}
	first, second := flat, math.Inf(-1)
	for at := range samples {
		p, sum := pool(samples[at:]).ratio(), 0.0
		if p <= before {
			continue
		}
		for _, s := range samples[:at] {
			sum += likelihood(s, before)
		}
		for _, s := range samples[at:] {
			sum += likelihood(s, p)
		}
		switch {
		case sum > first:
			second, first = first, sum
			best, ok = change{at: at, before: before, ratio: p}, true
		case sum > second:
			second = sum
		}
	}
	best.margin = first - second
	return best, ok && first-flat > evidence
}

// likelihood is the logarithm of the likelihood of a sample when so many packets are lost.
func likelihood(s sample, p float64) float64 {
	p = min(max(p, 1e-9), 1-1e-9)
	return float64(s.lost)*math.Log(p) + float64(s.sent-s.lost)*math.Log(1-p)
}

const (
	// leastQueue is the wait that is no longer noise of hosts and links.
	leastQueue = 1500 * time.Microsecond
	// steep is how much more packets wait behind a queue than before it. What makes all of
	// them wait, such as this host, is not on the path.
	steep = 5
)

// queue is how long packets wait on their way: by how much the delay of the slower ones is
// beyond the least.
func queue(d *oam.Delay) time.Duration { return d.Percentile95 - d.Min }

// congested is the index of the first hop behind which packets wait in a queue: those to it
// and to all behind it do, and those before it do not.
func congested(waits []time.Duration) (int, bool) {
	for i, w := range waits {
		if w < leastQueue {
			continue
		}
		all, before := true, time.Duration(0)
		for _, v := range waits[i:] {
			all = all && v >= max(leastQueue, w/3)
		}
		for _, v := range waits[:i] {
			before = max(before, v)
		}
		if all && w >= steep*before {
			return i, true
		}
	}
	return 0, false
}
