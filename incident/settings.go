package incident

import (
	"strconv"
	"time"

	"incidentd/yang"
	"incidentd/yang/data"
)

// settings are the container incident-management of incidentd-management, as Go has it.
type settings struct {
	cleared           time.Duration // how long a cleared incident stays in the operational datastore
	history           time.Duration // how long the history keeps it
	historyLimit      int
	events            time.Duration // how long the log keeps events that nothing needs
	acknowledgeAlarms bool
}

// settingsOf reads them from a configuration that is valid.
func (s *schema) settingsOf(running *data.Node) settings {
	n := running.Get(s.management)
	text := func(leaf string) string {
		if v := n.Leaf(leaf); v != "" {
			return v
		}
		return s.management.ChildNamed(leaf).Defaults[0]
	}
	number := func(leaf string) int64 {
		v, _ := strconv.ParseInt(text(leaf), 10, 64) // a range in the schema
		return v
	}
	return settings{
		cleared: time.Duration(number("cleared-retention")) * time.Second, history: time.Duration(number("history-retention")) * 24 * time.Hour,
		historyLimit: int(number("history-limit")), events: time.Duration(number("event-retention")) * time.Second,
		acknowledgeAlarms: text("acknowledge-alarms") == "true",
	}
}

// figures are counted since the manager was made. They are owned by the writer of the
// store, and published with each transaction.
type figures struct{ retired, purged, history uint64 }

// statistics provides those of incident-management.
func (m *Manager) statistics(state *data.Node) *data.Node {
	open, cleared := 0, 0
	for e := range state.Get(m.schema.incidents).EntriesOf(m.schema.list) {
		if e.Leaf("status") == "cleared" {
			cleared++
		} else {
			open++
		}
	}
	f := m.figures.Load()
	b := data.Build(m.schema.management)
	b.Container("statistics").Uint("open", uint64(open)).Uint("cleared", uint64(cleared)).Uint("history", f.history).
		Uint("retired", f.retired).Uint("purged", f.purged).Uint("dry-runs", m.dryRuns.Load())
	return b.Node()
}

// statisticsNode is what statistics makes.
func (m *Manager) statisticsNode() *yang.Node { return m.schema.management.ChildNamed("statistics") }
