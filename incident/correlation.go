package incident

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"incidentd/incident/correlate"
	"incidentd/yang"
	"incidentd/yang/data"
)

// CorrelatorFromData returns what a correlator is configured with: base, and over it the
// container correlation of incidentd-correlation, nil for none. The values are those of
// a valid tree.
func CorrelatorFromData(n *data.Node, base correlate.Config) correlate.Config {
	c := base
	timing := n.Child("timing")
	for _, s := range c.Settings() {
		if v := timing.Leaf(s.Name); v != "" {
			*s.Value = time.Duration(number(v)) * time.Millisecond
			if *s.Value == 0 {
				*s.Value = -1 // none, where a zero of Config is its default
			}
		}
	}
	for _, x := range c.Counts() {
		if v := n.Child(x.Container).Leaf(x.Name); v != "" {
			*x.Value = int(number(v))
		}
	}
	c.AlarmTypes = slices.Clone(c.AlarmTypes)
	for t := range n.Entries("alarm-type") {
		c.AlarmTypes = append(c.AlarmTypes, correlate.AlarmType{ID: t.Leaf("alarm-type-id"), Class: t.Leaf("class"),
			WillClear: t.Leaf("will-clear") != "false", Description: t.Leaf("description")})
	}
	c.Knowledge = knowledgeFromData(n, c.Knowledge)
	learning := n.Child("learning")
	if names := learning.Values("rhythmic-cause"); len(names) > 0 {
		c.Rhythmic = nil
		for _, name := range names {
			cause, _ := correlate.ParseCause(name)
			c.Rhythmic = append(c.Rhythmic, cause)
		}
	}
	if v := learning.Leaf("apply-shared-risks"); v != "" {
		c.ApplyLearned = v == "true"
	}
	c.SharedRisks = slices.Clone(c.SharedRisks)
	for r := range n.Entries("shared-risk") {
		risk := correlate.SharedRisk{Name: r.Leaf("name")}
		for m := range r.Entries("member") {
			risk.Members = append(risk.Members, placeFromData(m))
		}
		c.SharedRisks = append(c.SharedRisks, risk)
	}
	c.CoOccurrences = slices.Clone(c.CoOccurrences)
	for r := range n.Entries("co-occurrence") {
		c.CoOccurrences = append(c.CoOccurrences, correlate.CoOccurrence{Name: r.Leaf("name"), Cause: r.Leaf("cause-type"), Effect: r.Leaf("effect-type"),
			Beside: r.Leaf("beside") == "true", Within: time.Duration(number(r.Leaf("within"))) * time.Millisecond})
	}
	c.Calendar = slices.Clone(c.Calendar)
	for r := range n.Entries("calendar-rule") {
		c.Calendar = append(c.Calendar, calendarFromData(r))
	}
	return c
}

// number reads a number that the schema has checked.
func number(s string) int64 {
	v, _ := strconv.ParseInt(s, 10, 64)
	return v
}

func knowledgeFromData(n *data.Node, base *correlate.Knowledge) *correlate.Knowledge {
	if !n.Has("rule") && !n.Has("cause") && !n.Has("weights") {
		return base
	}
	if base == nil {
		base = correlate.DefaultKnowledge()
	}
	k := base.Clone()
	for r := range n.Entries("rule") {
		class, _ := correlate.ParseClass(r.Leaf("class"))
		via, _ := correlate.ParseRelation(r.Leaf("relation"))
		cause, _ := correlate.ParseCause(r.Leaf("cause"))
		k.Set(correlate.Rule{ID: class.String() + "-" + cause.String(), Class: class, Via: via, Cause: cause,
			Weight: int32(number(r.Leaf("weight"))), Root: r.Leaf("root") == "true"})
	}
	for r := range n.Entries("cause") {
		cause, _ := correlate.ParseCause(r.Leaf("name"))
		k.Prior[cause] = int32(number(r.Leaf("prior")))
	}
	weights := n.Child("weights")
	for _, w := range k.Weights() {
		if v := weights.Leaf(w.Name); v != "" {
			*w.Value = int32(number(v))
		}
	}
	return k
}

func placeFromData(n *data.Node) correlate.MarkObject {
	return correlate.MarkObject{Network: n.Leaf("network"), Link: n.Leaf("link"), Node: n.Leaf("node"), Resource: n.Leaf("resource")}
}

func calendarFromData(n *data.Node) correlate.CalendarRule {
	hour, minute, _ := strings.Cut(n.Leaf("start"), ":")
	r := correlate.CalendarRule{Name: n.Leaf("name"), Object: placeFromData(n), Lasts: time.Duration(number(n.Leaf("lasts"))) * time.Minute,
		Start: time.Duration(number(hour))*time.Hour + time.Duration(number(minute))*time.Minute, Slack: 20 * time.Minute}
	if v := n.Leaf("slack"); v != "" {
		r.Slack = time.Duration(number(v)) * time.Minute
	}
	for _, d := range n.Values("weekday") {
		r.Weekdays = append(r.Weekdays, weekday(d))
	}
	return r
}

// weekday reads the enum name of a day.
func weekday(name string) time.Weekday {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if strings.EqualFold(d.String(), name) {
			return d
		}
	}
	return time.Sunday
}

// CorrelatorToData writes what differs from a correlator that is built in, as the
// container correlation of incidentd-correlation.
func CorrelatorToData(s *yang.Schema, c correlate.Config) *data.Node {
	b := data.Build(top(s, "incidentd-correlation", "correlation"))
	timing := b.Container("timing")
	for _, s := range c.Settings() {
		if *s.Value != 0 && *s.Value != s.Default {
			timing.Uint(s.Name, uint64(max(0, *s.Value)/time.Millisecond))
		}
	}
	for _, x := range c.Counts() {
		if *x.Value != 0 && *x.Value != x.Default {
			b.Container(x.Container).Uint(x.Name, uint64(*x.Value))
		}
	}
	for _, t := range c.AlarmTypes {
		b.Entry("alarm-type", t.ID).Text("class", t.Class).Bool("will-clear", t.WillClear).Text("description", t.Description)
	}
	knowledgeToData(b, c.Knowledge)
	learning := b.Container("learning")
	for _, cause := range c.Rhythmic {
		learning.Leaf("rhythmic-cause", cause.String())
	}
	if c.ApplyLearned {
		learning.Bool("apply-shared-risks", true)
	}
	for _, r := range c.SharedRisks {
		risk := b.Entry("shared-risk", r.Name)
		for k, m := range r.Members {
			placeToData(risk.Entry("member", strconv.Itoa(k+1)), &m)
		}
	}
	for k := range c.CoOccurrences {
		pairToData(b.Entry("co-occurrence", c.CoOccurrences[k].Name), &c.CoOccurrences[k])
	}
	for k := range c.Calendar {
		r := &c.Calendar[k]
		rule := b.Entry("calendar-rule", r.Name)
		placeToData(rule, &r.Object)
		rule.Leaf("start", fmt.Sprintf("%02d:%02d", int(r.Start.Hours())%24, int(r.Start.Minutes())%60)).
			Uint("slack", uint64(r.Slack/time.Minute)).Uint("lasts", uint64(r.Lasts/time.Minute))
		for _, d := range r.Weekdays {
			rule.Leaf("weekday", strings.ToLower(d.String()))
		}
	}
	return b.Node()
}

func knowledgeToData(b *data.Builder, k *correlate.Knowledge) {
	if k == nil {
		return
	}
	builtIn := correlate.DefaultKnowledge()
	type key struct {
		class correlate.Class
		via   correlate.Relation
		cause correlate.Cause
	}
	keyOf := func(r correlate.Rule) key { return key{r.Class, r.Via, r.Cause} }
	known := map[key]correlate.Rule{}
	for _, r := range builtIn.Rules {
		known[keyOf(r)] = r
	}
	rule := func(r correlate.Rule) {
		e := b.Entry("rule", r.Class.String(), r.Via.String(), r.Cause.String()).Leaf("weight", strconv.Itoa(int(r.Weight)))
		if r.Root {
			e.Bool("root", true)
		}
	}
	for _, r := range k.Rules {
		if old, ok := known[keyOf(r)]; !ok || old.Weight != r.Weight || old.Root != r.Root {
			rule(r)
		}
		delete(known, keyOf(r))
	}
	for _, r := range builtIn.Rules { // in a fixed order
		if _, gone := known[keyOf(r)]; gone {
			rule(correlate.Rule{Class: r.Class, Via: r.Via, Cause: r.Cause})
		}
	}
	for cause, prior := range k.Prior {
		if prior != builtIn.Prior[cause] {
			b.Entry("cause", correlate.Cause(cause).String()).Leaf("prior", strconv.Itoa(int(prior)))
		}
	}
	weights, old := b.Container("weights"), builtIn.Weights()
	for i, w := range k.Weights() {
		if *w.Value != *old[i].Value {
			weights.Leaf(w.Name, strconv.Itoa(int(*w.Value)))
		}
	}
}

func placeToData(b *data.Builder, o *correlate.MarkObject) {
	b.Text("network", o.Network).Text("link", o.Link).Text("node", o.Node).Text("resource", o.Resource)
}

func pairToData(b *data.Builder, c *correlate.CoOccurrence) {
	b.Leaf("cause-type", c.Cause).Leaf("effect-type", c.Effect)
	if c.Beside {
		b.Bool("beside", true)
	}
	b.Uint("within", uint64(c.Within/time.Millisecond))
}
