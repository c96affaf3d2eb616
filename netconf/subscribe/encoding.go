package subscribe

import (
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
	"incidentd/yang/xmltext"
)

// Encoding is how the notifications of a subscription are written.
type Encoding uint8

// The encodings [RFC 8639 section 4].
const (
	XML Encoding = iota
	JSON
	encodings
)

// checkEncoding refuses a policy's encoding that nobody here writes.
func checkEncoding(policy *data.Node) error {
	switch name := policy.Leaf("encoding"); name {
	case module + ":encode-xml", module + ":encode-json":
		return nil
	default:
		return Refuse(rpcerr.TagInvalidValue, module+":encoding-unsupported", "notifications are written as encode-xml or encode-json, not as %s", name)
	}
}

// encodingOf is the one that a policy names; without any it is that of the RPCs, XML.
func encodingOf(policy *data.Node) Encoding {
	if policy.Leaf("encoding") == module+":encode-json" {
		return JSON
	}
	return XML
}

// encode writes the element of a notification.
func (e Encoding) encode(n *data.Node) []byte {
	if e == JSON {
		return encodedEvent(n)
	}
	return data.AppendXML(nil, n, "")
}

// encodedEvent is the notification encoded-event of incidentd-notifications: an event
// record as JSON in a message of NETCONF, which is XML.
func encodedEvent(n *data.Node) []byte {
	json := append(data.AppendJSON([]byte{'{'}, n, nil), '}')
	b := append(make([]byte, 0, len(json)+len(json)/2+128), `<encoded-event xmlns="urn:incidentd:yang:notifications"><json>`...)
	return append(xmltext.AppendText(b, string(json)), "</json></encoded-event>"...)
}
