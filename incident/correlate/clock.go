package correlate

// clock estimates the offset of a node's clock from the difference of arrival and
// stamp: the least difference seen lately is the offset and the quickest way together.
type clock struct {
	offset int64 // ns, the estimate
	at     int64 // arrival of the latest event
	n      int32 // events seen, up to a few
	odd    int32 // implausible stamps in a row
}

const (
	second = int64(1e9)
	minute = 60 * second
	// enough is how many events make a clock known.
	enough = 5
	// leak lets the estimate rise, so that a clock that was corrected is noticed.
	leak = 5000 // one part in so many
	// plausible is how late a stamp may be by the estimate: polling delays it.
	plausible = 45 * second
	// late is how long an event may be on its way where the clock is known.
	late = 5 * minute
	// usual is the delay of an event whose stamp is useless.
	usual = 300 * int64(1e6)
)

// correct returns the time of an event by the collector's clock.
func (c *clock) correct(stamp, arrival int64) int64 {
	d := arrival - stamp
	switch {
	case c.n == 0:
		c.offset = d
		c.n = 1
	case d-c.offset > plausible:
		// The clock was set back, or this one was long on its way: three in a row decide.
		if c.odd++; c.odd < 3 {
			if c.n >= enough && d-c.offset < late {
				return stamp + c.offset // of a clock that was right so far, the way was long
			}
			return arrival - usual
		}
		c.offset, c.n, c.odd = d, 1, 0
	default:
		c.odd = 0
		c.offset = min(c.offset+max(arrival-c.at, 0)/leak, d)
		c.n = min(c.n+1, 8)
	}
	c.at = max(c.at, arrival)
	// Of a node hardly known, an early stamp may as well mean a late delivery.
	if c.n < enough && c.offset > usual {
		if d > 2*minute {
			return arrival - usual
		}
		return stamp
	}
	return min(stamp+c.offset, arrival)
}
