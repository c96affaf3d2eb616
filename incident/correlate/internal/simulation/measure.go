package simulation

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Outcome is what a correlator has made of some events, in its final state.
type Outcome struct {
	Raised, Cleared time.Time // Cleared is zero while it lasts
	Events          []string
	Roots           [][2]string // node and resource, best first
	RootEvents      []string
	Services        []string
	Ticket          bool
	Merged          bool // into another, which lists its events
}

// Score tells how well outcomes fit the truth. A share that nothing was asked of is NaN.
//
// The unit is an alarm of a fault: all raises of one key that the fault caused. It is in
// the outcome that lists the earliest of its events that is listed, else in that of the
// latest event of its key within an hour. An outcome stands for the fault that most of its
// units are of, if that is half; of several that stand for one fault one counts.
type Score struct {
	Outcomes, Faults, Units    int
	V, ARI                     float64 // of the clustering of units
	Precision, Recall, F1      float64 // of outcomes
	Root                       float64 // faults whose first root is right
	ServicePrecision           float64
	ServiceRecall              float64
	Latency95                  time.Duration // from the first arrival of a fault to its outcome
	FalseMarked, FalsePeriodic float64       // shares that got a ticket
	Missed                     float64       // faults without any ticket
	S                          float64       // geometric mean of these
	Kinds                      map[string]*Kind
}

// Kind is the score of the faults of one kind.
type Kind struct{ Faults, Matched, Root, TP, FP, FN, Missed int }

// String returns the figures in one line.
func (s *Score) String() string {
	return fmt.Sprintf("S %.3f V %.3f ARI %.3f P %.3f R %.3f F1 %.3f root %.3f svcP %.3f svcR %.3f lat95 %.1fs marked %.3f periodic %.3f missed %.3f (%d of %d faults)",
		s.S, s.V, s.ARI, s.Precision, s.Recall, s.F1, s.Root, s.ServicePrecision, s.ServiceRecall, s.Latency95.Seconds(), s.FalseMarked, s.FalsePeriodic, s.Missed, s.Outcomes, s.Faults)
}

// Table returns the figures of each kind of fault, a line each.
func (s *Score) Table() string {
	var names []string
	for n := range s.Kinds {
		names = append(names, n)
	}
	slices.Sort(names)
	var b strings.Builder
	for _, n := range names {
		k := s.Kinds[n]
		fmt.Fprintf(&b, "%-18s faults %3d matched %3d root %3d services right %3d wrong %3d lacking %3d missed %d\n", n, k.Faults, k.Matched, k.Root, k.TP, k.FP, k.FN, k.Missed)
	}
	return b.String()
}

// marking is a measurement under way.
type marking struct {
	rec  *Recording
	outs []Outcome

	units   []unit
	perFlt  map[int]int         // units by fault
	perOut  map[int]int         // units by outcome, negative for none
	both    map[[2]int]int      // units by fault and outcome
	match   map[int]int         // fault to outcome
	stands  map[int][]candidate // fault to those that stand for it
	clears  map[int]int
	matched int
}

type unit struct{ fault, listed, inherited int }

type candidate struct {
	units  int
	raised time.Time
	out    int
}

const none = -1

// Measure scores outcomes; those that were merged into others are left out.
func (rec *Recording) Measure(outs []Outcome) *Score {
	outs = slices.DeleteFunc(slices.Clone(outs), func(o Outcome) bool { return o.Merged })
	m := &marking{rec: rec, outs: outs, perFlt: map[int]int{}, perOut: map[int]int{}, both: map[[2]int]int{}, match: map[int]int{}, stands: map[int][]candidate{}, clears: map[int]int{}}
	m.findUnits()
	s := &Score{Outcomes: len(outs), Faults: len(rec.Truth), Units: len(m.units), Kinds: map[string]*Kind{}}
	s.V, s.ARI = m.clustering()
	m.matching()
	s.Precision, s.Recall = share(m.matched, len(outs)), share(m.matched, len(rec.Truth))
	s.F1 = harmonic(s.Precision, s.Recall)
	m.faults(s)
	parts := []float64{s.V, s.ARI, s.F1, s.Root, harmonic(s.ServicePrecision, s.ServiceRecall), 1 - s.FalseMarked, 1 - s.FalsePeriodic, 1 - s.Missed}
	sum, n := 0.0, 0
	for _, v := range parts {
		if !math.IsNaN(v) {
			sum += math.Log(max(v, .01))
			n++
		}
	}
	s.S = math.Exp(sum / float64(n))
	return s
}

func share(a, b int) float64 {
	if b == 0 {
		return math.NaN()
	}
	return float64(a) / float64(b)
}

func harmonic(a, b float64) float64 {
	if a+b == 0 {
		return 0
	}
	return 2 * a * b / (a + b)
}

func (m *marking) findUnits() {
	type key struct {
		fault int
		alarm [4]string
	}
	type last struct {
		out int
		at  time.Time
	}
	listed, at, lasts := map[string]int{}, map[key]int{}, map[[4]string]last{}
	for k, o := range m.outs {
		for _, id := range o.Events {
			listed[id] = k
		}
	}
	for k := range m.rec.Events {
		ev := &m.rec.Events[k]
		alarm := [4]string{ev.Node, ev.Resource, ev.AlarmTypeID, ev.AlarmTypeQualifier}
		out, ok := listed[ev.ID]
		if !ok {
			out = none
		}
		inherited := none
		if l, ok := lasts[alarm]; ok && out == none && ev.Arrival.Sub(l.at) <= time.Hour {
			if c := m.outs[l.out].Cleared; c.IsZero() || !c.Before(ev.Arrival) {
				inherited = l.out
			}
		}
		if o := max(out, inherited); o != none {
			lasts[alarm] = last{o, ev.Arrival}
		}
		fault := m.rec.Of[k]
		switch {
		case m.rec.Flags[k] == 'C':
			if fault >= 0 {
				m.clears[fault]++
			}
			continue
		case m.rec.Flags[k] == 'D' && fault < 0:
			continue
		}
		u, known := at[key{fault, alarm}]
		if !known || fault < 0 {
			u = len(m.units)
			f := fault
			if fault < 0 {
				f = -1 - k // noise is a class of its own
			} else {
				at[key{fault, alarm}] = u
			}
			m.units = append(m.units, unit{f, none, none})
		}
		if x := &m.units[u]; x.listed == none {
			x.listed = out
		}
		if x := &m.units[u]; x.inherited == none {
			x.inherited = inherited
		}
	}
	for k := range m.units {
		u := &m.units[k]
		if u.listed == none {
			u.listed = u.inherited
		}
		if u.listed == none {
			u.listed = -1 - k
		}
		m.perFlt[u.fault]++
		m.perOut[u.listed]++
		m.both[[2]int{u.fault, u.listed}]++
	}
}

// clustering returns the V-measure and the adjusted Rand index.
func (m *marking) clustering() (v, ari float64) {
	n := float64(len(m.units))
	entropy := func(c map[int]int) (h float64) {
		for _, x := range c {
			h -= float64(x) / n * math.Log(float64(x)/n)
		}
		return h
	}
	pairs := func(x int) float64 { return float64(x) * float64(x-1) / 2 }
	hf, ho := entropy(m.perFlt), entropy(m.perOut)
	hfo, hof, sum := 0.0, 0.0, 0.0
	for k, x := range m.both {
		hfo -= float64(x) / n * math.Log(float64(x)/float64(m.perOut[k[1]]))
		hof -= float64(x) / n * math.Log(float64(x)/float64(m.perFlt[k[0]]))
		sum += pairs(x)
	}
	ratio := func(part, whole float64) float64 {
		if whole == 0 {
			return 1
		}
		return 1 - part/whole
	}
	v = harmonic(ratio(hfo, hf), ratio(hof, ho))
	var a, b float64
	for _, x := range m.perFlt {
		a += pairs(x)
	}
	for _, x := range m.perOut {
		b += pairs(x)
	}
	expected := a * b / pairs(len(m.units))
	if (a+b)/2 == expected {
		return v, 1
	}
	return v, (sum - expected) / ((a+b)/2 - expected)
}

// matching finds for each fault the outcome that stands for it.
func (m *marking) matching() {
	per := make([]map[int]int, len(m.outs))
	for k, x := range m.both {
		if k[1] < 0 {
			continue
		}
		if per[k[1]] == nil {
			per[k[1]] = map[int]int{}
		}
		per[k[1]][max(k[0], none)] += x
	}
	for o, counts := range per {
		best, most, all := none, 0, 0
		for f, x := range counts {
			all += x
			if x > most || x == most && f != none && (best == none || m.rec.Truth[f].ID > m.rec.Truth[best].ID) {
				best, most = f, x
			}
		}
		if best != none && 2*most >= all {
			m.stands[best] = append(m.stands[best], candidate{most, m.outs[o].Raised, o})
		}
	}
	for f, c := range m.stands {
		m.match[f] = slices.MinFunc(c, func(a, b candidate) int { return cmp.Or(b.units-a.units, a.raised.Compare(b.raised), a.out-b.out) }).out
	}
	m.matched = len(m.match)
}

// faults judges what was said of each fault.
func (m *marking) faults(s *Score) {
	var late []time.Duration
	roots, marked, markedFalse, nights, nightsFalse, real, missed, tp, fp, fn := 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
	for k := range m.rec.Truth {
		f := &m.rec.Truth[k]
		kind := s.Kinds[f.Kind]
		if kind == nil {
			kind = &Kind{}
			s.Kinds[f.Kind] = kind
		}
		kind.Faults++
		ticket := slices.ContainsFunc(m.stands[k], func(c candidate) bool { return m.outs[c.out].Ticket })
		right, wrong, lacking := 0, 0, len(f.Services)
		if at, ok := m.match[k]; ok {
			o := &m.outs[at]
			kind.Matched++
			if len(o.Roots) > 0 && slices.ContainsFunc(f.Roots, func(r [2]string) bool { return r == o.Roots[0] }) {
				roots++
				kind.Root++
			}
			late = append(late, max(0, o.Raised.Sub(f.First)))
			for _, v := range o.Services {
				if _, ok := f.Services[v]; ok {
					right++
				} else {
					wrong++
				}
			}
			lacking -= right
		}
		if !(slices.Contains(f.Labels, "periodic")) {
			tp, fp, fn = tp+right, fp+wrong, fn+lacking
			kind.TP, kind.FP, kind.FN = kind.TP+right, kind.FP+wrong, kind.FN+lacking
		}
		count := func(all, bad *int, is bool) {
			*all++
			if is {
				*bad++
			}
		}
		switch {
		case slices.Contains(f.Labels, "maintenance"):
			count(&marked, &markedFalse, ticket)
		case slices.Contains(f.Labels, "periodic"):
			if f.Occurrence >= 4 {
				count(&nights, &nightsFalse, ticket)
			}
		case !f.Risk:
			count(&real, &missed, !ticket)
			if !ticket {
				kind.Missed++
			}
		}
	}
	slices.Sort(late)
	if n := len(late); n > 0 {
		s.Latency95 = late[min(n-1, n*95/100)]
	}
	s.Root = share(roots, len(m.rec.Truth))
	s.ServicePrecision, s.ServiceRecall = share(tp, tp+fp), share(tp, tp+fn)
	s.FalseMarked, s.FalsePeriodic, s.Missed = share(markedFalse, marked), share(nightsFalse, nights), share(missed, real)
}

// Strays returns the outcomes that stand for no fault, or for one that another stands for,
// each with the kinds of the faults its units are of.
func (rec *Recording) Strays(outs []Outcome) map[int]string {
	kept := slices.DeleteFunc(slices.Clone(outs), func(o Outcome) bool { return o.Merged })
	var at []int
	for k, o := range outs {
		if !o.Merged {
			at = append(at, k)
		}
	}
	m := &marking{rec: rec, outs: kept, perFlt: map[int]int{}, perOut: map[int]int{}, both: map[[2]int]int{}, match: map[int]int{}, stands: map[int][]candidate{}, clears: map[int]int{}}
	m.findUnits()
	m.matching()
	stray := map[int]string{}
	for k := range kept {
		stray[at[k]] = ""
	}
	for f, o := range m.match {
		delete(stray, at[o])
		_ = f
	}
	for k, x := range m.both {
		if k[1] < 0 {
			continue
		}
		if _, ok := stray[at[k[1]]]; ok {
			kind := "noise"
			if k[0] >= 0 {
				kind = rec.Truth[k[0]].Kind + " " + rec.Truth[k[0]].ID
			}
			stray[at[k[1]]] += fmt.Sprintf("%s (%d) ", kind, x)
		}
	}
	return stray
}
