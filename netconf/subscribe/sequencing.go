package subscribe

import (
	"os"
	"strconv"

	"incidentd/yang/data"
	"incidentd/yang/xmltext"
)

// sequencing is the part of the envelope that tells the sender and a number
// [draft-tgraf-netconf-notif-sequencing section 3], up to that number.
//
// Its module, ietf-notification-sequencing, adds to a structure of ietf-notification, which
// claims the namespace of RFC 5277 that the module notifications has already. One schema
// cannot hold both, so these elements are written without one.
type sequencing string

const sequencingNamespace = "urn:ietf:params:xml:ns:yang:ietf-notification-sequencing"

// sequencingOf is what the configuration asks for; nil for nothing.
func (p *Publisher) sequencingOf(running *data.Node) *sequencing {
	c := running.Get(p.nodes.notifications).Child("sequencing")
	if c == nil {
		return nil
	}
	name := c.Leaf("sys-name")
	if name == "" {
		name = running.Child("system").Leaf("hostname")
	}
	if name == "" {
		name, _ = os.Hostname()
	}
	s := sequencing(`<sysName xmlns="` + sequencingNamespace + `">` + xmltext.Escape(name) + `</sysName>` +
		`<sequenceNumber xmlns="` + sequencingNamespace + `">`)
	return &s
}

// append appends a message with its number, a counter32.
func (s *sequencing) append(b []byte, m *message, number uint64) []byte {
	b = append(append(b, m.text[:m.head]...), *s...)
	b = strconv.AppendUint(b, uint64(uint32(number)), 10)
	b = append(b, "</sequenceNumber>"...)
	return append(b, m.text[m.head:]...)
}
