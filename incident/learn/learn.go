package learn

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Alarm is a raise of an alarm. Types and devices are numbers from 0, which the caller gives
// them; they should be dense.
type Alarm struct {
	Type, Device int
	At           time.Time
}

// Options say how to learn. The zero value works.
type Options struct {
	// Window is how long after its cause an effect may come. 5 min.
	Window time.Duration
	// Rounds is how often shares and excitement are estimated in turn. 25.
	Rounds int
	// Beside returns the devices beside one, to which an alarm may pass; nil is none.
	Beside func(device int) []int
	// MostBefore bounds the alarms at each device that may have caused one, to the latest
	// before it; 0 is no bound.
	MostBefore int
	// LeastShare is the share of the alarms of a type that must have an effect for a link to be
	// one, LeastTimes how many it must have had. 0.002, 2.
	LeastShare float64
	LeastTimes float64
}

func (o Options) window() time.Duration { return cmp.Or(o.Window, 5*time.Minute) }

// Link is a pair of types of which one causes the other.
type Link struct {
	Cause, Effect int
	// Share is how many effects an alarm of the cause has on average, Times how many it had
	// in all.
	Share, Times float64
	// Beside is the part of them that were at another device than the cause.
	Beside float64
	// Lags are the quartiles of the time from the cause to the effect.
	Lags [3]time.Duration
}

// where an effect is: at the device of its cause, or at one beside it.
const (
	here = iota
	beside
	places
)

// parent is a possible cause of an alarm.
type parent struct {
	typ   int
	place uint8
	lag   float64 // s
}

// model is the estimate.
type model struct {
	types, devices int
	length         float64     // s, of the whole recording
	alarms         []Alarm     // in order of time
	parents        [][]parent  // of each alarm
	count          []int       // by type
	exposed        [][]float64 // by type and place: devices at which an alarm could have an effect, over all alarms
	chance         []float64   // by type: alarms a second at all devices that nothing excites
	excite         [][]float64 // by cause and effect, two places each
	decay          float64     // of the excitement, per second
}

// Links learns from alarms, in any order, and returns what it has learnt, the strongest first.
func Links(alarms []Alarm, o Options) []Link {
	if len(alarms) == 0 {
		return nil
	}
	m := newModel(alarms, o)
	rounds := cmp.Or(o.Rounds, 25)
	var shares [][]float64
	for range rounds {
		shares = m.share(nil)
		m.estimate(shares)
	}
	return m.links(shares, o)
}

func newModel(alarms []Alarm, o Options) *model {
	m := &model{alarms: slices.Clone(alarms), decay: 2 / o.window().Seconds()}
	slices.SortStableFunc(m.alarms, func(a, b Alarm) int { return cmp.Or(a.At.Compare(b.At), a.Device-b.Device, a.Type-b.Type) })
	for _, a := range alarms {
		m.types, m.devices = max(m.types, a.Type+1), max(m.devices, a.Device+1)
	}
	m.length = m.alarms[len(m.alarms)-1].At.Sub(m.alarms[0].At).Seconds() + 1
	m.count, m.chance = make([]int, m.types), make([]float64, m.types)
	m.exposed, m.excite = make([][]float64, m.types), make([][]float64, m.types)
	for k := range m.types {
		m.exposed[k], m.excite[k] = make([]float64, places), make([]float64, places*m.types)
		for j := range m.excite[k] {
			m.excite[k][j] = 0.05
		}
	}
	at := make([][]int, m.devices) // the alarms of a device
	for k, a := range m.alarms {
		at[a.Device] = append(at[a.Device], k)
		m.count[a.Type]++
	}
	for k, n := range m.count {
		m.chance[k] = 0.5 * float64(n) / m.length
	}
	near := make([][]int, m.devices)
	if o.Beside != nil {
		for d := range near {
			near[d] = o.Beside(d)
		}
	}
	m.parents = make([][]parent, len(m.alarms))
	for k, a := range m.alarms {
		m.exposed[a.Type][here]++
		m.exposed[a.Type][beside] += float64(len(near[a.Device]))
		m.parents[k] = m.before(nil, k, at[a.Device], here, &o)
		for _, d := range near[a.Device] {
			if d >= 0 && d < m.devices && d != a.Device {
				m.parents[k] = m.before(m.parents[k], k, at[d], beside, &o)
			}
		}
	}
	return m
}

// before appends what of some alarms may have caused one: all within the window before it,
// those of the same moment too, but for its own type.
func (m *model) before(out []parent, k int, of []int, place uint8, o *Options) []parent {
	a := &m.alarms[k]
	compare := func(j int, t time.Time) int { return m.alarms[j].At.Compare(t) }
	first, _ := slices.BinarySearchFunc(of, a.At.Add(-o.window()), compare)
	if o.MostBefore > 0 {
		last, _ := slices.BinarySearchFunc(of, a.At.Add(1), compare)
		first = max(first, last-o.MostBefore)
	}
	for _, j := range of[first:] {
		b := &m.alarms[j]
		lag := a.At.Sub(b.At)
		if lag < 0 {
			break
		}
		if j != k && (lag > 0 || b.Type != a.Type) {
			out = append(out, parent{b.Type, place, lag.Seconds()})
		}
	}
	return out
}

// share shares every alarm out among what may have caused it and chance. It returns by
// cause and effect how many were caused, in two places each; tell, if not nil, is called with
// every share.
func (m *model) share(tell func(p *parent, effect int, share float64)) [][]float64 {
	caused := make([][]float64, m.types)
	for k := range caused {
		caused[k] = make([]float64, places*m.types)
	}
	var weights []float64
	byChance := make([]float64, m.types)
	lags, all := 0.0, 0.0
	for k := range m.alarms {
		effect, ps := m.alarms[k].Type, m.parents[k]
		own := m.chance[effect] / float64(m.devices)
		total := own
		weights = weights[:0]
		for j := range ps {
			w := m.excite[ps[j].typ][places*effect+int(ps[j].place)] * m.decay * math.Exp(-m.decay*ps[j].lag)
			weights = append(weights, w)
			total += w
		}
		if total <= 0 {
			continue
		}
		byChance[effect] += own / total
		for j := range ps {
			s := weights[j] / total
			caused[ps[j].typ][places*effect+int(ps[j].place)] += s
			lags, all = lags+s*ps[j].lag, all+s
			if tell != nil {
				tell(&ps[j], effect, s)
			}
		}
	}
	for k := range m.chance {
		m.chance[k] = byChance[k] / m.length
	}
	if all > 0 {
		m.decay = 1 / (lags/all + 0.5) // half a second, because stamps are rounded
	}
	return caused
}

// estimate finds the excitement that the shares speak for.
func (m *model) estimate(caused [][]float64) {
	for cause := range caused {
		for k, n := range caused[cause] {
			if e := m.exposed[cause][k%places]; e > 0 {
				m.excite[cause][k] = n / e
			}
		}
	}
}

// links returns the pairs that are strong enough.
func (m *model) links(caused [][]float64, o Options) []Link {
	leastShare, leastTimes := cmp.Or(o.LeastShare, 0.002), cmp.Or(o.LeastTimes, 2)
	var out []Link
	at := map[[2]int]int{}
	for cause := range caused {
		for effect := range m.types {
			n := caused[cause][places*effect] + caused[cause][places*effect+1]
			share := n / float64(max(m.count[cause], 1))
			if cause != effect && share >= leastShare && n >= leastTimes {
				at[[2]int{cause, effect}] = len(out)
				out = append(out, Link{Cause: cause, Effect: effect, Share: share, Times: n, Beside: caused[cause][places*effect+1] / n})
			}
		}
	}
	lags := make([][]weighed, len(out))
	m.share(func(p *parent, effect int, s float64) {
		if k, ok := at[[2]int{p.typ, effect}]; ok && s > 0.01 {
			lags[k] = append(lags[k], weighed{p.lag, s})
		}
	})
	for k := range out {
		out[k].Lags = quartiles(lags[k])
	}
	slices.SortStableFunc(out, func(a, b Link) int { return cmp.Or(cmp.Compare(b.Share, a.Share), a.Cause-b.Cause, a.Effect-b.Effect) })
	return out
}

type weighed struct{ lag, weight float64 }

// quartiles returns the lags below which a quarter, a half and three quarters of the weight are.
func quartiles(l []weighed) (q [3]time.Duration) {
	slices.SortFunc(l, func(a, b weighed) int { return cmp.Or(cmp.Compare(a.lag, b.lag), cmp.Compare(a.weight, b.weight)) })
	all := 0.0
	for _, w := range l {
		all += w.weight
	}
	sum, k := 0.0, 0
	for _, w := range l {
		sum += w.weight
		for k < len(q) && sum >= all*float64(k+1)/4 {
			q[k] = time.Duration(w.lag * float64(time.Second)).Round(time.Millisecond)
			k++
		}
	}
	return q
}
