package correlate

import (
	"cmp"
	"time"
)

// Config is what an engine is made with: pure data. A duration of zero takes the
// default that its comment names, a negative one means none at all.
type Config struct {
	// Debounce is how long new evidence waits for more before it is solved, DebounceMax
	// how long at most while more pours in. 2 s, 6 s.
	Debounce, DebounceMax time.Duration
	// SoakPair, SoakSingle, SoakKPI and SoakKPIMajor are how long an incident must have
	// lasted, from the arrival of its first event, before it is raised: with two alarms
	// or more, with one, with KPIs only, and with KPIs of which one is major. 3 s, 6 s,
	// 30 s, 30 s.
	SoakPair, SoakSingle, SoakKPI, SoakKPIMajor time.Duration
	// Settle is how long the root of an incident may still move. 120 s.
	Settle time.Duration
	// EffectWait is how long a symptom looks for its cause. 50 s.
	EffectWait time.Duration
	// ClearHold, FlapHold and KPIHold are how long the root events must have been clear:
	// of a steady incident, of one that flaps, of one of KPIs. 30 s, 180 s, 180 s.
	ClearHold, FlapHold, KPIHold time.Duration
	// An alarm that was raised FlapRaises times flaps. An incident that is over in less than
	// Short is held ShortHolds times ClearHold; one whose root was there less than Reopen
	// before is held as if it flapped. 3, 60 s, 3, 900 s.
	FlapRaises, ShortHolds int
	Short, Reopen          time.Duration
	// Rejoin is how long after its clear an alarm that is raised again is the same trouble
	// and no new one, RejoinSymptom the same of a symptom. 300 s, 12 s.
	Rejoin, RejoinSymptom time.Duration
	// Lateness is how long a clear waits for the raise that it has overtaken. 300 s.
	Lateness time.Duration
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
	// RaiseMinors is how many active alarms of minor severity are worth an incident where
	// there is none of a higher one. 2.
	RaiseMinors int
	// RiskTimes is how often two must have failed together to be proposed as a shared risk,
	// RiskShare in how many of a hundred failures of the rarer. 3, 60.
	RiskTimes, RiskShare int

	// PairTimes is how often alarms of one type must have followed those of another to be
	// proposed as a co-occurrence, PairShare in how many of a hundred of its alarms. 5, 60.
	PairTimes, PairShare int

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
	// CoOccurrences are the pairs of alarm types that were approved.
	CoOccurrences []CoOccurrence
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
	// Class is what the type says, by name; empty where its words tell.
	Class string `json:"class,omitempty"`
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

// Setting is one of the times of a Config, under the name that configuration has for it.
type Setting struct {
	Name    string
	Value   *time.Duration // zero is the default, negative none at all
	Default time.Duration
}

// Settings returns the times of a Config, which are changed through them.
func (c *Config) Settings() []Setting {
	return []Setting{
		{"debounce", &c.Debounce, 2 * time.Second}, {"debounce-max", &c.DebounceMax, 6 * time.Second},
		{"soak-pair", &c.SoakPair, 3 * time.Second}, {"soak-single", &c.SoakSingle, 6 * time.Second},
		{"soak-kpi", &c.SoakKPI, 30 * time.Second}, {"soak-kpi-major", &c.SoakKPIMajor, 30 * time.Second},
		{"settle", &c.Settle, 2 * time.Minute}, {"effect-wait", &c.EffectWait, 50 * time.Second},
		{"clear-hold", &c.ClearHold, 30 * time.Second}, {"flap-hold", &c.FlapHold, 3 * time.Minute}, {"kpi-hold", &c.KPIHold, 3 * time.Minute},
		{"short", &c.Short, time.Minute}, {"reopen", &c.Reopen, 15 * time.Minute},
		{"rejoin", &c.Rejoin, 5 * time.Minute}, {"rejoin-symptom", &c.RejoinSymptom, 12 * time.Second}, {"lateness", &c.Lateness, 5 * time.Minute},
		{"split", &c.Split, 2 * time.Minute}, {"stale", &c.Stale, 10 * time.Minute},
		{"update-delay", &c.UpdateDelay, 5 * time.Second}, {"update-every", &c.UpdateEvery, 30 * time.Second},
		{"near", &c.Near, 150 * time.Second}, {"mark-slack", &c.MarkSlack, time.Minute},
		{"period-slack", &c.PeriodSlack, 20 * time.Minute}, {"recurrence", &c.Recurrence, 24 * time.Hour},
	}
}

// Count is one of the numbers of a Config, under the container and the name that
// configuration has for it.
type Count struct {
	Container, Name string
	Value           *int // zero is the default
	Default         int
}

// Counts returns the numbers of a Config, which are changed through them.
func (c *Config) Counts() []Count {
	return []Count{
		{"timing", "flap-raises", &c.FlapRaises, 3}, {"timing", "short-holds", &c.ShortHolds, 3}, {"timing", "period-days", &c.PeriodDays, 3}, {"raising", "minors", &c.RaiseMinors, 2},
		{"learning", "shared-risk-times", &c.RiskTimes, 3}, {"learning", "shared-risk-share", &c.RiskShare, 60},
		{"learning", "co-occurrence-times", &c.PairTimes, 5}, {"learning", "co-occurrence-share", &c.PairShare, 60},
	}
}

// params are the durations of a Config, with the defaults put in, in nanoseconds.
type params struct {
	debounce, debounceMax                       int64
	soakPair, soakSingle, soakKPI, soakKPIMajor int64
	settle, effectWait                          int64
	clearHold, flapHold, kpiHold, split, stale  int64
	updateDelay, updateEvery                    int64
	short, reopen, rejoin, rejoinSymptom        int64
	lateness                                    int64
	near, markSlack, periodSlack, recurrence    int64
	periodDays, raiseMinors                     int
	shortHolds                                  int64
	flapRaises, riskTimes, riskShare            int32
}

func (c *Config) params() params {
	v := Config{}
	p := v.Settings()
	for k, s := range c.Settings() {
		switch d := *s.Value; {
		case d == 0:
			*p[k].Value = s.Default
		default:
			*p[k].Value = max(d, 0)
		}
	}
	return params{
		debounce: int64(v.Debounce), debounceMax: int64(v.DebounceMax),
		soakPair: int64(v.SoakPair), soakSingle: int64(v.SoakSingle), soakKPI: int64(v.SoakKPI), soakKPIMajor: int64(v.SoakKPIMajor),
		settle: int64(v.Settle), effectWait: int64(v.EffectWait),
		clearHold: int64(v.ClearHold), flapHold: int64(v.FlapHold), kpiHold: int64(v.KPIHold), split: int64(v.Split), stale: int64(v.Stale),
		updateDelay: int64(v.UpdateDelay), updateEvery: int64(v.UpdateEvery),
		short: int64(v.Short), reopen: int64(v.Reopen), rejoin: int64(v.Rejoin), rejoinSymptom: int64(v.RejoinSymptom), lateness: int64(v.Lateness),
		flapRaises: int32(cmp.Or(c.FlapRaises, 3)), shortHolds: int64(cmp.Or(c.ShortHolds, 3)),
		near: int64(v.Near), markSlack: int64(v.MarkSlack), periodSlack: int64(v.PeriodSlack), recurrence: int64(v.Recurrence),
		periodDays: cmp.Or(c.PeriodDays, 3), raiseMinors: cmp.Or(c.RaiseMinors, 2), riskTimes: int32(cmp.Or(c.RiskTimes, 3)), riskShare: int32(cmp.Or(c.RiskShare, 60)),
	}
}
