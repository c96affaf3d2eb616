package train

import (
	"math"
	"math/bits"
	"time"

	"incidentd/oam"
)

// A delay is sorted into the octave of its nanoseconds and one of this many parts of it, so
// that a percentile is wrong by less than a percent.
const (
	partBits = 7
	parts    = 1 << partBits
)

// distribution are delays of which none is remembered: a series of any length in 64 kB.
type distribution struct {
	count    int
	sum      float64
	squares  float64 // of the differences from the first, which keeps them small
	offset   float64 // their sum
	first    time.Duration
	min, max time.Duration
	buckets  []uint32

	last     int // the number of the last packet
	previous time.Duration
	jitters  int
	jitter   oam.Jitter // its Average is a sum, its Smoothed kept beside
	total    float64
	smoothed float64
}

// add adds the delay of packet i, as series.add does.
func (d *distribution) add(i int, v time.Duration) {
	if d.count == 0 {
		d.first, d.min, d.max = v, v, v
	} else if d.last == i-1 {
		j := (v - d.previous).Abs()
		if d.jitters == 0 || j < d.jitter.Min {
			d.jitter.Min = j
		}
		d.jitter.Max = max(d.jitter.Max, j)
		d.jitters++
		d.total += float64(j)
		d.smoothed += (float64(j) - d.smoothed) / 16 // RFC 3550 section 6.4.1
	}
	d.last, d.previous = i, v
	d.count++
	d.sum += float64(v)
	off := float64(v - d.first)
	d.offset += off
	d.squares += off * off
	d.min, d.max = min(d.min, v), max(d.max, v)
	if d.buckets == nil {
		d.buckets = make([]uint32, 64*parts)
	}
	d.buckets[bucket(v)]++
}

// bucket is where a delay is sorted into; one that is negative, by clocks that disagree, is
// none.
func bucket(v time.Duration) int {
	n := uint64(max(0, v))
	if n < parts {
		return int(n)
	}
	octave := bits.Len64(n) - partBits // from 1
	return octave*parts + int(n>>(octave-1)) - parts
}

// middle is the delay in the middle of a bucket.
func middle(b int) time.Duration {
	if b < parts {
		return time.Duration(b)
	}
	octave := b / parts
	low := uint64(b%parts+parts) << (octave - 1)
	return time.Duration(low + (1<<(octave-1))/2)
}

// delay makes the figures; nil of no packet.
func (d *distribution) delay() *oam.Delay {
	if d.count == 0 {
		return nil
	}
	n := float64(d.count)
	mean := d.offset / n
	r := &oam.Delay{
		Min: d.min, Average: time.Duration(d.sum / n), Max: d.max,
		StandardDeviation: time.Duration(math.Sqrt(max(0, d.squares/n-mean*mean))),
		Percentile50:      d.percentile(50), Percentile95: d.percentile(95), Percentile99: d.percentile(99),
	}
	if d.jitters > 0 {
		r.Jitter = &oam.Jitter{Min: d.jitter.Min, Average: time.Duration(d.total / float64(d.jitters)), Max: d.jitter.Max, Smoothed: time.Duration(d.smoothed)}
	}
	return r
}

// percentile is about the least delay that so many percent of them do not exceed.
func (d *distribution) percentile(percent int) time.Duration {
	left := (d.count*percent + 99) / 100
	for b, n := range d.buckets {
		if left -= int(n); left <= 0 {
			return max(d.min, min(d.max, middle(b)))
		}
	}
	return d.max
}

// join adds the delays of another one. No packet of it is in a row with one of these.
func (d *distribution) join(o *distribution) {
	if o.count == 0 {
		return
	}
	if d.count == 0 {
		d.first, d.min, d.max, d.buckets = o.first, o.min, o.max, make([]uint32, len(o.buckets))
	}
	// The squares of o are of differences from its own first.
	shift := float64(o.first - d.first)
	d.squares += o.squares + 2*shift*o.offset + float64(o.count)*shift*shift
	d.offset += o.offset + float64(o.count)*shift
	d.sum += o.sum
	d.count += o.count
	d.min, d.max = min(d.min, o.min), max(d.max, o.max)
	for b, n := range o.buckets {
		d.buckets[b] += n
	}
	if o.jitters > 0 {
		if d.jitters == 0 || o.jitter.Min < d.jitter.Min {
			d.jitter.Min = o.jitter.Min
		}
		d.jitter.Max = max(d.jitter.Max, o.jitter.Max)
		d.jitters += o.jitters
		d.total += o.total
		d.smoothed = o.smoothed
	}
	d.last = -2
}
