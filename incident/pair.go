package incident

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"incidentd/datastore"
	"incidentd/incident/correlate"
	"incidentd/incident/event"
	"incidentd/incident/learn"
	"incidentd/incident/topology"
)

// coOccurrence is the kind of proposals that pairs become.
const coOccurrence = "co-occurrence"

const (
	// mostLearntFrom bounds the latest events that pairs are learnt from, mostRaises the
	// raises among them, and mostBefore what may have caused one.
	mostLearntFrom = 100_000
	mostRaises     = 20_000
	mostBefore     = 64
	// learntFor is how long what was learnt is good enough while more events come.
	learntFor = 10 * time.Minute
	// samples bounds the alarms of a type that are shown to the correlator, and the times
	// that are evidence.
	samples = 8
)

// pair are two types of alarms of which one follows the other more often than by chance.
type pair struct {
	correlate.CoOccurrence
	times  []time.Time // of the latest
	n, of  int         // how often it followed, and was raised at all
	chance float64     // how often it would have by chance
	lags   [3]time.Duration
	last   []event.Event // samples of what follows
}

// sentence tells the evidence.
func (p *pair) sentence() string {
	where := "at the same node"
	if p.Beside {
		where = "at the same node or one beside it"
	}
	round := func(d time.Duration) time.Duration {
		return d.Round(max(time.Millisecond, d/100)).Round(time.Millisecond)
	}
	chance := "hardly once"
	if p.chance >= 0.1 {
		chance = fmt.Sprintf("in %.1f", p.chance)
	}
	return fmt.Sprintf("%s came after %s, %s, in %d of the %d times that it was raised, half of them within %s and most within %s; by chance it would have %s. Nothing else is known of what it says.",
		p.Effect, p.Cause, where, p.n, p.of, round(p.lags[1]), round(p.Within), chance)
}

// learner keeps what was learnt last. It is guarded by its mutex, which is held while it
// learns.
type learner struct {
	mu    sync.Mutex
	next  uint64 // place of the first event of the log that was not seen
	index *topology.Index
	at    time.Time
	pairs []pair
}

// wanted reports whether a pair is worth a proposal: it is strong, no configuration says it, and
// the correlator knows nothing of what follows. It belongs to the writer of the store.
func (m *Manager) wanted(p *pair) bool {
	c := CorrelatorFromData(m.judging, m.c.Correlator)
	if p.n < cmp.Or(c.PairTimes, 5) || 100*p.n < cmp.Or(c.PairShare, 60)*p.of || float64(p.n) < 3*p.chance {
		return false
	}
	if slices.ContainsFunc(c.CoOccurrences, func(o correlate.CoOccurrence) bool { return o.Cause == p.Cause && o.Effect == p.Effect }) {
		return false
	}
	puzzles := 0
	for k := range p.last {
		if m.engine.Puzzles(&p.last[k]) {
			puzzles++
		}
	}
	return 2*puzzles > len(p.last)
}

// pairs learns from the latest events of the log. It does so outside of the writer of the
// store, and no more often than there is reason to.
func (m *Manager) pairs(ctx context.Context) ([]pair, error) {
	l := &m.learner
	l.mu.Lock()
	defer l.mu.Unlock()
	var next uint64
	var index *topology.Index
	err := m.consult(ctx, func(*datastore.Tx) error {
		next, index = m.next, m.index
		return nil
	})
	if err != nil {
		return nil, err
	}
	if now := time.Now(); l.index == index && (l.next == next || now.Sub(l.at) < learntFor && len(l.pairs) > 0) {
		return l.pairs, nil
	}
	r := raises{types: map[string]int{}, nodes: map[string]int{}, active: map[[4]string]bool{}, samples: map[int][]event.Event{}}
	from := uint64(1)
	if next > mostLearntFrom {
		from = next - mostLearntFrom
	}
	if err := m.readLog(ctx, from, r.take); err != nil {
		return nil, err
	}
	l.next, l.index, l.at, l.pairs = next, index, time.Now(), r.pairs(index)
	return l.pairs, nil
}

// readLog reads the events of the log from a place on, piece by piece, so that no long read
// keeps the store from using its room again.
func (m *Manager) readLog(ctx context.Context, from uint64, take func(*event.Event)) error {
	const piece = 5000
	at := place(from)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		events, fault := make([]event.Event, 0, piece), error(nil)
		err := m.store.Read(tableEvents, at, nil, func(k, v []byte) bool {
			e, err := decodeEvent(v)
			if err != nil {
				fault = err
				return false
			}
			at = append(slices.Clone(k), 0)
			events = append(events, e)
			return len(events) < piece
		})
		if err := cmp.Or(err, fault); err != nil || len(events) == 0 {
			return err
		}
		for k := range events {
			take(&events[k])
		}
	}
}

// raises are the alarms that pairs are learnt from.
type raises struct {
	types, nodes map[string]int
	names, at    []string // of types and nodes
	active       map[[4]string]bool
	alarms       []learn.Alarm
	samples      map[int][]event.Event // by type
}

// take takes an event, if it raises an alarm anew.
func (r *raises) take(e *event.Event) {
	k := [4]string{e.Node, e.Resource, e.AlarmTypeID, e.AlarmTypeQualifier}
	if e.Severity == event.Cleared {
		delete(r.active, k)
		return
	}
	if e.Kind == event.Log || e.TraceID != "" || r.active[k] {
		return
	}
	r.active[k] = true
	at := e.Time
	if off := e.Arrival.Sub(at); at.IsZero() || off > 5*time.Minute || off < -5*time.Minute {
		at = e.Arrival
	}
	typ := ordinal(r.types, &r.names, e.AlarmTypeID)
	r.alarms = append(r.alarms, learn.Alarm{Type: typ, Device: ordinal(r.nodes, &r.at, e.Node), At: at})
	last := append(r.samples[typ], *e)
	r.samples[typ] = last[max(0, len(last)-samples):]
}

// ordinal gives names numbers from 0 in the order in which they come.
func ordinal(of map[string]int, names *[]string, name string) int {
	n, ok := of[name]
	if !ok {
		n = len(*names)
		of[name], *names = n, append(*names, name)
	}
	return n
}

// pairs learns from the raises.
func (r *raises) pairs(index *topology.Index) (out []pair) {
	r.alarms = r.alarms[max(0, len(r.alarms)-mostRaises):]
	beside := r.neighbours(index)
	const window = 5 * time.Minute
	links := learn.Links(r.alarms, learn.Options{Window: window, LeastShare: 0.02, Beside: func(d int) []int { return beside[d] }, MostBefore: mostBefore})
	at := r.byType()
	for _, l := range links {
		p := pair{lags: l.Lags, last: r.samples[l.Effect]}
		p.Cause, p.Effect, p.Beside = r.names[l.Cause], r.names[l.Effect], l.Beside > 0.1
		p.Within = min(max(3*l.Lags[2], 10*time.Second), window).Round(time.Second)
		r.count(&p, at[l.Cause], at[l.Effect], beside)
		out = append(out, p)
	}
	slices.SortStableFunc(out, func(a, b pair) int {
		return cmp.Or(cmp.Compare(b.n*a.of, a.n*b.of), strings.Compare(a.Effect, b.Effect), strings.Compare(a.Cause, b.Cause))
	})
	// Of several causes of one effect the strongest is enough.
	seen := map[string]bool{}
	return slices.DeleteFunc(out, func(p pair) bool {
		again := seen[p.Effect]
		seen[p.Effect] = true
		return again
	})
}

// neighbours returns for each node those that a link joins to it.
func (r *raises) neighbours(index *topology.Index) [][]int {
	out := make([][]int, len(r.at))
	for d, name := range r.at {
		n, ok := index.Node(name)
		if !ok {
			continue
		}
		for _, ed := range index.NodeEdges(n) {
			far, _ := index.Far(ed, n)
			if o, ok := r.nodes[index.NodeName(far)]; ok && o != d && index.Kind(ed) <= topology.AccessEdge && !slices.Contains(out[d], o) {
				out[d] = append(out[d], o)
			}
		}
	}
	return out
}

// byType returns the times of the raises by type and node, in order.
func (r *raises) byType() []map[int][]time.Time {
	out := make([]map[int][]time.Time, len(r.names))
	for _, a := range r.alarms {
		if out[a.Type] == nil {
			out[a.Type] = map[int][]time.Time{}
		}
		out[a.Type][a.Device] = append(out[a.Type][a.Device], a.At)
	}
	for _, nodes := range out {
		for _, times := range nodes {
			slices.SortFunc(times, time.Time.Compare)
		}
	}
	return out
}

// count counts how often an effect came within the time of its pair after its cause, and how often it
// would have if the two had nothing to do with each other.
func (r *raises) count(p *pair, causes, effects map[int][]time.Time, beside [][]int) {
	first, last := r.alarms[0].At, r.alarms[0].At
	for _, a := range r.alarms {
		if a.At.Before(first) {
			first = a.At
		}
		if a.At.After(last) {
			last = a.At
		}
	}
	part := float64(p.Within) / float64(max(last.Sub(first), p.Within)) // of the time
	for node, times := range effects {
		places := []int{node}
		if p.Beside {
			places = append(places, beside[node]...)
		}
		n := 0
		for _, o := range places {
			n += len(causes[o])
		}
		p.chance += float64(len(times)) * min(1, float64(n)*part)
		for _, t := range times {
			p.of++
			if slices.ContainsFunc(places, func(o int) bool { return follows(causes[o], t, p.Within) }) {
				p.n++
				p.times = append(p.times, t)
			}
		}
	}
	slices.SortFunc(p.times, time.Time.Compare)
	p.times = p.times[max(0, len(p.times)-samples):]
}

// follows reports whether one of some times, which are in order, is at most within before t.
func follows(times []time.Time, t time.Time, within time.Duration) bool {
	k, _ := slices.BinarySearchFunc(times, t.Add(-within), time.Time.Compare)
	return k < len(times) && !times[k].After(t)
}
