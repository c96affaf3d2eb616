package incident

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"incidentd/datastore"
	"incidentd/incident/alarm"
	"incidentd/incident/correlate"
	"incidentd/incident/event"
	"incidentd/incident/topology"
	"incidentd/yang"
	"incidentd/yang/data"
)

// Stream is the stream of incident-notifications.
const Stream = "incidents"

// Config of a Manager. Store is required; the rest has defaults.
type Config struct {
	Store *datastore.Store
	// Correlator is what the correlator is made with, where the configuration of
	// incidentd-correlation says nothing else.
	Correlator correlate.Config
	// SnapshotEvery is the number of events between snapshots of the
	// correlator; 0: 1,000.
	SnapshotEvery int
	// AlarmTypes say which alarm types there are, besides the schema and incidentd-correlation.
	AlarmTypes []alarm.Source
	// Log gets what nobody is answered; nil: nothing is logged.
	Log *slog.Logger
}

// Manager keeps the incidents of a store.
type Manager struct {
	c      Config
	store  *datastore.Store
	schema *schema
	alarms *alarm.Alarms
	log    *slog.Logger

	stop     context.CancelFunc
	running  sync.WaitGroup
	queue    queue
	wake     chan struct{} // one slot: the next deadline may have changed
	reformed chan struct{} // one slot: running has changed what the correlator judges by
	deadline atomic.Int64  // stream time in nanoseconds of the next timer, 0 for none
	clock    atomic.Pointer[clock]
	isBehind atomic.Bool // the correlator has still to see events of the log, or decisions to be stored
	lag      lag
	figures  atomic.Pointer[figures]
	dryRuns  atomic.Uint64
	trying   sync.Mutex // held during a dry run
	learner  learner
	observer atomic.Pointer[func(id string, op correlate.Op)]
	indexes  indexes

	// Owned by the writer of the store.
	engine     *correlate.Engine
	networks   *data.Node // that the engine's topology was made of
	references references
	judging    *data.Node // the configuration of the correlator
	index      *topology.Index
	unmapped   map[string]bool
	next       uint64 // place of the next event in the log
	snapped    uint64 // events in the last snapshot
	cleared    []clearedIncident
	behind     behind
	stored     []time.Time // when the decisions of this transaction were due
	stale      bool        // the engine has seen what was not stored
	committed  uint64      // serial of the last decision that was stored
	purged     []byte      // where the next look for what the history need not keep begins
	windows    windows
	shelves    *alarm.ShelfMark // those that the engine judges by; nil: not known

	planned atomic.Pointer[windows] // the windows after the last transaction
}

type clearedIncident struct {
	id string
	at time.Time
}

// clock is the stream clock after a transaction.
type clock struct {
	stream, wall time.Time
	recording    bool
}

// grace is how long the clock of a recording stands after a batch.
const grace = 2 * time.Second

// now is the stream time at a server time; zero before the first event.
func (c *clock) now(wall time.Time) time.Time {
	if c == nil || c.stream.IsZero() {
		return time.Time{}
	}
	passed := wall.Sub(c.wall)
	if c.recording {
		passed -= grace
	}
	return c.stream.Add(max(0, passed))
}

// at is the server time at which stream time will be t.
func (c *clock) at(t time.Time) time.Time {
	if c.stream.IsZero() {
		return t
	}
	wall := c.wall.Add(t.Sub(c.stream))
	if c.recording {
		wall = wall.Add(grace)
	}
	return wall
}

const (
	tableEvents     = "events"
	tableEventIDs   = "event-ids"
	tableCorrelator = "correlator"
	tableParts      = "correlator-parts"
)

var (
	rowPlace  = []byte("place")
	rowClock  = []byte("clock")
	rowSerial = []byte("serial")
	rowNumber = []byte("number")
)

// New makes the manager of a store's incidents and brings its correlator to where
// it was. It registers the provider of its own figures.
func New(c Config) (*Manager, error) {
	if c.SnapshotEvery == 0 {
		c.SnapshotEvery = 1000
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	m := &Manager{c: c, store: c.Store, schema: newSchema(c.Store.Schema()), log: c.Log,
		wake: make(chan struct{}, 1), reformed: make(chan struct{}, 1), stale: true}
	m.openQueue()
	m.references = references{schema: m.schema, of: map[alarm.Key][]string{}}
	m.windows.nodes = newMaintenanceNodes(c.Store.Schema())
	m.planned.Store(&windows{nodes: m.windows.nodes})
	alarms, err := alarm.New(alarm.Config{Store: m.store, Open: m.refersTo, Left: m.unrefer, Sources: c.AlarmTypes, Log: m.log})
	if err != nil {
		return nil, fmt.Errorf("alarms: %w", err)
	}
	m.alarms = alarms
	m.store.Provide(m.schema.management, func(s *datastore.Snapshot) *data.Node { return m.statistics(s.State) }, m.statisticsNode())
	m.store.Provide(m.windows.nodes.top, m.provideMaintenance, m.windows.nodes.state)
	for e := range m.store.Snapshot().State.Child("incidents").Entries("incident") {
		if at, ok := parseTime(e.Leaf("clear-time")); ok {
			m.cleared = append(m.cleared, clearedIncident{e.Leaf("incident-id"), at})
		}
	}
	history, err := m.remembers()
	if err != nil {
		return nil, fmt.Errorf("history of incidents: %w", err)
	}
	m.figures.Store(&figures{history: history})
	slices.SortFunc(m.cleared, func(a, b clearedIncident) int { return a.at.Compare(b.at) })
	err = m.store.Update(context.Background(), func(tx *datastore.Tx) error {
		m.adopt(tx)
		if err := m.ready(tx); err != nil || tx.Get(tableCorrelator, rowPlace) != nil {
			return err
		}
		return m.snapshot(tx)
	})
	if err != nil {
		return nil, fmt.Errorf("correlator: %w", err)
	}
	m.store.Join(m)
	return m, nil
}

// Start lets stream time go on until Stop.
func (m *Manager) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	m.stop = cancel
	m.running.Go(func() { m.tick(ctx) })
	m.alarms.Start()
}

// Stop ends what Start began, takes the events that wait, refuses others, and stores a
// snapshot of the correlator, so that the next start is quick.
func (m *Manager) Stop() error {
	m.queue.stop()
	if m.stop != nil {
		m.stop()
	}
	m.running.Wait()
	m.alarms.Stop()
	return m.store.Update(context.Background(), func(tx *datastore.Tx) error {
		if err := m.ready(tx); err != nil {
			return err
		}
		return m.snapshot(tx)
	})
}

// ready makes the engine fit for use in a transaction: restored if what it saw
// came to nothing, and with the topology as configured.
func (m *Manager) ready(tx *datastore.Tx) error {
	tx.OnAbort(func() { m.stale, m.stored = true, m.stored[:0] })
	tx.OnCommit(m.publish)
	if m.stale {
		if err := m.restore(tx, tx.Running()); err != nil {
			return err
		}
		m.stale = false
	}
	m.queue.configure(tx.Running())
	if judging := tx.Running().Child("correlation"); judging != m.judging {
		if err := m.judge(tx, nil); err != nil {
			return err
		}
		m.judging = judging
		m.engine.Configure(CorrelatorFromData(judging, m.c.Correlator))
		if err := m.snapshot(tx); err != nil {
			return err
		}
	}
	switch networks := tx.Running().Child("networks"); {
	case networks == m.networks:
	case m.indexes.latest().networks == m.networks:
		// The index is being made. What this transaction judges is judged by the topology
		// that was, and a snapshot says so.
		tx.AtEnd(func(tx *datastore.Tx) error {
			if err := m.judge(tx, nil); err != nil {
				return err
			}
			return m.snapshot(tx)
		})
	default:
		if err := m.judge(tx, nil); err != nil {
			return err
		}
		// A snapshot after the change: events before it were judged by the
		// topology that was, those after it will be by the new one.
		m.setTopology(m.indexes.latest())
		if err := m.snapshot(tx); err != nil {
			return err
		}
	}
	if err := m.shelve(tx); err != nil {
		return err
	}
	return m.maintain(tx)
}

// shelve has the engine put aside what a shelf has now, and take back what is on none any more.
// What was told so far is judged by the shelves as they were.
func (m *Manager) shelve(tx *datastore.Tx) error {
	mark := m.alarms.ShelfMark(tx)
	if m.shelves != nil && *m.shelves == mark {
		return nil
	}
	if err := m.judge(tx, nil); err != nil {
		return err
	}
	known := m.shelves != nil
	m.shelves = &mark
	if !known && mark == (alarm.ShelfMark{}) && m.engine.Aside() == 0 {
		return nil
	}
	tx.OnAbort(func() { m.stale = true })
	if err := m.decide(tx, m.engine.Shelve(m.alarms.Begin(tx).Takes)); err != nil {
		return err
	}
	return m.snapshot(tx)
}

func (m *Manager) setTopology(x *indexed) {
	m.networks, m.index = x.networks, x.index
	m.engine.SetTopology(m.index)
}

// publish tells the ticker of the next deadline.
func (m *Manager) publish(*datastore.Snapshot) {
	next := int64(0)
	if at, ok := m.engine.Next(); ok {
		next = at.UnixNano()
	}
	if at := m.windows.boundary; !at.IsZero() && (next == 0 || at.UnixNano() < next) {
		next = at.UnixNano()
	}
	m.deadline.Store(next)
	planned := m.windows
	m.planned.Store(&planned)
	m.isBehind.Store(!m.behind.caughtUp())
	m.lag.add(m.stored, time.Now())
	m.stored = m.stored[:0]
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// tick advances the engine whenever its next timer is due, and removes what is
// older than its retention.
func (m *Manager) tick(ctx context.Context) {
	const housekeeping = time.Minute
	clean := time.NewTicker(housekeeping)
	defer clean.Stop()
	reform := time.NewTimer(time.Hour)
	defer reform.Stop()
	for {
		wait := time.Hour
		if due := m.deadline.Load(); due != 0 {
			wait = max(0, m.clock.Load().at(time.Unix(0, due)).Sub(m.store.Now()))
		}
		if m.isBehind.Load() {
			wait = 0
		}
		timer := time.NewTimer(wait)
		var err error
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-m.wake:
		case <-timer.C:
			err = m.store.Update(ctx, m.advance)
		case <-m.reformed:
			reform.Reset(gather)
		case <-reform.C:
			if wait := m.indexes.follow(m.store); wait > 0 {
				reform.Reset(wait)
			}
			err = m.store.Update(ctx, m.advance)
		case <-clean.C:
			err = m.store.Update(ctx, m.expire)
		}
		timer.Stop()
		if err != nil && ctx.Err() == nil {
			m.log.Error("stream time cannot go on", "err", err)
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
	}
}

// advance runs the timers that are due, some at a time.
func (m *Manager) advance(tx *datastore.Tx) error {
	if err := m.ready(tx); err != nil {
		return err
	}
	now := m.clock.Load().now(tx.Now())
	if now.IsZero() {
		return nil
	}
	t := newTurn()
	for {
		if err := m.judge(tx, t); err != nil || t.spent() {
			return err
		}
		if m.step(now) {
			return m.judge(tx, t)
		}
	}
}

// restore makes the engine from its snapshot and the events since, by a configuration.
// What it decides on the way is stored already, as its serial tells. Without a snapshot, or
// with one of another version, all events are judged anew.
func (m *Manager) restore(tx *datastore.Tx, running *data.Node) error {
	m.judging = running.Child("correlation")
	m.engine = correlate.New(CorrelatorFromData(m.judging, m.c.Correlator))
	m.networks, m.index, m.behind = nil, nil, behind{}
	m.setTopology(m.indexes.of(running.Child("networks")))
	m.next, m.snapped, m.shelves = 1, 0, nil
	m.unmapped = map[string]bool{}
	for n := range unmappedOf(tx.State()).Entries("node") {
		m.unmapped[n.Leaf("node-id")] = true
	}
	if err := m.windows.read(tx, running); err != nil {
		return err
	}
	m.windows.boundary = time.Time{}
	if clk := storedClock(tx); !clk.stream.IsZero() {
		m.engine.SetMarks(m.marks(clk.stream))
		m.windows.boundary = m.windows.next(clk.stream)
	} else {
		m.windows.config = nil // maintain begins
	}
	if v := tx.Get(tableCorrelator, rowPlace); len(v) == 8 {
		var parts []correlate.Part
		for k, v := range tx.Scan(tableParts, nil, nil) {
			parts = append(parts, correlate.Part{Key: k, Value: v})
		}
		if err := m.engine.RestoreParts(parts); err != nil {
			return m.anew(tx, err)
		}
		m.snapped = binary.BigEndian.Uint64(v)
		m.next = m.snapped + 1
	} else if m.hasPast(tx) {
		return m.anew(tx, errNoSnapshot)
	}
	m.committed = 0
	if v := tx.Get(tableCorrelator, rowSerial); len(v) == 8 {
		m.committed = binary.BigEndian.Uint64(v)
	}
	clk := storedClock(tx)
	again, err := m.replayLog(tx)
	if err != nil {
		return err
	}
	if !clk.stream.IsZero() {
		again = append(again, m.engine.Advance(clk.stream)...)
	}
	m.clock.Store(clk)
	again = slices.DeleteFunc(again, func(d correlate.Decision) bool { return d.Serial <= m.committed })
	return m.decide(tx, again)
}

// storedClock is the stream clock after the last transaction.
func storedClock(tx *datastore.Tx) *clock {
	if v := tx.Get(tableCorrelator, rowClock); len(v) == 17 {
		// A clock that was set back meanwhile must not hold up stream time until it is
		// again what it was.
		return &clock{unixNano(v), earlier(unixNano(v[8:]), tx.Now()), v[16] == 1}
	}
	return &clock{}
}

// replayLog feeds the engine the events of the log that it has not seen.
func (m *Manager) replayLog(tx *datastore.Tx) (again []correlate.Decision, err error) {
	for k, v := range tx.Scan(tableEvents, place(m.next), nil) {
		e, err := decodeEvent(v)
		if err != nil {
			return nil, fmt.Errorf("event %d of the log: %w", binary.BigEndian.Uint64(k), err)
		}
		again = append(again, m.engine.Feed(&e)...)
		m.next = binary.BigEndian.Uint64(k) + 1
	}
	return again, nil
}

func unixNano(b []byte) time.Time {
	if n := int64(binary.BigEndian.Uint64(b)); n != 0 {
		return time.Unix(0, n).UTC()
	}
	return time.Time{}
}

func place(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func decodeEvent(row []byte) (event.Event, error) {
	if len(row) < 8 {
		return event.Event{}, fmt.Errorf("a row of %d bytes", len(row))
	}
	return event.Parse(row[8:])
}

// snapshot stores what has changed of the engine's state, which has caught up.
func (m *Manager) snapshot(tx *datastore.Tx) error {
	if err := m.judge(tx, nil); err != nil {
		return err
	}
	for _, p := range m.engine.Changes() {
		if p.Value == nil {
			tx.Delete(tableParts, p.Key)
		} else {
			tx.Put(tableParts, p.Key, p.Value)
		}
	}
	tx.Put(tableCorrelator, rowPlace, place(m.next-1))
	m.snapped = m.next - 1
	return nil
}

// setClock moves the stream clock with the transaction.
func (m *Manager) setClock(tx *datastore.Tx, stream time.Time, recording bool) {
	before := m.clock.Load()
	m.clock.Store(&clock{stream, tx.Now(), recording})
	tx.OnAbort(func() { m.clock.Store(before) })
	row := binary.BigEndian.AppendUint64(nil, uint64(stream.UnixNano()))
	row = binary.BigEndian.AppendUint64(row, uint64(tx.Now().UnixNano()))
	if recording {
		row = append(row, 1)
	} else {
		row = append(row, 0)
	}
	tx.Put(tableCorrelator, rowClock, row)
}

// expire removes cleared incidents, of the history too, and old events whose time is
// over, some at a time.
func (m *Manager) expire(tx *datastore.Tx) error {
	if err := m.ready(tx); err != nil {
		return err
	}
	const most = 2000
	now := m.clock.Load().now(tx.Now())
	keep := m.schema.settingsOf(tx.Running())
	m.purge(tx, keep)
	n := 0
	for n < len(m.cleared) && n < most && now.Sub(m.cleared[n].at) > keep.cleared {
		n++
	}
	if n > 0 {
		var ids []string
		for _, c := range m.cleared[:n] {
			// One that came back and was cleared again is in the list once more.
			if at, ok := parseTime(m.schema.incident(tx.State(), c.id).Leaf("clear-time")); ok && now.Sub(at) > keep.cleared {
				ids = append(ids, c.id)
			}
		}
		before := m.cleared
		m.cleared = m.cleared[n:]
		tx.OnAbort(func() { m.cleared = before })
		tx.SetState(m.schema.withoutIncidents(tx.State(), ids))
		m.count(tx, func(f *figures) { f.retired += uint64(len(ids)) })
	}
	old := tx.Now().Add(-keep.events).UnixNano()
	n = 0
	for k, v := range tx.Scan(tableEvents, nil, place(m.snapped+1)) {
		if n++; n > most || len(v) < 8 || int64(binary.BigEndian.Uint64(v)) > old {
			break
		}
		if e, err := decodeEvent(v); err == nil {
			tx.Delete(tableEventIDs, []byte(e.ID))
		}
		tx.Delete(tableEvents, append([]byte(nil), k...))
	}
	return nil
}

func unmappedOf(state *data.Node) *data.Node {
	return state.Child("networks").EntryNamed("network", unmappedNetwork)
}

// unmappedNetwork has the nodes that events name and no configured network has.
const unmappedNetwork = "unmapped"

// ensureNodes puts nodes that nobody configured into the network of unmapped
// nodes, because incidents refer to them.
func (m *Manager) ensureNodes(tx *datastore.Tx, nodes []string) {
	var missing []string
	for _, n := range nodes {
		if n == "" || m.unmapped[n] {
			continue
		}
		if _, ok := m.index.Node(n); !ok {
			missing = append(missing, n)
			m.unmapped[n] = true
		}
	}
	if len(missing) == 0 {
		return
	}
	tx.OnAbort(func() {
		for _, n := range missing {
			delete(m.unmapped, n)
		}
	})
	b := data.Build(tx.Running().Schema())
	w := b.Container("networks").Entry("network", unmappedNetwork)
	for _, n := range missing {
		w.Entry("node", n)
	}
	tx.SetState(data.Merge(tx.State(), b.Node()))
}

// top is a top-level node of a module.
func top(s *yang.Schema, module, name string) *yang.Node { return s.Root.Child(s.Module(module), name) }
