package correlate

import (
	"fmt"
	"slices"
	"strings"
)

// Reasoning is what speaks for the root of an incident and against it, besides its
// events.
type Reasoning struct {
	// Weight is how much speaks for the root, in thousandths of a nat.
	Weight int32
	// Missing is evidence that the root should have brought and did not.
	Missing []string
	// Rivals are causes that fit less well, the best first.
	Rivals []Rival
	// Learned are facts besides the rules that had a part in it, each in a sentence: marks,
	// rhythms, shared risks, earlier incidents.
	Learned []string
}

// Rival is a cause that fits less well.
type Rival struct {
	Cause  RootCause
	Weight int32
}

// Reasoning tells what the root of the incident rests on. What holds for
// [Incident.Events] holds for it.
func (c *Incident) Reasoning() Reasoning {
	t := c.told
	if t == nil {
		return Reasoning{}
	}
	r := Reasoning{Weight: t.score, Missing: slices.Clone(t.missing)}
	for _, v := range t.rivals {
		r.Rivals = append(r.Rivals, Rival{v.place, v.score})
	}
	if t.markID != "" {
		r.Learned = append(r.Learned, fmt.Sprintf("The mark %s names the root.", t.markID))
	}
	if t.planned {
		r.Learned = append(r.Learned, "A rule of the calendar says that it is down at this time.")
	}
	if t.days > 0 {
		r.Learned = append(r.Learned, fmt.Sprintf("It was down at this time on %d earlier days.", t.days))
	}
	for _, p := range t.also {
		r.Learned = append(r.Learned, fmt.Sprintf("%s%s fails together with the root, by a shared risk or because an operator said so.", p.CauseName, at(p.Node, p.Resource)))
	}
	for _, rule := range t.coOccurrences() {
		r.Learned = append(r.Learned, fmt.Sprintf("The co-occurrence %s has put events here that no rule explains.", rule))
	}
	if c.RecurrenceOf != 0 {
		r.Learned = append(r.Learned, fmt.Sprintf("inc-%d was the last of %s of the same root.", c.RecurrenceOf, counted(c.Recurrences, "earlier one")))
	}
	return r
}

// Content returns the present content of the raised incident of a number, with what no
// update has told yet. An error wraps [ErrUnknown].
func (e *Engine) Content(no uint64) (*Incident, error) {
	i, err := e.numbered(no)
	if err != nil {
		return nil, err
	}
	return e.content(i), nil
}

// coOccurrences are the names of those that have put events into the incident.
func (t *telling) coOccurrences() (names []string) {
	for k := range t.members {
		if name, ok := strings.CutPrefix(t.members[k].rule, byCoOccurrence); ok && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
