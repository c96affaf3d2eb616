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

// number appends the messages with their numbers, which are counter32, from the first on.
func (s *sequencing) number(texts [][]byte, messages []*message, first uint64) [][]byte {
	size := 0
	for _, m := range messages {
		size += len(m.text) + len(*s) + len("4294967295</sequenceNumber>")
	}
	b := make([]byte, 0, size)
	for i, m := range messages {
		begin := len(b)
		b = append(append(b, m.text[:m.head]...), *s...)
		b = strconv.AppendUint(b, uint64(uint32(first)+uint32(i)), 10)
		b = append(b, "</sequenceNumber>"...)
		b = append(b, m.text[m.head:]...)
		texts = append(texts, b[begin:len(b):len(b)])
	}
	return texts
}
