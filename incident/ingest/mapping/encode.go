package mapping

import (
	"net/netip"

	"incidentd/incident/event"
	"incidentd/yang/data"
)

// MessageFromData reads the grouping message of incidentd-mapping in a container.
func MessageFromData(n *data.Node) *Message {
	m := &Message{Source: n.Leaf("source"), Kind: n.Leaf("source-kind"), Host: n.Leaf("host"), App: n.Leaf("app-name"), MsgID: n.Leaf("message-id"),
		OID: n.Leaf("oid"), Text: n.Leaf("text"), Observed: event.Log}
	m.Peer, _ = netip.ParseAddr(n.Leaf("sender")) // absent, or valid
	for f := range n.Entries("field") {
		m.Fields = append(m.Fields, Field{f.Leaf("name"), f.Leaf("value")})
	}
	return m
}

// encode writes the grouping message.
func (m *Message) encode(b *data.Builder) {
	b.Text("source-kind", m.Kind).Text("source", m.Source).Text("host", tidyText(m.Host)).Text("app-name", tidyText(m.App)).
		Text("message-id", tidyText(m.MsgID)).Text("oid", m.OID).Text("text", tidyText(m.Text))
	if m.Peer.IsValid() {
		b.Leaf("sender", m.Peer.String())
	}
	encodeFields(b, "field", m.Fields)
}

// encodeFields writes the first field of each name.
func encodeFields(b *data.Builder, list string, fields []Field) {
	seen := map[string]bool{}
	for _, f := range fields {
		name := clean(f.Name, mostName)
		if name != "" && !seen[name] {
			seen[name] = true
			b.Entry(list, name).Text("value", tidyText(f.Value))
		}
	}
}

// tidyText is a text as a leaf can hold it.
func tidyText(s string) string { return clean(s, mostText) }

// Encode writes the output of test-mapping about a message.
func (x *Explanation) Encode(b *data.Builder, m *Message) {
	b.Leaf("outcome", x.Outcome.String()).Text("table", x.Table).Text("rule", x.Rule)
	m.encode(b.Container("message"))
	encodeFields(b, "capture", x.Captures)
	if x.Outcome == Ignored {
		return
	}
	e := &x.Event
	out := b.Container("event").Text("id", e.ID).Leaf("kind", e.Kind.String()).Leaf("node", e.Node).Leaf("resource", e.Resource).
		Leaf("alarm-type-id", e.AlarmTypeID).Leaf("alarm-type-qualifier", e.AlarmTypeQualifier).Leaf("severity", e.Severity.String()).
		Text("text", e.Text).Text("value", e.Value).Text("threshold", e.Threshold)
	if !e.Time.IsZero() {
		out.Time("time", e.Time.UTC())
	}
}
