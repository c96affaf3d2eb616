package correlate

import "time"

// Config is what an engine is made with: pure data. A duration of zero takes the
// default that its comment names, a negative one means none at all.
type Config struct {
	// Debounce is how long new evidence waits for more before it is solved, DebounceMax
	// how long at most while more pours in. 2 s, 6 s.
	Debounce, DebounceMax time.Duration
	// SoakPair, SoakSingle, SoakKPI and SoakKPIMajor are how long an incident must have
	// lasted, from the arrival of its first event, before it is raised: with two alarms
	// or more, with one, with KPIs only, and with KPIs of which one is major. 3 s, 6 s,
	// 60 s, 30 s.
	SoakPair, SoakSingle, SoakKPI, SoakKPIMajor time.Duration
	// Settle is how long the root of an incident may still move. 120 s.
	Settle time.Duration
	// EffectWait is how long a symptom looks for its cause. 50 s.
	EffectWait time.Duration
	// ClearHold, FlapHold and KPIHold are how long the root events must have been clear:
	// of a steady incident, of one that flaps, of one of KPIs. 30 s, 180 s, 180 s.
	ClearHold, FlapHold, KPIHold time.Duration
	// Split is how long symptoms may outlast their root before they are judged anew. 120 s.
	Split time.Duration
	// Stale is how long an incident must have been idle to be closed with half of its
	// alarms clear, the clears of the others taken for lost. 600 s.
	Stale time.Duration
	// UpdateDelay and UpdateEvery limit the rate of updates: the first is the pause
	// that gathers changes, the second the least distance of two decisions on the same
	// incident. 5 s, 30 s.
	UpdateDelay, UpdateEvery time.Duration
	// Near is how far apart in time two alarms may be and still have one cause. 150 s.
	Near time.Duration
	// MarkSlack widens the window of a mark at both ends. 60 s.
	MarkSlack time.Duration
	// PeriodSlack is how far an occurrence may be from the usual minute, PeriodDays on how
	// many earlier days it must have been there. 20 min, 3.
	PeriodSlack time.Duration
	PeriodDays  int

	// Recurrence is how long after an incident has ended another of the same root is
	// linked to it. 24 h.
	Recurrence time.Duration

	// Rhythmic are the causes whose rhythms take the ticket away without approval; nil is
	// [AccessOutage] alone, empty none.
	Rhythmic []Cause
	// Calendar are the rhythms that were approved.
	Calendar []CalendarRule
	// SharedRisks are the risks that were approved.
	SharedRisks []SharedRisk
	// ApplyLearned has shared risks used as soon as they are learnt, where nobody can
	// be asked.
	ApplyLearned bool

	// Knowledge is the rule base; nil is [DefaultKnowledge].
	Knowledge *Knowledge
	// AlarmTypes is the alarm inventory, for types whose names tell nothing.
	AlarmTypes []AlarmType
	// Marks are the objects under maintenance.
	Marks []Mark
	// NextNo is the number of the first incident; 0 is 1.
	NextNo uint64
}

// AlarmType is one line of an alarm inventory [RFC 8632 section 4.1.1].
type AlarmType struct {
	ID            string   `json:"alarm-type-id"`
	ResourceClass string   `json:"resource-class"`
	WillClear     bool     `json:"will-clear"`
	Severities    []string `json:"severity-level"`
	Description   string   `json:"description"`
}

// Mark names one object and the window in which work on it is planned.
type Mark struct {
	ID         string     `json:"mark-id"`
	Reason     string     `json:"reason"`
	Object     MarkObject `json:"object"`
	Start, End time.Time
}

// MarkObject is a link of a network, or a node with or without a resource.
type MarkObject struct {
	Network  string `json:"network"`
	Link     string `json:"link"`
	Node     string `json:"node"`
	Resource string `json:"resource"`
}

// params are the durations of a Config, with the defaults put in, in nanoseconds.
type params struct {
	debounce, debounceMax                       int64
	soakPair, soakSingle, soakKPI, soakKPIMajor int64
	settle, effectWait                          int64
	clearHold, flapHold, kpiHold, split, stale  int64
	updateDelay, updateEvery                    int64
	near, markSlack, periodSlack, recurrence    int64
	periodDays                                  int
}

func (c *Config) params() params {
	d := func(v, def time.Duration) int64 {
		switch {
		case v == 0:
			return int64(def)
		case v < 0:
			return 0
		}
		return int64(v)
	}
	p := params{
		debounce: d(c.Debounce, 2*time.Second), debounceMax: d(c.DebounceMax, 6*time.Second),
		soakPair: d(c.SoakPair, 3*time.Second), soakSingle: d(c.SoakSingle, 6*time.Second),
		soakKPI: d(c.SoakKPI, time.Minute), soakKPIMajor: d(c.SoakKPIMajor, 30*time.Second),
		settle: d(c.Settle, 2*time.Minute), effectWait: d(c.EffectWait, 50*time.Second),
		clearHold: d(c.ClearHold, 30*time.Second), flapHold: d(c.FlapHold, 3*time.Minute), kpiHold: d(c.KPIHold, 3*time.Minute),
		split: d(c.Split, 2*time.Minute), stale: d(c.Stale, 10*time.Minute),
		updateDelay: d(c.UpdateDelay, 5*time.Second), updateEvery: d(c.UpdateEvery, 30*time.Second),
		near: d(c.Near, 150*time.Second), markSlack: d(c.MarkSlack, time.Minute), periodSlack: d(c.PeriodSlack, 20*time.Minute),
		recurrence: d(c.Recurrence, 24*time.Hour), periodDays: c.PeriodDays,
	}
	if p.periodDays == 0 {
		p.periodDays = 3
	}
	return p
}
