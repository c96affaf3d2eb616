package alarm_test

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"incidentd/incident/alarm"
	"incidentd/incident/event"
	"incidentd/yang/data"
)

// model is what the alarms should be, kept in the plainest way.
type model struct {
	alarms   map[alarm.Key]*modelAlarm
	seen     map[string]map[event.Severity]bool // by type and qualifier
	history  int
	shelves  []modelShelf
	profiles []modelProfile
	holds    map[string][]string // to resources
}

type modelAlarm struct {
	severity event.Severity
	cleared  bool
	text     string
	changes  []string // severity and text, the newest first
	operator []string // states, the newest first
	shelf    string   // "" for the list
}

type modelShelf struct{ name, resource, typ, qualifier string }

type modelProfile struct {
	resource, typ string
	levels        []event.Severity
}

// Words that the test draws from.
var (
	modelNodes     = []string{"P1", "P2", "10.0.0.1"}
	modelPorts     = []string{"", "eth1", "eth1.7", "slot/3"}
	modelTypes     = []string{"link-down", "cpu-high", "FAN"}
	modelPatterns  = []string{"", "P1", "P1/.*", "P1(/.*)?", "P./eth1", "P1/eth1\\.7", ".*", "10.0.0", "10\\.0\\.0\\.1/.*", "[^/]*"}
	modelMatched   = []string{"", "link-down", "communications", "reported", "processing"}
	modelSeverity  = []event.Severity{event.Cleared, event.Indeterminate, event.Warning, event.Minor, event.Major, event.Critical}
	modelGroups    = map[string]string{"link-down": "communications", "cpu-high": "processing"}
	modelOperators = []alarm.State{alarm.None, alarm.Ack, alarm.Closed}
)

func local(id string) string { return id[strings.Index(id, ":")+1:] }

// meets is what RFC 8632 says of a criterion: regular expressions match whole names, object
// identifiers what begins with them.
func meets(k alarm.Key, resource, typ, qualifier string) bool {
	switch {
	case resource == "":
	case regexp.MustCompile(`^[0-2](\.[0-9]+)+$`).MatchString(resource):
		if k.Resource != resource && !(strings.HasPrefix(k.Resource, resource+".") && regexp.MustCompile(`^[0-9.]+$`).MatchString(k.Resource)) {
			return false
		}
	case !regexp.MustCompile(`^(?:` + resource + `)$`).MatchString(k.Resource):
		return false
	}
	if typ == "" {
		return true
	}
	id := local(k.TypeID)
	return (id == typ || modelGroups[id] == typ) && regexp.MustCompile(`^(?:`+qualifier+`)$`).MatchString(k.Qualifier)
}

func (m *model) shelfOf(k alarm.Key, now string) string {
	if _, held := m.holds[now]; held {
		return now
	}
	for _, name := range slices.Sorted(maps.Keys(m.holds)) {
		for _, r := range m.holds[name] {
			if k.Resource == r || strings.HasPrefix(k.Resource, r+"/") {
				return name
			}
		}
	}
	for _, s := range m.shelves {
		if meets(k, s.resource, s.typ, s.qualifier) {
			return s.name
		}
	}
	return ""
}

func (m *model) put(k alarm.Key, a *modelAlarm) {
	shelf := m.shelfOf(k, a.shelf)
	switch {
	case shelf == a.shelf:
	case shelf != "":
		a.operator = slices.Insert(a.operator, 0, "shelved")
	default:
		a.operator = slices.Insert(a.operator, 0, "un-shelved")
	}
	a.shelf = shelf
	a.changes = a.changes[:min(len(a.changes), m.history)]
}

func (m *model) settle() {
	for k, a := range m.alarms {
		m.put(k, a)
	}
}

func (m *model) report(k alarm.Key, s event.Severity, text string) {
	a := m.alarms[k]
	if s == event.Cleared {
		if a == nil || a.cleared {
			return
		}
		a.cleared, a.text = true, text
		a.changes = slices.Insert(a.changes, 0, "cleared "+text)
		a.changes = a.changes[:min(len(a.changes), m.history)]
		return
	}
	typ := k.TypeID + " " + k.Qualifier
	if m.seen[typ] == nil {
		m.seen[typ] = map[event.Severity]bool{}
	}
	m.seen[typ][s] = true
	for _, p := range m.profiles {
		if meets(k, p.resource, p.typ, ".*") {
			if len(p.levels) > 0 {
				known := slices.Sorted(maps.Keys(m.seen[typ]))
				at := slices.Index(known, s)
				if len(known) > len(p.levels) {
					at = at * len(p.levels) / len(known)
				}
				s = p.levels[at]
			}
			break
		}
	}
	if a == nil {
		a = &modelAlarm{}
		m.alarms[k] = a
	} else if !a.cleared && a.severity == s && a.text == text {
		return
	}
	a.severity, a.cleared, a.text = s, false, text
	a.changes = slices.Insert(a.changes, 0, s.String()+" "+text)
	m.put(k, a)
}

// modelView is what is compared.
type modelView struct {
	Listed, Shelved map[string]string
	Summary         map[string]string
	Active          bool
	Inventory       map[string]string
	Listings        [2]int
}

func (m *model) view() modelView {
	v := modelView{Listed: map[string]string{}, Shelved: map[string]string{}, Summary: map[string]string{}, Inventory: map[string]string{}}
	count := map[string]*[7]int{}
	for _, s := range modelSeverity[1:] {
		count[s.String()] = new([7]int)
	}
	for k, a := range m.alarms {
		line := fmt.Sprintf("%v %v %s %v %v", a.severity, a.cleared, a.text, a.changes, a.operator)
		if a.shelf != "" {
			v.Shelved[fmt.Sprint(k)] = a.shelf + " " + line
			v.Active = true
			continue
		}
		v.Listed[fmt.Sprint(k)] = line
		c := count[a.severity.String()]
		closed := len(a.operator) > 0 && a.operator[0] == "closed"
		c[0]++
		switch {
		case a.cleared && closed:
			c[2]++
			c[4]++
		case a.cleared:
			c[2]++
			c[3]++
		case closed:
			c[1]++
			c[5]++
		default:
			c[1]++
			c[6]++
		}
	}
	v.Listings = [2]int{len(v.Listed), len(v.Shelved)}
	for s, c := range count {
		v.Summary[s] = fmt.Sprint(*c)
	}
	for typ, levels := range m.seen {
		v.Inventory[typ] = fmt.Sprint(slices.Sorted(maps.Keys(levels)))
	}
	return v
}

// viewOf is the same of the operational datastore.
func viewOf(t *rapid.T, top *data.Node) modelView {
	v := modelView{Listed: map[string]string{}, Shelved: map[string]string{}, Summary: map[string]string{}, Inventory: map[string]string{}}
	line := func(n *data.Node) string {
		changes, operator := []string{}, []string{}
		newer := time.Now().Add(time.Hour)
		for s := range n.Entries("status-change") {
			at, err := time.Parse(time.RFC3339Nano, s.Leaf("time"))
			if err != nil || !at.Before(newer) {
				t.Fatalf("the history of %v is out of order: %v", n.Keys(), err)
			}
			newer = at
			changes = append(changes, s.Leaf("perceived-severity")+" "+s.Leaf("alarm-text"))
		}
		for s := range n.Entries("operator-state-change") {
			operator = append(operator, s.Leaf("state"))
		}
		return fmt.Sprintf("%s %s %s %v %v", n.Leaf("perceived-severity"), n.Leaf("is-cleared"), n.Leaf("alarm-text"), changes, operator)
	}
	key := func(n *data.Node) string {
		k := n.Keys()
		return fmt.Sprint(alarm.Key{Resource: k[0], TypeID: k[1], Qualifier: k[2]})
	}
	for n := range top.Child("alarm-list").Entries("alarm") {
		v.Listed[key(n)] = line(n)
	}
	for n := range top.Child("shelved-alarms").Entries("shelved-alarm") {
		v.Shelved[key(n)] = n.Leaf("shelf-name") + " " + line(n)
	}
	fmt.Sscan(top.Child("alarm-list").Leaf("number-of-alarms"), &v.Listings[0])
	fmt.Sscan(top.Child("shelved-alarms").Leaf("number-of-shelved-alarms"), &v.Listings[1])
	for n := range top.Child("summary").Entries("alarm-summary") {
		var c []string
		for _, leaf := range []string{"total", "not-cleared", "cleared", "cleared-not-closed", "cleared-closed", "not-cleared-closed", "not-cleared-not-closed"} {
			c = append(c, n.Leaf(leaf))
		}
		v.Summary[n.Leaf("severity")] = "[" + strings.Join(c, " ") + "]"
	}
	v.Active = top.Child("summary").Has("shelves-active")
	for n := range top.Child("alarm-inventory").Entries("alarm-type") {
		if levels := n.Values("severity-level"); len(levels) > 0 {
			slices.SortFunc(levels, func(a, b string) int {
				x, _ := event.ParseSeverity(a)
				y, _ := event.ParseSeverity(b)
				return int(x) - int(y)
			})
			v.Inventory[n.Leaf("alarm-type-id")+" "+n.Leaf("alarm-type-qualifier")] = "[" + strings.Join(levels, " ") + "]"
		}
	}
	return v
}

// configuration is what the model has of it.
func (m *model) configuration() string {
	var b strings.Builder
	fmt.Fprintf(&b, `<alarms xmlns="urn:ietf:params:xml:ns:yang:ietf-alarms" xmlns:t="urn:incidentd:yang:alarm-types"><control><max-alarm-status-changes>%d</max-alarm-status-changes><alarm-shelving>`, m.history)
	for _, s := range m.shelves {
		fmt.Fprintf(&b, "<shelf><name>%s</name>", s.name)
		if s.resource != "" {
			fmt.Fprintf(&b, "<resource>%s</resource>", s.resource)
		}
		if s.typ != "" {
			fmt.Fprintf(&b, "<alarm-type><alarm-type-id>t:%s</alarm-type-id><alarm-type-qualifier-match>%s</alarm-type-qualifier-match></alarm-type>", s.typ, s.qualifier)
		}
		b.WriteString("</shelf>")
	}
	b.WriteString("</alarm-shelving></control>")
	for _, p := range m.profiles {
		fmt.Fprintf(&b, "<alarm-profile><alarm-type-id>t:%s</alarm-type-id><alarm-type-qualifier-match>.*</alarm-type-qualifier-match><resource>%s</resource><description>x</description><alarm-severity-assignment-profile>", p.typ, p.resource)
		for _, l := range p.levels {
			fmt.Fprintf(&b, "<severity-level>%s</severity-level>", l)
		}
		b.WriteString("</alarm-severity-assignment-profile></alarm-profile>")
	}
	return b.String() + "</alarms>"
}

// TestModel: the lists, the summary and the inventory are those of the model after any
// reports, operators' actions, changes of shelves, profiles and limits, holds, purges and
// restarts; and they are valid.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := open(t)
		m := &model{alarms: map[alarm.Key]*modelAlarm{}, seen: map[string]map[event.Severity]bool{}, history: 32, holds: map[string][]string{}}
		pick := func(list []string) string { return rapid.SampledFrom(list).Draw(rt, "word") }
		anAlarm := func() (alarm.Key, bool) {
			if len(m.alarms) == 0 {
				return alarm.Key{}, false
			}
			keys := slices.SortedFunc(maps.Keys(m.alarms), func(x, y alarm.Key) int { return strings.Compare(fmt.Sprint(x), fmt.Sprint(y)) })
			return rapid.SampledFrom(keys).Draw(rt, "alarm"), true
		}
		configure := func() {
			if err := b.configure(m.configuration()); err != nil {
				rt.Fatalf("%v of %s", err, m.configuration())
			}
			m.settle()
		}
		rt.Repeat(map[string]func(*rapid.T){
			"report": func(rt *rapid.T) {
				var events []*event.Event
				for range rapid.IntRange(1, 6).Draw(rt, "events") {
					e := &event.Event{Node: pick(modelNodes), Resource: pick(modelPorts), AlarmTypeID: pick(modelTypes), AlarmTypeQualifier: pick([]string{"", "q"}),
						Severity: rapid.SampledFrom(modelSeverity).Draw(rt, "severity"), Text: pick([]string{"one", "two"})}
					events = append(events, e)
					m.report(b.alarms.KeyOf(e), e.Severity, e.Text)
				}
				b.report(events...)
			},
			"operator": func(rt *rapid.T) {
				k, ok := anAlarm()
				if !ok {
					return
				}
				s := rapid.SampledFrom(modelOperators).Draw(rt, "state")
				b.edit(func(e *alarm.Edit) {
					if done := e.SetOperatorState(k, s, "ann", "x"); done != (m.alarms[k].shelf == "") {
						rt.Fatalf("SetOperatorState of %v = %v", k, done)
					}
				})
				if a := m.alarms[k]; a.shelf == "" {
					a.operator = slices.Insert(a.operator, 0, string(s))
				}
			},
			"shelves": func(rt *rapid.T) {
				m.shelves = nil
				for i := range rapid.IntRange(0, 3).Draw(rt, "shelves") {
					m.shelves = append(m.shelves, modelShelf{fmt.Sprint("shelf", i), pick(modelPatterns), pick(modelMatched), pick([]string{"", ".*", "q", "FAN.*"})})
				}
				configure()
			},
			"profiles": func(rt *rapid.T) {
				m.profiles = nil
				for _, typ := range modelMatched[1:] {
					if rapid.Bool().Draw(rt, "profile") {
						levels := rapid.SliceOfDistinct(rapid.SampledFrom(modelSeverity[1:]), func(s event.Severity) event.Severity { return s }).Draw(rt, "levels")
						slices.Sort(levels)
						m.profiles = append(m.profiles, modelProfile{pick(modelPatterns[1:]), typ, levels})
					}
				}
				configure()
			},
			"limit": func(rt *rapid.T) {
				m.history = rapid.IntRange(1, 5).Draw(rt, "limit")
				configure()
			},
			"hold": func(rt *rapid.T) {
				name := pick([]string{"window a", "window b"})
				if _, stands := m.holds[name]; stands {
					return
				}
				var resources []string
				if rapid.Bool().Draw(rt, "resources") {
					resources = []string{pick([]string{"P1", "P2/eth1", "10.0.0.1"})}
				}
				m.holds[name] = resources
				b.edit(func(e *alarm.Edit) { e.Hold(alarm.Hold{Name: name, Reason: "work", Resources: resources}) })
				if len(resources) > 0 {
					m.settle()
				}
			},
			"shelve": func(rt *rapid.T) {
				k, ok := anAlarm()
				name := pick([]string{"window a", "window b"})
				if _, stands := m.holds[name]; !ok || !stands {
					return
				}
				b.edit(func(e *alarm.Edit) { e.Shelve(name, k) })
				if a := m.alarms[k]; a.shelf != name {
					a.shelf, a.operator = name, slices.Insert(a.operator, 0, "shelved")
				}
			},
			"release": func(rt *rapid.T) {
				name := pick([]string{"window a", "window b"})
				_, stands := m.holds[name]
				b.edit(func(e *alarm.Edit) {
					if e.Release(name) != stands {
						rt.Fatalf("Release of %s = %v", name, !stands)
					}
				})
				if stands {
					delete(m.holds, name)
					m.settle()
				}
			},
			"purge": func(rt *rapid.T) {
				k, ok := anAlarm()
				if !ok {
					return
				}
				onShelf := rapid.Bool().Draw(rt, "shelved")
				n, err := b.alarms.PurgeIf(context.Background(), onShelf, func(x alarm.Key) bool { return x.TypeID == k.TypeID })
				if err != nil {
					rt.Fatal(err)
				}
				maps.DeleteFunc(m.alarms, func(x alarm.Key, a *modelAlarm) bool {
					if gone := x.TypeID == k.TypeID && (a.shelf != "") == onShelf; gone {
						n--
						return true
					}
					return false
				})
				if n != 0 {
					rt.Fatalf("%d more were purged", n)
				}
			},
			"restart": func(rt *rapid.T) {
				b.close()
				b.open()
			},
			"": func(rt *rapid.T) {
				if d := cmp.Diff(m.view(), viewOf(rt, b.top())); d != "" {
					rt.Fatalf("(-want +got):\n%s", d)
				}
				b.valid()
			},
		})
	})
}
