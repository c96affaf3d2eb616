package device

import (
	"fmt"
	"strings"
	"time"

	"incidentd/incident/event"
	"incidentd/yang/xmltext"
)

// The namespaces of what is read.
const (
	alarmsNamespace        = "urn:ietf:params:xml:ns:yang:ietf-alarms"
	notificationsNamespace = "urn:ietf:params:xml:ns:netmod:notification"
	envelopeNamespace      = "urn:ietf:params:xml:ns:netconf:notification:1.0"
	baseNamespace          = "urn:ietf:params:xml:ns:netconf:base:1.0"
)

// limits bound what a device may make us hold: 2,000,000 elements are a list of some 200,000
// alarms.
var limits = xmltext.Limits{Elements: 2_000_000}

// key is what tells the alarms of a device apart [RFC 8632 section 3.5].
type key struct{ resource, typeID, qualifier string }

// alarm is the state of an alarm, as the device tells it.
type alarm struct {
	key
	severity event.Severity // event.Cleared when it is over
	text     string
	time     time.Time // when it got into the state
}

// leaf is the text of a child of an element of ietf-alarms.
func leaf(e *xmltext.Element, name string) string {
	if c := e.Child(alarmsNamespace, name); c != nil {
		return strings.TrimSpace(c.Text)
	}
	return ""
}

// common reads what an entry of the list and an alarm-notification share. severity is that
// of the leaf perceived-severity.
func common(e *xmltext.Element) (alarm, error) {
	_, typeID, prefixed := strings.Cut(leaf(e, "alarm-type-id"), ":")
	if !prefixed {
		typeID = leaf(e, "alarm-type-id")
	}
	a := alarm{key: key{leaf(e, "resource"), typeID, leaf(e, "alarm-type-qualifier")}, text: leaf(e, "alarm-text")}
	var ok bool
	switch a.severity, ok = event.ParseSeverity(leaf(e, "perceived-severity")); {
	case a.resource == "":
		return a, fmt.Errorf("an alarm of the type %q without a resource", a.typeID)
	case a.typeID == "":
		return a, fmt.Errorf("an alarm of %s without an alarm-type-id", a.resource)
	case !ok:
		return a, fmt.Errorf("the alarm %s of %s has the perceived-severity %.40q", a.typeID, a.resource, leaf(e, "perceived-severity"))
	}
	return a, nil
}

// stamp reads a leaf that holds a date and time.
func stamp(e *xmltext.Element, name string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, leaf(e, name))
	if err != nil {
		return t, fmt.Errorf("the leaf %s of an alarm: %w", name, err)
	}
	return t, nil
}

// notified reads an alarm-notification [RFC 8632 section 4.8].
func notified(e *xmltext.Element) (alarm, error) {
	a, err := common(e)
	if err == nil {
		a.time, err = stamp(e, "time")
	}
	return a, err
}

// listed reads an entry of the alarm list [RFC 8632 section 4.4]. Its perceived-severity is
// the last one before it was cleared.
func listed(e *xmltext.Element) (alarm, error) {
	a, err := common(e)
	if err != nil {
		return a, err
	}
	when := "last-raised"
	switch over := leaf(e, "is-cleared"); over {
	case "true":
		a.severity, when = event.Cleared, "last-changed"
	case "false":
	default:
		return a, fmt.Errorf("the alarm %s of %s: is-cleared is %.40q", a.typeID, a.resource, over)
	}
	a.time, err = stamp(e, when)
	return a, err
}

// list is the alarm list of a device.
type list struct {
	shown  bool // whether the device has shown one at all
	alarms []alarm
	// changed is when it last changed, by the device's clock, if it tells.
	changed time.Time
	// faults are of the entries that were not understood.
	faults []error
}

// readList reads the reply to a get of the alarm list.
func readList(reply []byte) (list, error) {
	root, err := xmltext.ParseElement(reply, limits)
	if err != nil {
		return list{}, fmt.Errorf("the alarm list: %w", err)
	}
	at := root
	for _, step := range [][2]string{{baseNamespace, "data"}, {alarmsNamespace, "alarms"}, {alarmsNamespace, "alarm-list"}} {
		if at = at.Child(step[0], step[1]); at == nil {
			return list{}, nil
		}
	}
	l := list{shown: true}
	l.changed, _ = stamp(at, "last-changed")
	for _, c := range at.Children {
		if c.Space != alarmsNamespace || c.Local != "alarm" {
			continue
		}
		a, err := listed(c)
		if err != nil {
			l.faults = append(l.faults, err)
			continue
		}
		l.alarms = append(l.alarms, a)
	}
	return l, nil
}

// read reads a notification: the alarm of an alarm-notification, or that the replay is
// complete. All others are nil.
func read(message []byte) (a *alarm, complete bool, err error) {
	root, err := xmltext.ParseElement(message, limits)
	if err != nil {
		return nil, false, err
	}
	if root.Child(notificationsNamespace, "replayComplete") != nil || root.Child(envelopeNamespace, "replayComplete") != nil {
		return nil, true, nil
	}
	e := root.Child(alarmsNamespace, "alarm-notification")
	if e == nil {
		return nil, false, nil
	}
	got, err := notified(e)
	if err != nil {
		return nil, false, err
	}
	return &got, false, nil
}
