package main

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/beevik/etree"
)

// Namespaces of the modules that the server speaks of incidents with.
const (
	nsIncident  = "urn:ietf:params:xml:ns:yang:ietf-incident"
	nsAddition  = "urn:incidentd:yang:incident"
	nsEvents    = "urn:incidentd:yang:events"
	nsCollector = "urn:incidentd:yang:collector"
)

// modules names the module of a namespace that an identity may come from; its values
// are the prefixes of identities in JSON [RFC 7951 section 6.8].
var modules = map[string]string{
	"urn:ietf:params:xml:ns:yang:ietf-incident-types": "ietf-incident-types",
	"urn:ietf:params:xml:ns:yang:ietf-alarms":         "ietf-alarms",
	"urn:incidentd:yang:alarm-types":                  "incidentd-alarm-types",
	nsIncident:                                        "ietf-incident",
}

// incident is an incident as a client sees it. Encoded by encoding/json it is the JSON
// of RFC 7951 inside a parent of ietf-incident.
type incident struct {
	ID               string     `json:"incident-id,omitempty"`
	CSN              string     `json:"csn,omitempty"`
	ServiceInstances []string   `json:"service-instance,omitempty"`
	Name             string     `json:"name,omitempty"`
	Type             string     `json:"type,omitempty"`
	Domain           string     `json:"domain,omitempty"`
	Priority         string     `json:"priority,omitempty"`
	Status           string     `json:"status,omitempty"`
	AckStatus        string     `json:"ack-status,omitempty"`
	Category         string     `json:"category,omitempty"`
	Detail           string     `json:"detail,omitempty"`
	ResolveAdvice    string     `json:"resolve-advice,omitempty"`
	Sources          *sources   `json:"sources,omitempty"`
	RootCauses       *causes    `json:"root-causes,omitempty"`
	RootEvents       *refs      `json:"root-events,omitempty"`
	Events           *eventList `json:"events,omitempty"`
	RaiseTime        string     `json:"raise-time,omitempty"`
	OccurTime        string     `json:"occur-time,omitempty"`
	ClearTime        string     `json:"clear-time,omitempty"`
	AckTime          string     `json:"ack-time,omitempty"`
	LastUpdated      string     `json:"last-updated,omitempty"`
	Time             string     `json:"time,omitempty"` // of a notification alone
	Explanation      string     `json:"incidentd-incident:explanation,omitempty"`
	Labels           []string   `json:"incidentd-incident:label,omitempty"`
	Ticket           *bool      `json:"incidentd-incident:ticket,omitempty"`
	MergedInto       string     `json:"incidentd-incident:merged-into,omitempty"`
	AckUser          string     `json:"incidentd-incident:ack-user,omitempty"`

	Impact       []serviceImpact `json:"incidentd-incident:service-impact,omitempty"`
	RecurrenceOf string          `json:"incidentd-incident:recurrence-of,omitempty"`
	Recurrences  json.Number     `json:"incidentd-incident:recurrences,omitempty"`
	History      []pastStep      `json:"incidentd-incident:history,omitempty"`
	Comments     []comment       `json:"incidentd-incident:comment,omitempty"`
}

// pastStep is an entry of an incident's history.
type pastStep struct {
	Number json.Number `json:"number"`
	Time   string      `json:"time"`
	Action string      `json:"action"`
	User   string      `json:"user,omitempty"`
	Detail string      `json:"detail,omitempty"`
}

type comment struct {
	Number json.Number `json:"number"`
	Time   string      `json:"time"`
	User   string      `json:"user"`
	Text   string      `json:"text"`
}

type (
	sources struct {
		Source []source `json:"source"`
	}
	causes struct {
		RootCause []cause `json:"root-cause"`
	}
	refs struct {
		RootEvent []eventRef `json:"root-event"`
	}
	eventList struct {
		Event []eventEntry `json:"event"`
	}
)

type source struct {
	Node     string     `json:"node"`
	Resource []resource `json:"resource,omitempty"`
}

type resource struct {
	Name      string `json:"name"`
	CauseName string `json:"cause-name,omitempty"`
	Detail    string `json:"detail,omitempty"`
}

// cause is a root cause: a node or parts of it.
type cause struct {
	Node      string     `json:"node"`
	Resource  []resource `json:"resource,omitempty"`
	CauseName string     `json:"cause-name,omitempty"`
	Detail    string     `json:"detail,omitempty"`
}

type eventRef struct {
	Type string `json:"type"`
	ID   string `json:"event-id"`
}

type eventEntry struct {
	Type    string       `json:"type"`
	ID      string       `json:"event-id"`
	Alarm   *alarmKey    `json:"alarm,omitempty"`
	Detail  *eventDetail `json:"incidentd-incident:detail,omitempty"`
	KPI     *measure     `json:"incidentd-incident:kpi,omitempty"`
	Symptom *measure     `json:"incidentd-incident:symptom,omitempty"`
}

type alarmKey struct {
	Resource  string `json:"resource,omitempty"`
	Type      string `json:"alarm-type-id,omitempty"`
	Qualifier string `json:"alarm-type-qualifier"`
}

type measure struct {
	Value     string `json:"value,omitempty"`
	Threshold string `json:"threshold,omitempty"`
}

type eventDetail struct {
	Kind      string `json:"kind,omitempty"`
	Node      string `json:"node,omitempty"`
	Resource  string `json:"resource,omitempty"`
	Type      string `json:"alarm-type-id,omitempty"`
	Qualifier string `json:"alarm-type-qualifier,omitempty"`
	Severity  string `json:"severity,omitempty"`
	Cleared   *bool  `json:"cleared,omitempty"`
	Time      string `json:"time,omitempty"`
	Arrival   string `json:"arrival,omitempty"`
	Text      string `json:"text,omitempty"`
	TraceID   string `json:"trace-id,omitempty"`
	Role      string `json:"role,omitempty"`
	Reason    string `json:"reason,omitempty"`
}

// open reports whether the incident is not over.
func (i *incident) open() bool { return i.Status != "cleared" }

// acknowledged reports whether a client has taken note of it.
func (i *incident) acknowledged() bool { return i.AckStatus == "acknowledged" }

// changed is when it changed last, as far as is known.
func (i *incident) changed() time.Time {
	for _, s := range []string{i.Time, i.LastUpdated, i.ClearTime, i.RaiseTime} {
		if t := parseTime(s); !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

// rootCauses lists the causes as "node resource: cause", the first of them the best.
func (i *incident) rootCauses() (list []string) {
	if i.RootCauses == nil {
		return nil
	}
	for _, c := range i.RootCauses.RootCause {
		if len(c.Resource) == 0 {
			list = append(list, place(c.Node, "", c.CauseName))
		}
		for _, r := range c.Resource {
			name := r.CauseName
			if name == "" {
				name = c.CauseName
			}
			list = append(list, place(c.Node, r.Name, name))
		}
	}
	return list
}

func place(node, resource, cause string) string {
	s := node
	if resource != "" {
		s += " " + resource
	}
	if cause != "" {
		s += ": " + cause
	}
	return s
}

// roots is the set of the root events.
func (i *incident) roots() map[eventRef]bool {
	set := map[eventRef]bool{}
	if i.RootEvents != nil {
		for _, r := range i.RootEvents.RootEvent {
			set[r] = true
		}
	}
	return set
}

// parseTime reads a yang:date-and-time; the zero time where it is none.
func parseTime(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}
	}
	return t
}

// decodeIncidents reads the incidents of a <data> element.
func decodeIncidents(data *etree.Element) (list []incident) {
	for _, top := range children(data, nsIncident, "incidents") {
		for _, e := range children(top, nsIncident, "incident") {
			list = append(list, decodeIncident(e))
		}
	}
	return list
}

// decodeIncident reads a list entry incident or an incident-notification.
func decodeIncident(e *etree.Element) incident {
	text := func(name string) string { return leaf(e, nsIncident, name) }
	own := func(name string) string { return leaf(e, nsAddition, name) }
	i := incident{
		ID: text("incident-id"), CSN: text("csn"), ServiceInstances: leafList(e, nsIncident, "service-instance"),
		Name: text("name"), Type: text("type"), Domain: identity(e, "domain"), Priority: text("priority"),
		Status: text("status"), AckStatus: text("ack-status"), Category: identity(e, "category"),
		Detail: text("detail"), ResolveAdvice: text("resolve-advice"),
		RaiseTime: text("raise-time"), OccurTime: text("occur-time"), ClearTime: text("clear-time"),
		AckTime: text("ack-time"), LastUpdated: text("last-updated"), Time: text("time"),
		Explanation: own("explanation"), Labels: leafList(e, nsAddition, "label"), MergedInto: own("merged-into"), AckUser: own("ack-user"),
		Ticket: boolean(own("ticket")), Impact: decodeImpact(e, nsAddition), RecurrenceOf: own("recurrence-of"), Recurrences: json.Number(own("recurrences")),
	}
	for _, h := range children(e, nsAddition, "history") {
		text := func(name string) string { return leaf(h, nsAddition, name) }
		i.History = append(i.History, pastStep{json.Number(text("number")), text("time"), text("action"), text("user"), text("detail")})
	}
	for _, c := range children(e, nsAddition, "comment") {
		text := func(name string) string { return leaf(c, nsAddition, name) }
		i.Comments = append(i.Comments, comment{json.Number(text("number")), text("time"), text("user"), text("text")})
	}
	for _, c := range children(e, nsIncident, "sources") {
		i.Sources = &sources{}
		for _, s := range children(c, nsIncident, "source") {
			i.Sources.Source = append(i.Sources.Source, source{leaf(s, nsIncident, "node"), decodeResources(s)})
		}
	}
	for _, c := range children(e, nsIncident, "root-causes") {
		i.RootCauses = &causes{}
		for _, s := range children(c, nsIncident, "root-cause") {
			i.RootCauses.RootCause = append(i.RootCauses.RootCause, cause{
				leaf(s, nsIncident, "node"), decodeResources(s), leaf(s, nsIncident, "cause-name"), leaf(s, nsIncident, "detail"),
			})
		}
	}
	for _, c := range children(e, nsIncident, "root-events") {
		i.RootEvents = &refs{}
		for _, s := range children(c, nsIncident, "root-event") {
			i.RootEvents.RootEvent = append(i.RootEvents.RootEvent, eventRef{leaf(s, nsIncident, "type"), leaf(s, nsIncident, "event-id")})
		}
	}
	for _, c := range children(e, nsIncident, "events") {
		i.Events = &eventList{}
		for _, s := range children(c, nsIncident, "event") {
			i.Events.Event = append(i.Events.Event, decodeEvent(s))
		}
	}
	return i
}

func decodeResources(e *etree.Element) (list []resource) {
	for _, r := range children(e, nsIncident, "resource") {
		list = append(list, resource{leaf(r, nsIncident, "name"), leaf(r, nsIncident, "cause-name"), leaf(r, nsIncident, "detail")})
	}
	return list
}

func decodeEvent(e *etree.Element) eventEntry {
	out := eventEntry{Type: leaf(e, nsIncident, "type"), ID: leaf(e, nsIncident, "event-id")}
	for _, a := range children(e, nsIncident, "alarm") {
		out.Alarm = &alarmKey{leaf(a, nsIncident, "resource"), identity(a, "alarm-type-id"), leaf(a, nsIncident, "alarm-type-qualifier")}
	}
	for _, d := range children(e, nsAddition, "detail") {
		own := func(name string) string { return leaf(d, nsAddition, name) }
		out.Detail = &eventDetail{
			Kind: own("kind"), Node: own("node"), Resource: own("resource"), Type: own("alarm-type-id"),
			Qualifier: own("alarm-type-qualifier"), Severity: own("severity"), Cleared: boolean(own("cleared")),
			Time: own("time"), Arrival: own("arrival"), Text: own("text"), TraceID: own("trace-id"),
			Role: own("role"), Reason: own("reason"),
		}
	}
	out.KPI = decodeMeasure(e, "kpi")
	out.Symptom = decodeMeasure(e, "symptom")
	return out
}

func decodeMeasure(e *etree.Element, name string) *measure {
	for _, m := range children(e, nsAddition, name) {
		return &measure{leaf(m, nsAddition, "value"), leaf(m, nsAddition, "threshold")}
	}
	return nil
}

// children returns the child elements of a qualified name.
func children(e *etree.Element, space, name string) (list []*etree.Element) {
	if e == nil {
		return nil
	}
	for _, c := range e.ChildElements() {
		if c.Tag == name && c.NamespaceURI() == space {
			list = append(list, c)
		}
	}
	return list
}

func leaf(e *etree.Element, space, name string) string {
	for _, c := range children(e, space, name) {
		return c.Text()
	}
	return ""
}

func leafList(e *etree.Element, space, name string) (list []string) {
	for _, c := range children(e, space, name) {
		list = append(list, c.Text())
	}
	return list
}

func boolean(s string) *bool {
	if s == "" {
		return nil
	}
	b := s == "true"
	return &b
}

// identity reads an identityref as module:name, or as it stands when its prefix is
// bound to no module known here.
func identity(e *etree.Element, name string) string { return identityIn(e, nsIncident, name) }

// identityIn is identity for a leaf of another namespace.
func identityIn(e *etree.Element, space, name string) string {
	for _, c := range children(e, space, name) {
		v := strings.TrimSpace(c.Text())
		prefix, local, ok := strings.Cut(v, ":")
		if !ok {
			prefix, local = "", v
		}
		if m, known := modules[namespace(c, prefix)]; known {
			return m + ":" + local
		}
		return v
	}
	return ""
}

// namespace returns what a prefix is bound to at an element.
func namespace(e *etree.Element, prefix string) string {
	for ; e != nil; e = e.Parent() {
		for _, a := range e.Attr {
			if prefix == "" && a.Space == "" && a.Key == "xmlns" || prefix != "" && a.Space == "xmlns" && a.Key == prefix {
				return a.Value
			}
		}
	}
	return ""
}

// local is the name of an identity without its module.
func local(identity string) string {
	return identity[strings.LastIndexByte(identity, ':')+1:]
}

// newestFirst sorts by the time of raising, and by id where that is the same.
func newestFirst(list []incident) {
	slices.SortStableFunc(list, func(a, b incident) int {
		if c := parseTime(b.RaiseTime).Compare(parseTime(a.RaiseTime)); c != 0 {
			return c
		}
		return compareIDs(b.ID, a.ID)
	})
}

// compareIDs orders ids by their length first, so that inc-9 comes before inc-10.
func compareIDs(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}
