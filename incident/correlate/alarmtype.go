package correlate

import "incidentd/incident/event"

// alarmType is an alarm-type-id with its qualifier, once for all alarms that bear it.
type alarmType struct {
	id, qualifier string
	class         Class // by the words of the id or the inventory; Other if they tell nothing
	lasting       bool  // a clear is to be expected, by the inventory
	listed        bool  // the inventory has it
}

type typeKey struct{ id, qualifier string }

// typeOf returns the type of a name.
func (e *Engine) typeOf(id, qualifier string) *alarmType {
	k := typeKey{id, qualifier}
	if t, ok := e.types[k]; ok {
		return t
	}
	t := &alarmType{id: id, qualifier: qualifier}
	e.judgeType(t)
	e.types[k] = t
	return t
}

// judgeType finds what is known of a type.
func (e *Engine) judgeType(t *alarmType) {
	id := t.id
	if t.qualifier != "" {
		t.class, t.lasting, t.listed = e.typeOf(id, "").known()
	} else {
		t.class, t.lasting, t.listed = meaning(id), false, false
		if line := e.inventory[id]; line != nil {
			t.listed, t.lasting = true, line.WillClear
			if c, ok := ParseClass(line.Class); ok {
				t.class = c
			} else if t.class == Other {
				t.class = meaning(line.Description)
			}
		}
	}
}

func (t *alarmType) known() (Class, bool, bool) { return t.class, t.lasting, t.listed }

// classOf returns the class of an event: by its type's name, by the inventory's words
// on the type, by its text, in this order.
func (e *Engine) classOf(t *alarmType, ev *event.Event) Class {
	c := t.class
	if c == Other && ev.Text != "" {
		c = e.meaningOfText(ev.Text)
	}
	return kindClass(c, ev)
}

// mostTexts bounds the texts whose meaning is kept.
const mostTexts = 4096

// meaningOfText is the meaning of a text, which is looked into once while it is fresh in
// memory.
func (e *Engine) meaningOfText(text string) Class {
	if c, ok := e.texts[text]; ok {
		return c
	}
	c := meaning(text)
	if len(e.texts) >= mostTexts {
		clear(e.texts)
	}
	e.texts[text] = c
	return c
}

// weightOf returns the severity that decisions go by: one that the reporter left open
// counts as major where the class is known.
func weightOf(s event.Severity, c Class) event.Severity {
	if s > event.Indeterminate {
		return s
	}
	if c == Other {
		return event.Minor
	}
	return event.Major
}
