package client

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/beevik/etree"

	"incidentd/yang/rpcerr"
)

// Namespaces of messages.
const (
	baseNamespace         = rpcerr.BaseNamespace
	notificationNamespace = "urn:ietf:params:xml:ns:netconf:notification:1.0"
)

// Reply is an <rpc-reply>. It is immutable and safe for concurrent use, but for
// the document, which is the caller's to guard.
type Reply struct {
	// Raw is the whole message.
	Raw []byte

	// Warnings are its rpc-errors with the severity warning, which do not make it
	// an error.
	Warnings rpcerr.Errors

	err error
	doc func() (*etree.Document, error)
}

// newReply looks for errors in a reply. A reply without any is not parsed.
func newReply(raw []byte) (*Reply, error) {
	r := &Reply{Raw: raw, doc: parser(raw)}
	if !bytes.Contains(raw, []byte("rpc-error")) {
		return r, nil
	}
	doc, err := r.doc()
	if err != nil {
		return nil, fmt.Errorf("%w: a reply that is not XML: %w", ErrProtocol, err)
	}
	var errs rpcerr.Errors
	for _, el := range doc.Root().ChildElements() {
		if el.Tag != "rpc-error" || el.NamespaceURI() != baseNamespace {
			continue
		}
		if e, warning := decodeError(el); warning {
			r.Warnings = append(r.Warnings, e)
		} else {
			errs = append(errs, e)
		}
	}
	r.err = errs.Err()
	return r, nil
}

// Doc parses the reply; the work is done once.
func (r *Reply) Doc() (*etree.Document, error) { return r.doc() }

// Data is the <data> element of a reply to get, get-config, get-data or
// get-schema.
func (r *Reply) Data() (*etree.Element, error) {
	doc, err := r.doc()
	if err != nil {
		return nil, fmt.Errorf("%w: a reply that is not XML: %w", ErrProtocol, err)
	}
	for _, el := range doc.Root().ChildElements() {
		if el.Tag == "data" {
			return el, nil
		}
	}
	return nil, fmt.Errorf("%w: a reply without data", ErrProtocol)
}

// Notification is a <notification> [RFC 5277 section 4].
type Notification struct {
	// EventTime is when the event happened, the zero time if the server has sent
	// something else than a date and time.
	EventTime time.Time
	// Raw is the whole message.
	Raw []byte

	doc func() (*etree.Document, error)
}

func newNotification(raw []byte, eventTime time.Time) *Notification {
	return &Notification{EventTime: eventTime, Raw: raw, doc: parser(raw)}
}

// Doc parses the notification; the work is done once.
func (n *Notification) Doc() (*etree.Document, error) { return n.doc() }

// Event is the element beside eventTime and the sequence number: the notification itself.
func (n *Notification) Event() (*etree.Element, error) {
	doc, err := n.doc()
	if err != nil {
		return nil, fmt.Errorf("%w: a notification that is not XML: %w", ErrProtocol, err)
	}
	for _, el := range doc.Root().ChildElements() {
		space := el.NamespaceURI()
		if space != sequencingNamespace && (el.Tag != "eventTime" || space != notificationNamespace) {
			return el, nil
		}
	}
	return nil, fmt.Errorf("%w: an empty notification", ErrProtocol)
}

// sequencingNamespace is that of the sender and the number in an envelope.
const sequencingNamespace = "urn:ietf:params:xml:ns:yang:ietf-notification-sequencing"

// Sequence is the sender of the notification and its sequenceNumber; false when the server
// sends none [draft-tgraf-netconf-notif-sequencing section 3].
func (n *Notification) Sequence() (sysName string, number uint32, ok bool) {
	doc, err := n.doc()
	if err != nil {
		return "", 0, false
	}
	for _, el := range doc.Root().ChildElements() {
		if el.NamespaceURI() != sequencingNamespace {
			continue
		}
		switch el.Tag {
		case "sysName":
			sysName = el.Text()
		case "sequenceNumber":
			v, err := strconv.ParseUint(strings.TrimSpace(el.Text()), 10, 32)
			number, ok = uint32(v), err == nil
		}
	}
	return sysName, number, ok
}

func parser(raw []byte) func() (*etree.Document, error) {
	return sync.OnceValues(func() (*etree.Document, error) {
		doc := etree.NewDocument()
		doc.ReadSettings.ValidateInput = true
		if err := doc.ReadFromBytes(raw); err != nil {
			return nil, err
		}
		return doc, nil
	})
}

// envelope is what the reader has to know of a message.
type envelope struct {
	notification bool
	eventTime    time.Time
	messageID    string
	hasID        bool
}

// decodeEnvelope reads the beginning of a message, not more than it needs.
func decodeEnvelope(msg []byte) (envelope, error) {
	d := xml.NewDecoder(bytes.NewReader(msg))
	root, err := nextStart(d)
	if err != nil {
		return envelope{}, fmt.Errorf("%w: a message that is not XML: %w", ErrProtocol, err)
	}
	var env envelope
	switch root.Name {
	case xml.Name{Space: baseNamespace, Local: "rpc-reply"}:
		for _, a := range root.Attr {
			if a.Name.Space == "" && a.Name.Local == "message-id" {
				env.messageID, env.hasID = a.Value, true
			}
		}
		return env, nil
	case xml.Name{Space: notificationNamespace, Local: "notification"}:
		env.notification = true
		el, err := nextStart(d)
		if err == nil && el.Name == (xml.Name{Space: notificationNamespace, Local: "eventTime"}) {
			var text string
			if d.DecodeElement(&text, &el) == nil {
				// Zero if it is something else, as EventTime says.
				env.eventTime, _ = time.Parse(time.RFC3339Nano, strings.TrimSpace(text))
			}
		}
		return env, nil
	}
	return envelope{}, fmt.Errorf("%w: a message <%s> of the namespace %q", ErrProtocol, root.Name.Local, root.Name.Space)
}

// nextStart reads to the next start element.
func nextStart(d *xml.Decoder) (xml.StartElement, error) {
	for {
		t, err := d.Token()
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return xml.StartElement{}, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			return t, nil
		case xml.Directive:
			return xml.StartElement{}, fmt.Errorf("a document type declaration")
		}
	}
}

// hello is a server's.
type hello struct {
	sessionID    uint32
	capabilities []string
}

func decodeHello(msg []byte) (hello, error) {
	var x struct {
		XMLName      xml.Name `xml:"urn:ietf:params:xml:ns:netconf:base:1.0 hello"`
		Capabilities []string `xml:"capabilities>capability"`
		SessionID    *string  `xml:"session-id"`
	}
	if err := xml.Unmarshal(msg, &x); err != nil {
		return hello{}, fmt.Errorf("%w: not a hello: %w", ErrProtocol, err)
	}
	if x.SessionID == nil {
		return hello{}, fmt.Errorf("%w: a hello without session-id", ErrProtocol)
	}
	id, err := strconv.ParseUint(strings.TrimSpace(*x.SessionID), 10, 32)
	if err != nil || id == 0 {
		return hello{}, fmt.Errorf("%w: a hello with the session-id %q", ErrProtocol, *x.SessionID)
	}
	h := hello{sessionID: uint32(id)}
	for _, c := range x.Capabilities {
		h.capabilities = append(h.capabilities, strings.TrimSpace(c))
	}
	return h, nil
}

func appendHello(b []byte, capabilities []string) []byte {
	b = append(b, `<hello xmlns="`+baseNamespace+`"><capabilities>`...)
	for _, c := range capabilities {
		b = append(b, "<capability>"...)
		b = appendText(b, c)
		b = append(b, "</capability>"...)
	}
	return append(b, "</capabilities></hello>"...)
}

// appendText appends text or an attribute's value.
func appendText(b []byte, text string) []byte {
	var buf bytes.Buffer
	xml.EscapeText(&buf, []byte(text)) // a bytes.Buffer does not fail
	return append(b, buf.Bytes()...)
}
