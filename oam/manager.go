package oam

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"incidentd/datastore"
	"incidentd/datastore/kv"
	"incidentd/schedule"
)

// Stream is the stream of the notifications of tests.
const Stream = "oam"

// Config of a Manager. Store and DB are required; the rest has defaults.
type Config struct {
	Store *datastore.Store
	// DB is what Store stands on; results are read from it.
	DB *kv.DB
	// Engines are those there are, by the case of the choice test-type, such as
	// icmp-echo.
	Engines map[string]Engine
	// Supervise is told what supervision has come to; nil: nobody is.
	Supervise Supervise
	// Certifier makes the certificates of sequences; nil: there are none.
	Certifier Certifier
	// Finished, when not nil, learns of each run of a configured test that is over, and
	// whether its supervision tells of a crossing. It must neither block nor call the Manager.
	Finished func(test string, run *Run, raised bool)
	// Log gets what nobody is answered; nil: nothing is logged.
	Log *slog.Logger
	// Strict makes an edge that a state machine does not have a panic, for tests. Otherwise
	// it is logged, and not taken.
	Strict bool
}

// Manager runs the tests and sequences of a store's running configuration.
type Manager struct {
	store     *datastore.Store
	db        *kv.DB
	engines   map[string]Engine
	finished  func(string, *Run, bool)
	certifier Certifier
	log       *slog.Logger
	strict    bool
	schema    *schema
	timer     *schedule.Timer[*item]
	outbox    outbox
	told      Supervise // nil: nobody is told of crossings

	ctx    context.Context // of all runs
	cancel context.CancelFunc
	active sync.WaitGroup // runs and checks

	// Owned by the writer of the store.
	prepared []*change // and neither committed nor aborted, in this order

	mu        sync.Mutex
	items     map[id]*item
	crossings crossings
	errands   map[*run]bool // that wait or are under way
	service   *service
	admission admission
	checking  int // checks under way
	unchecked []*item
	serial    uint64 // of runs
	figures   figures
	closed    bool
}

// figures are the counters of oam-service/state.
type figures struct {
	runs, missed, overlapped, packets uint64
	lateness                          time.Duration
}

// item is a test or a sequence with what becomes of it.
type item struct {
	*definition
	state   State
	told    State // the last that was announced
	reason  Reason
	detail  string
	changed time.Time
	progress
	conflicts []conflict

	alarm schedule.Alarm[*item]
	next  *schedule.Span // that the alarm is for; nil: to try again
	retry time.Duration  // until the next attempt, while there is a fault
	round int            // of attempts; an older check does not count

	run      *run           // that waits or is under way
	queued   *schedule.Span // that begins when run is over
	paused   *schedule.Span // that begins when tests are no longer paused
	attended bool           // stopped while it ran
	removed  bool
}

const (
	firstRetry = time.Minute
	lastRetry  = time.Hour
	checkTime  = 5 * time.Second
	slowCheck  = 50 * time.Millisecond // then another begins beside it
	maxChecks  = 16
)

// New makes the manager of the tests of a store, and closes the runs that the server ended
// with. Nothing runs before Start.
func New(c Config) (*Manager, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s, err := newSchema(c.Store.Schema())
	if err != nil {
		return nil, err
	}
	m := &Manager{store: c.Store, db: c.DB, engines: c.Engines, certifier: c.Certifier, finished: c.Finished, log: c.Log, strict: c.Strict, told: c.Supervise, schema: s, items: map[id]*item{}, errands: map[*run]bool{}}
	m.crossings.raised, m.crossings.wake = map[id]Crossing{}, make(chan struct{}, 1)
	m.timer = schedule.NewTimer(nil, m.ring)
	m.timer.Stepped = m.stepped
	m.outbox = outbox{store: c.Store, log: c.Log, wake: make(chan struct{}, 1)}
	m.service = serviceOf(s.serviceOf(c.Store.Snapshot().Running))
	m.admission.limits = &m.service.limits
	m.provide()
	return m, nil
}

// Start begins to run what is configured, until Stop.
func (m *Manager) Start() error {
	m.ctx, m.cancel = context.WithCancel(context.Background())
	if err := m.restore(); err != nil {
		return err
	}
	m.active.Go(func() { m.timer.Run(m.ctx) })
	m.outbox.start()
	if m.told != nil {
		m.active.Go(m.tell)
	}
	m.store.Join(m)
	return nil
}

// Stop ends all runs. Those that are under way are closed with server-restart when a
// manager is made again, as after a crash.
func (m *Manager) Stop() {
	if m.cancel == nil {
		return
	}
	m.mu.Lock()
	m.closed = true
	for _, t := range slices.Clone(m.admission.waiting) {
		m.admission.withdraw(t)
	}
	m.mu.Unlock()
	m.cancel()
	m.active.Wait()
	m.outbox.stop()
}

// restore makes the items of the configuration as they were left.
func (m *Manager) restore() error {
	snap := m.store.Snapshot()
	known := map[id]progress{}
	open := map[string]openRun{}
	var errands []Run
	err := m.db.View(func(r *kv.Reader) error {
		if err := m.crossings.read(r); err != nil {
			return err
		}
		for k, v := range r.Scan(tableProgress, nil, nil) {
			var p progress
			if err := unpack(v, &p); err != nil {
				return err
			}
			known[id{Kind(k[0]), string(k[1 : len(k)-1])}] = p
		}
		for k, v := range r.Scan(tableOpen, nil, nil) {
			var o openRun
			if err := unpack(v, &o); err != nil {
				return err
			}
			open[string(k)] = o
		}
		for _, v := range r.Scan(tableErrands, nil, nil) {
			var r Run
			if err := unpack(v, &r); err != nil {
				return err
			}
			errands = append(errands, r)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("oam: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	d := decoder{m.engines, m.schema.containerOf(snap.Running, UnitaryTest)}
	var all []*definition
	interrupted := map[id]bool{}
	for _, o := range open {
		interrupted[id{o.Kind, o.Name}] = true
	}
	for i, at := range m.schema.entries(snap.Running) {
		p, ok := known[i]
		if !ok {
			p.Since = now
		}
		def, err := d.definition(i, at, p.Order)
		if err != nil {
			m.log.Error("a test that is configured cannot be read", "kind", i.kind, "name", i.name, "err", err)
			continue
		}
		it := m.add(def, p)
		all = append(all, def)
		if interrupted[i] {
			it.state, it.told = Ongoing, Ongoing
		}
	}
	for _, o := range sortedRuns(open) {
		m.interrupted(o, now)
	}
	for _, i := range slices.SortedFunc(maps.Keys(m.crossings.raised), compareIDs) {
		var s *supervision
		if it := m.items[i]; it != nil {
			s = it.supervision
		}
		m.unsupervised(i, s)
	}
	for _, r := range errands {
		r.End, r.Outcome, r.Reason, r.Detail = now, Failed, ServerRestart, "the server ended while the run was under way"
		m.keepErrand(r)
	}
	for i, list := range conflictsOf(all, nil, now) {
		m.items[i].conflicts = list
	}
	for _, def := range all {
		m.resume(m.items[def.id], now)
	}
	return nil
}

// interrupted closes a run that the server ended with.
func (m *Manager) interrupted(o openRun, now time.Time) {
	r := o.Run
	r.End, r.Outcome, r.Reason, r.Detail = now, Failed, ServerRestart, "the server ended while the run was under way"
	it := m.items[id{o.Kind, o.Name}]
	if it == nil {
		r.Outcome, r.Reason, r.Detail = WasStopped, ConfigurationRemoved, ""
		it = &item{definition: &definition{id: id{o.Kind, o.Name}, historySize: 1}, removed: true}
	}
	it.Runs++
	it.Failures++
	it.Last, it.Begun = later(it.Last, r.Occurrence), later(it.Begun, r.Occurrence)
	m.keep(it, r, nil)
	if it.state == Ongoing {
		m.move(it, Erroneous, ServerRestart, r.Detail)
	}
}

// resume lets an item go on after a restart: what was missed is counted, and run once if
// that is wanted.
func (m *Manager) resume(it *item, now time.Time) {
	upTo := now.Add(-it.plan.Grace() - it.spread)
	missed := int64(0)
	if !it.stop {
		missed = it.plan.Count(later(it.Since.Add(-1), it.Last), upTo)
	}
	var last schedule.Span
	if missed > 0 {
		last, _ = it.plan.Last(upTo)
		it.Missed += uint32(missed)
		m.figures.missed += uint64(missed)
		it.Last = last.Start
	}
	_, more := it.plan.Next(later(upTo, it.Last))
	if s := it.kind.state(it.progress.State); !more && s != None && missed == 0 && it.state == None && !it.stop {
		it.state, it.told, it.changed = s, s, now
		return
	}
	switch {
	case missed == 0 || !it.catchUp:
	case m.service.limits.paused:
		it.paused = &last
	default:
		it.queued = &last
	}
	m.restart(it)
}

// add makes an item.
func (m *Manager) add(def *definition, p progress) *item {
	it := &item{definition: def, progress: p}
	it.alarm.Value = it
	it.progress.Order = def.order
	m.items[def.id] = it
	return it
}

// move takes an edge of the state machine. It alone changes a state and announces it.
func (m *Manager) move(it *item, to State, why Reason, detail string) bool {
	if !it.kind.may(it.state, to) {
		if m.strict {
			panic(fmt.Sprintf("oam: %s %s cannot go from %q to %q", it.kind, it.name, it.kind.Name(it.state), it.kind.Name(to)))
		}
		m.log.Error("a state machine does not have this edge", "kind", it.kind, "name", it.name, "from", it.kind.Name(it.state), "to", it.kind.Name(to))
		return false
	}
	it.state, it.reason, it.detail, it.changed = to, why, detail, time.Now()
	if to.passing() {
		return true
	}
	from, runID := it.told, ""
	it.told = to
	if it.run != nil {
		runID = it.run.record.ID
	}
	if from != to {
		i := it.id
		m.outbox.later(func() func(*datastore.Tx) {
			n := m.schema.stateChange(i, from, to, why, detail, runID)
			return func(tx *datastore.Tx) { tx.Notify(Stream, n) }
		})
	}
	return true
}

// restart brings an item from wherever it rests to the beginning of its machine. What
// waits there begins anew [U0 of DESIGN.md].
func (m *Manager) restart(it *item) {
	m.timer.Stop(&it.alarm)
	it.round++
	switch {
	case it.stop:
		if it.state == None {
			m.move(it, Planned, "", "")
		}
		if it.state != Stopped {
			m.move(it, Stopped, ClientStop, "the status in the configuration is stop")
		}
		return
	case it.state == Planned || it.state == Configured || it.state == Ready:
		it.state = None
	case it.state == Stopped && it.attended:
		it.attended = false
		m.move(it, it.kind.stopped(), ClientStop, "")
	}
	if it.state == Finish || it.state == Success || it.state == Failure {
		if !m.hasNext(it) && it.queued == nil {
			return // it has run for the last time
		}
	}
	if m.move(it, Planned, "", "") && m.move(it, Configured, "", "") {
		m.configure(it)
	}
}

// hasNext reports whether an occurrence is left.
func (m *Manager) hasNext(it *item) bool {
	_, ok := it.plan.Next(m.frontier(it))
	return ok
}

// frontier is the time after which the next occurrence is looked for: one that is late by
// no more than the grace is begun still, but none twice. What was begun more than a day
// from now was begun by a clock that was wrong.
func (m *Manager) frontier(it *item) time.Time {
	now := time.Now()
	from := now.Add(-it.plan.Grace() - it.spread)
	if it.Begun.After(now.Add(24 * time.Hour)) {
		return from
	}
	return later(from, it.Begun)
}

// stepped sets all alarms anew when the clock was set.
func (m *Manager) stepped(by time.Duration) {
	m.log.Warn("the clock of this host was set; schedules follow it", "by", by)
	if by > 0 {
		return // what is due by now is called, and judged by how late it is
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, it := range m.items {
		if it.next != nil {
			m.arm(it)
		}
	}
}

// configure looks whether an item can run, here and in the background.
func (m *Manager) configure(it *item) {
	if f := it.faultUnder(&m.service.limits); f != nil {
		m.fault(it, f)
		return
	}
	if it.queued == nil && !m.hasNext(it) {
		m.fault(it, Faultf(OutOfDate, "the schedule has no occurrence left"))
		return
	}
	m.unchecked = append(m.unchecked, it)
	if m.checking == 0 {
		m.anotherCheck()
	}
}

// anotherCheck lets one more goroutine ask engines, if there is something to ask.
func (m *Manager) anotherCheck() {
	if len(m.unchecked) > 0 && m.checking < maxChecks && !m.closed {
		m.checking++
		m.active.Go(m.check)
	}
}

// check asks the engines of the items that wait for it, one after the other as long as
// they are quick.
func (m *Manager) check() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.unchecked) > 0 && m.ctx.Err() == nil {
		it := m.unchecked[0]
		m.unchecked = m.unchecked[1:]
		round, def, service := it.round, it.definition, m.service
		m.mu.Unlock()
		slow := time.AfterFunc(slowCheck, func() {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.anotherCheck()
		})
		f := m.ask(def, service)
		slow.Stop()
		m.mu.Lock()
		switch {
		case it.removed || it.round != round || it.state != Configured || m.ctx.Err() != nil:
		case f != nil:
			m.fault(it, f)
		default:
			it.retry = 0
			m.move(it, Ready, "", "")
			m.arm(it)
			m.beginQueued(it)
		}
	}
	m.checking--
}

// ask asks the engines of a definition whether it can run.
func (m *Manager) ask(def *definition, s *service) *Fault {
	for _, p := range def.members {
		if p.executions == 0 {
			continue
		}
		ctx, cancel := context.WithTimeout(m.ctx, checkTime)
		err := m.guard(func() error { return p.test.Check(ctx, s.env(p, m.log)) })
		cancel()
		if err != nil {
			return def.of(p, faultOf(err))
		}
	}
	return nil
}

// fault says that an item cannot run; it is tried again with its next occurrence, and
// before if the reason may pass by itself.
func (m *Manager) fault(it *item, f *Fault) {
	m.move(it, Erroneous, f.Reason, f.Error())
	if it.queued != nil {
		it.Failures++
		it.queued = nil
	}
	m.arm(it)
	if f.Reason != BadTarget && f.Reason != NotPermitted && f.Reason != EngineFailure {
		return
	}
	it.retry = min(lastRetry, max(firstRetry, 2*it.retry))
	if again := time.Now().Add(it.retry); it.next == nil || again.Before(it.next.Start.Add(it.spread)) {
		it.next = nil
		m.timer.Set(&it.alarm, again)
	}
}

// arm sets the alarm for the next occurrence.
func (m *Manager) arm(it *item) {
	s, ok := it.plan.Next(m.frontier(it))
	if !ok {
		it.next = nil
		m.timer.Stop(&it.alarm)
		return
	}
	it.next = &s
	m.timer.Set(&it.alarm, s.Start.Add(it.spread))
}

// ring is called for an alarm that is due.
func (m *Manager) ring(a *schedule.Alarm[*item], due time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	it := a.Value
	switch {
	case it.removed || m.closed:
	case it.next == nil:
		if it.state == Erroneous {
			m.restart(it)
		}
	default:
		m.due(it, *it.next, due)
	}
}

// due handles an occurrence whose time has come.
func (m *Manager) due(it *item, s schedule.Span, due time.Time) {
	now := time.Now()
	late := now.Sub(due)
	if late > it.plan.Grace() || m.service.limits.paused { // the host slept, or the clock was set
		last, _ := it.plan.Last(later(s.Start, now.Add(-it.plan.Grace()-it.spread)))
		n := it.plan.Count(s.Start.Add(-1), last.Start)
		it.Missed += uint32(n)
		m.figures.missed += uint64(n)
		it.Last = last.Start
		switch {
		case m.service.limits.paused:
			it.Begun = last.Start
			if it.catchUp {
				it.paused = &last
			}
		case it.catchUp && it.state == Ready && it.run == nil:
			m.begin(it, &last, ByCatchUp, "")
		}
		m.arm(it)
		return
	}
	switch {
	case it.run != nil:
		m.overlapped(it, s)
	case it.state == Erroneous:
		it.Last, it.Begun, it.queued = s.Start, s.Start, &s
		m.restart(it)
		return
	case it.state == Ready:
		m.figures.lateness = max(m.figures.lateness, late)
		m.begin(it, &s, BySchedule, "")
	default:
		it.Last, it.Begun = s.Start, s.Start
	}
	m.arm(it)
}

// overlapped handles an occurrence that is due while a run is there.
func (m *Manager) overlapped(it *item, s schedule.Span) {
	it.Last, it.Begun = s.Start, s.Start
	if it.overlap == OverlapSkip || it.queued != nil {
		it.Overlaps++
		m.figures.overlapped++
		if it.overlap == OverlapSkip {
			return
		}
	}
	it.queued = &s
	if it.overlap == OverlapStop {
		m.halt(it, Overlap, "the next occurrence was due")
	}
}

// beginQueued begins the occurrence that waits for the one before, or for the server.
func (m *Manager) beginQueued(it *item) {
	if it.queued == nil || it.run != nil || it.state != Ready {
		return
	}
	s, trigger := it.queued, BySchedule
	if time.Since(s.Start) > it.plan.Grace()+it.spread && it.overlap == OverlapSkip {
		trigger = ByCatchUp
	}
	it.queued = nil
	m.begin(it, s, trigger, "")
}
