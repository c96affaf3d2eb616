package incident

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"incidentd/datastore"
	"incidentd/incident/alarm"
	"incidentd/incident/correlate"
	"incidentd/netconf"
	"incidentd/schedule"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

const (
	maintenance      = "incidentd-maintenance"
	tableMaintenance = "maintenance"
	// appInactive is the app-tag for a window that is not taking place.
	appInactive = "window-inactive"
	// foreseen is how many occurrences of a window are told beforehand.
	foreseen = 5
)

// windows are those of incidentd-maintenance. They are owned by the writer of the store; the
// list and each window are replaced, not changed, so that readers may keep them.
type windows struct {
	nodes    maintenanceNodes
	config   *data.Node // what they were made of
	list     []*window  // in order of their names
	boundary time.Time  // when one begins or ends next; zero: never
}

type maintenanceNodes struct{ top, list, state, end, began, ended *yang.Node }

func newMaintenanceNodes(s *yang.Schema) maintenanceNodes {
	n := maintenanceNodes{top: top(s, maintenance, "maintenance")}
	n.list = n.top.ChildNamed("window")
	n.state = n.list.ChildNamed("state")
	for _, op := range n.list.Operations {
		if op.Name == "end" {
			n.end = op
		}
	}
	n.began, n.ended = s.Notification(maintenance, "window-began"), s.Notification(maintenance, "window-ended")
	return n
}

// window is planned work.
type window struct {
	name, reason string
	plan         *schedule.Plan
	objects      []correlate.MarkObject
	enabled      bool
	shelve       bool
	turns
}

// turns is what is stored of a window: the row of its name, as JSON.
type turns struct {
	Now  *occurrence `json:"now,omitempty"`  // while it is taking place
	Last *occurrence `json:"last,omitempty"` // when it did last
}

// occurrence is a window at a certain time.
type occurrence struct {
	Index     int64     `json:"index"`
	Began     time.Time `json:"began"`
	Until     time.Time `json:"until,omitzero"`
	Incidents []string  `json:"incidents,omitempty"`
	Shelved   int       `json:"shelved,omitempty"`
	Ended     time.Time `json:"ended,omitzero"`
	EndedBy   string    `json:"ended-by,omitempty"` // "": its time was over
	Left      []string  `json:"left,omitempty"`
}

// hold is the name of the shelf for its alarms.
func (w *window) hold() string { return "maintenance-" + w.name }

// span is the occurrence at a time that nobody has ended.
func (w *window) span(at time.Time) (schedule.Span, bool) {
	if !w.enabled {
		return schedule.Span{}, false
	}
	s, ok := w.plan.Active(at)
	if ok && w.Last != nil && w.Last.EndedBy != "" && w.Last.Index == s.Index && w.Last.Began.Equal(s.Start) {
		return s, false
	}
	return s, ok
}

// marks are what the correlator is told of a window: the occurrence of now, the one before,
// whose incidents may be there still, and the next.
func (w *window) marks(at time.Time) (out []correlate.Mark) {
	add := func(begin, end time.Time) {
		if end.IsZero() {
			end = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
		}
		for _, o := range w.objects {
			out = append(out, correlate.Mark{ID: w.name, Object: o, Start: begin, End: end})
		}
	}
	if w.Last != nil {
		add(w.Last.Began, w.Last.Ended)
	}
	if w.Now != nil {
		add(w.Now.Began, w.Now.Until)
	}
	if w.enabled {
		if s, ok := w.plan.Next(at); ok {
			add(s.Start, s.End)
		}
	}
	return out
}

// read makes the windows of a configuration that is valid, with what is stored of them.
func (ws *windows) read(tx *datastore.Tx, running *data.Node) error {
	ws.config = running.Child("maintenance")
	ws.list = nil
	at := (&data.Loc{Node: running}).Down(ws.config)
	for e := range ws.config.EntriesOf(ws.nodes.list) {
		w := &window{name: e.Key(), reason: e.Leaf("description"), enabled: e.Leaf("enabled") != "false", shelve: e.Leaf("shelve-alarms") != "false"}
		if ref := e.Leaf("reference"); ref != "" {
			w.reason = fmt.Sprintf("%s (%s)", w.reason, ref)
		}
		plan, err := schedule.FromData(at.Down(e), schedule.Auto)
		if err != nil {
			return err
		}
		w.plan = plan
		for o := range e.Entries("object") {
			w.objects = append(w.objects, placeFromData(o))
		}
		if row := tx.Get(tableMaintenance, []byte(w.name)); row != nil {
			if err := json.Unmarshal(row, &w.turns); err != nil {
				return fmt.Errorf("maintenance window %s: %w", w.name, err)
			}
		}
		ws.list = append(ws.list, w)
	}
	slices.SortFunc(ws.list, func(a, b *window) int { return strings.Compare(a.name, b.name) })
	return nil
}

// next is when a window begins or ends after a time; zero when none does.
func (ws *windows) next(at time.Time) (first time.Time) {
	earlier := func(t time.Time) {
		if !t.IsZero() && t.After(at) && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	for _, w := range ws.list {
		if w.Now != nil {
			earlier(w.Now.Until)
		}
		if !w.enabled {
			continue
		}
		if s, ok := w.plan.Next(at); ok {
			earlier(s.Start)
		}
	}
	return first
}

// marks are those of all windows at a time.
func (ws *windows) marks(at time.Time) []correlate.Mark {
	var all []correlate.Mark
	for _, w := range ws.list {
		all = append(all, w.marks(at)...)
	}
	return all
}

// marks are what the correlator is told of windows, and those that the server was made with.
func (m *Manager) marks(at time.Time) []correlate.Mark {
	return append(slices.Clone(m.c.Correlator.Marks), m.windows.marks(at)...)
}

// hour is stream time, or that of the server before the first event.
func (m *Manager) hour(tx *datastore.Tx) time.Time {
	if now := m.clock.Load().now(tx.Now()); !now.IsZero() {
		return now
	}
	return tx.Now()
}

// maintain begins and ends windows whose time has come or whose configuration has changed,
// and tells the correlator. What it has seen so far is judged by the windows as they were.
func (m *Manager) maintain(tx *datastore.Tx) error {
	now := m.hour(tx)
	changed := tx.Running().Child("maintenance") != m.windows.config
	if !changed && (m.windows.boundary.IsZero() || now.Before(m.windows.boundary)) {
		return nil
	}
	if err := m.judge(tx, nil); err != nil {
		return err
	}
	before := m.windows
	tx.OnAbort(func() { m.stale = true })
	if changed {
		if err := m.windows.read(tx, tx.Running()); err != nil {
			return err
		}
		for _, w := range before.list {
			if w.Now != nil && m.windows.named(w.name) == nil {
				if _, err := m.end(tx, w, now, "its configuration was removed"); err != nil {
					return err
				}
			}
			if m.windows.named(w.name) == nil {
				tx.Delete(tableMaintenance, []byte(w.name))
			}
		}
	}
	for i, w := range m.windows.list {
		span, active := w.span(now)
		fresh := *w
		var err error
		switch {
		case w.Now != nil && (!active || span.Index != w.Now.Index || !span.Start.Equal(w.Now.Began)):
			by := ""
			if u := w.Now.Until; u.IsZero() || now.Before(u) {
				by = "a change of its configuration"
			}
			fresh.turns, err = m.end(tx, w, now, by)
			if active && err == nil {
				fresh.Now, err = m.begin(tx, &fresh, span)
			}
		case w.Now == nil && active:
			fresh.Now, err = m.begin(tx, &fresh, span)
		case w.Now != nil && !w.Now.Until.Equal(span.End):
			o := *w.Now
			o.Until = span.End
			fresh.Now = &o
		default:
			continue
		}
		if err != nil {
			return err
		}
		m.replace(tx, i, &fresh)
	}
	m.windows.boundary = m.windows.next(now)
	m.engine.SetMarks(m.marks(now))
	return m.snapshot(tx)
}

// named finds a window by its name.
func (ws *windows) named(name string) *window {
	if i, ok := slices.BinarySearchFunc(ws.list, name, func(w *window, name string) int { return strings.Compare(w.name, name) }); ok {
		return ws.list[i]
	}
	return nil
}

// replace replaces a window, and stores what is known of it.
func (m *Manager) replace(tx *datastore.Tx, i int, w *window) {
	m.windows.list = slices.Clone(m.windows.list)
	m.windows.list[i] = w
	row, err := json.Marshal(w.turns)
	if err != nil {
		panic(err) // times and strings
	}
	tx.Put(tableMaintenance, []byte(w.name), row)
}

// begin begins a window.
func (m *Manager) begin(tx *datastore.Tx, w *window, s schedule.Span) (*occurrence, error) {
	b := data.Build(m.windows.nodes.began).Leaf("name", w.name)
	if !s.End.IsZero() {
		b.Time("until", s.End)
	}
	tx.Notify(Stream, b.Node())
	m.log.Info("maintenance window began", "window", w.name, "until", s.End)
	if w.shelve {
		e := m.alarms.Begin(tx)
		e.Hold(alarm.Hold{Name: w.hold(), Reason: w.reason, Operator: "maintenance"})
		if err := e.Done(); err != nil {
			return nil, fmt.Errorf("shelf of the maintenance window %s: %w", w.name, err)
		}
	}
	return &occurrence{Index: s.Index, Began: s.Start, Until: s.End}, nil
}

// end ends a window: its alarms are back in the list, and who reads is told which
// incidents are left.
func (m *Manager) end(tx *datastore.Tx, w *window, now time.Time, by string) (turns, error) {
	o := *w.Now
	o.Ended, o.EndedBy = now, by
	for _, id := range o.Incidents {
		if inc := m.schema.incident(tx.State(), id); inc != nil && inc.Leaf("status") != "cleared" {
			o.Left = append(o.Left, id)
		}
	}
	e := m.alarms.Begin(tx)
	e.Release(w.hold())
	if err := e.Done(); err != nil {
		return turns{}, fmt.Errorf("shelf of the maintenance window %s: %w", w.name, err)
	}
	b := data.Build(m.windows.nodes.ended).Leaf("name", w.name)
	if by != "" {
		b.Text("ended-by", by)
	}
	for _, id := range o.Incidents {
		b.Leaf("incident", id)
	}
	for _, id := range o.Left {
		b.Leaf("left", id)
	}
	tx.Notify(Stream, b.Node())
	m.log.Info("maintenance window ended", "window", w.name, "by", by, "left", len(o.Left))
	return turns{Last: &o}, nil
}

// explained notes that a window explains an incident, and shelves its alarms.
func (m *Manager) explained(tx *datastore.Tx, name string, inc *data.Node) error {
	i, ok := slices.BinarySearchFunc(m.windows.list, name, func(w *window, name string) int { return strings.Compare(w.name, name) })
	if !ok || m.windows.list[i].Now == nil {
		return nil
	}
	fresh := *m.windows.list[i]
	o := *fresh.Now
	if !slices.Contains(o.Incidents, inc.Key()) {
		o.Incidents = append(slices.Clone(o.Incidents), inc.Key())
	}
	if fresh.shelve {
		e := m.alarms.Begin(tx)
		// The incident refers to what is in the list alone: these are new.
		o.Shelved += e.Shelve(fresh.hold(), alarmsOf(inc)...)
		if err := e.Done(); err != nil {
			return err
		}
	}
	fresh.Now = &o
	tx.OnAbort(func() { m.stale = true })
	m.replace(tx, i, &fresh)
	return nil
}

// endWindow answers the action end.
func (m *Manager) endWindow(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	name := r.At.Node.Key()
	return nil, m.act(ctx, r, func(tx *datastore.Tx) error {
		now := m.hour(tx)
		i := slices.IndexFunc(m.windows.list, func(w *window) bool { return w.name == name })
		if i < 0 || m.windows.list[i].Now == nil {
			return rpcerr.OperationFailed("the window %s is not taking place%s", name, m.upcoming(i, now)).WithAppTag(appInactive).At(r.At.Path())
		}
		if err := m.judge(tx, nil); err != nil {
			return err
		}
		by := r.Author().User
		if by == "" {
			by = "an operator"
		}
		fresh := *m.windows.list[i]
		var err error
		if fresh.turns, err = m.end(tx, m.windows.list[i], now, by); err != nil {
			return err
		}
		tx.OnAbort(func() { m.stale = true })
		m.replace(tx, i, &fresh)
		m.windows.boundary = m.windows.next(now)
		m.engine.SetMarks(m.marks(now))
		return m.snapshot(tx)
	})
}

// upcoming tells when a window takes place next, for an error.
func (m *Manager) upcoming(i int, now time.Time) string {
	if i < 0 {
		return ""
	}
	w := m.windows.list[i]
	if !w.enabled {
		return "; it is not enabled"
	}
	if s, ok := w.plan.Next(now); ok {
		return "; it is at " + data.FormatTime(s.Start)
	}
	return ", and will not again"
}

// provideMaintenance provides the state of the windows.
func (m *Manager) provideMaintenance(snap *datastore.Snapshot) *data.Node {
	ws := m.planned.Load()
	b := data.Build(ws.nodes.top)
	now := time.Now()
	if at := m.clock.Load().now(now); !at.IsZero() {
		now = at
	}
	configured := snap.Running.Get(ws.nodes.top)
	for _, w := range ws.list {
		if configured.Entry(ws.nodes.list, w.name) == nil {
			continue // deleted a moment ago
		}
		s := b.Entry("window", w.name).Container("state")
		s.Bool("active", w.Now != nil)
		if w.enabled {
			at := now
			for range foreseen {
				span, ok := w.plan.Next(at)
				if !ok {
					break
				}
				s.Leaf("next", data.FormatTime(span.Start))
				at = span.Start
			}
		}
		if w.Now != nil {
			w.Now.encode(s.Container("now"))
		}
		if w.Last == nil {
			continue
		}
		l := s.Container("last")
		w.Last.encode(l)
		l.Time("ended", w.Last.Ended)
		if w.Last.EndedBy != "" {
			l.Text("ended-by", w.Last.EndedBy)
		}
		for _, id := range w.Last.Left {
			l.Leaf("left", id)
		}
	}
	return b.Node()
}

func (o *occurrence) encode(b *data.Builder) {
	b.Time("began", o.Began)
	if !o.Until.IsZero() {
		b.Time("until", o.Until)
	}
	for _, id := range o.Incidents {
		b.Leaf("incident", id)
	}
	b.Uint("alarms-shelved", uint64(o.Shelved))
}

// checkWindows refuses windows whose schedule has no meaning.
func (m *Manager) checkWindows(tx *datastore.Tx) error {
	was, is := tx.Base().Running.Child("maintenance"), tx.Running().Child("maintenance")
	if was == is || is == nil {
		return nil
	}
	at := (&data.Loc{Node: tx.Running()}).Down(is)
	var errs rpcerr.Errors
	for e := range is.EntriesOf(m.windows.nodes.list) {
		if was.Entry(m.windows.nodes.list, e.Key()) == e {
			continue
		}
		if _, err := schedule.FromData(at.Down(e), schedule.Auto); err != nil {
			list, _ := rpcerr.List(err)
			errs = append(errs, list...)
		}
	}
	return errs.Err()
}
