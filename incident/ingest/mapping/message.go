package mapping

import (
	"net/netip"
	"strings"
	"time"

	"incidentd/incident/event"
)

// Message is what a source has received, in the words of the one who sent it. What is
// not known is empty.
type Message struct {
	// Source is the name of the source, Kind the name of its container in the choice
	// kind. The feed fills them in.
	Source, Kind string
	// ID is the message's own, which is the same when it is sent again. Without one each
	// message is an event of its own.
	ID string
	// Peer is who has sent it.
	Peer netip.Addr
	// Time is when it happened by the sender's clock, Arrival when it came.
	Time, Arrival time.Time
	// Host is the name of the system that it is about, as the message has it.
	Host string
	// App and MsgID are the application and the type of message: APP-NAME and MSGID of
	// syslog, the alertname of an alert.
	App, MsgID string
	// OID is that of an SNMP notification, in digits and dots without a leading one.
	OID string
	// Severity is what the message says itself, 0 if nothing. A message that says that
	// it clears does so by whatever rule.
	Severity event.Severity
	// Type, Qualifier and Resource are the alarm that the message says itself to be of,
	// when no rule says otherwise.
	Type, Qualifier, Resource string
	// Observed is what the message is an event of when no rule says it.
	Observed event.Kind
	// Text is for people.
	Text string
	// Fields are all else: labels, structured data, variable bindings.
	Fields []Field
	// Event, unless nil, is the event itself: rules do not see it, its node alone is
	// looked up.
	Event *event.Event
}

// Field is a named value of a Message.
type Field struct{ Name, Value string }

// Field returns the value of the first field of a name, "" without one.
func (m *Message) Field(name string) string {
	for i := range m.Fields {
		if m.Fields[i].Name == name {
			return m.Fields[i].Value
		}
	}
	return ""
}

// system is the name of the system that the message is about: its host or, without one,
// the address that it came from.
func (m *Message) system() string {
	if m.Host == "" && m.Peer.IsValid() {
		return m.Peer.String()
	}
	return m.Host
}

// value is what a name in a rule stands for; false when the message has nothing of the
// name.
func (m *Message) value(name string) (string, bool) {
	switch name {
	case "host":
		return m.Host, m.Host != ""
	case "sender":
		if !m.Peer.IsValid() {
			return "", false
		}
		return m.Peer.String(), true
	case "app-name":
		return m.App, m.App != ""
	case "message-id":
		return m.MsgID, m.MsgID != ""
	case "oid":
		return m.OID, m.OID != ""
	case "text":
		return m.Text, m.Text != ""
	case "source":
		return m.Source, true
	case "source-kind":
		return m.Kind, true
	}
	for i := range m.Fields {
		if m.Fields[i].Name == name {
			return m.Fields[i].Value, true
		}
	}
	return "", false
}

// clean is a string as a leaf can hold it: UTF-8 without the characters that XML does
// not have, no longer than most bytes.
func clean(s string, most int) string {
	if len(s) > most {
		s = s[:most]
		for len(s) > 0 && s[len(s)-1]&0xC0 == 0x80 {
			s = s[:len(s)-1]
		}
		if len(s) > 0 && s[len(s)-1] >= 0xC0 {
			s = s[:len(s)-1]
		}
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c >= 0x7F {
			return strings.Map(legal, strings.ToValidUTF8(s, "\uFFFD"))
		}
	}
	return s
}

// legal is the rune itself if XML has it, and the replacement character if not.
func legal(r rune) rune {
	switch {
	case r == '\t' || r == '\n' || r >= 0x20 && r < 0xD800 || r >= 0xE000 && r < 0xFFFE || r >= 0x10000:
		return r
	case r == '\r':
		return '\n'
	}
	return '\uFFFD'
}
