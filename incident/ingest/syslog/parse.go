package syslog

import (
	"errors"
	"strings"
	"time"

	"incidentd/incident/event"
	"incidentd/incident/ingest/mapping"
)

// Reasons why a message is not well formed; Parse makes something of it nevertheless.
var (
	ErrPriority   = errors.New("syslog: a message without <PRI>")
	ErrTimestamp  = errors.New("syslog: a TIMESTAMP that is none")
	ErrStructured = errors.New("syslog: STRUCTURED-DATA that is not closed")
	ErrHeader     = errors.New("syslog: a header of RFC 5424 that ends too early")
	ErrEmpty      = errors.New("syslog: an empty message")
)

// severities are those of RFC 5424 as RFC 5674 [section 2] pairs them with perceived
// severities.
var severities = [8]event.Severity{event.Critical, event.Critical, event.Major, event.Minor, event.Warning, event.Indeterminate, event.Indeterminate, event.Indeterminate}

var severityNames = [8]string{"emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug"}

var facilityNames = [24]string{"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
	"ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"}

// Parse reads a message that arrived at a time. Times without a zone are of the given
// location. The error says what is wrong with the message, which holds what could be read
// all the same; it is nil only for ErrEmpty.
func Parse(raw []byte, arrival time.Time, zone *time.Location) (*mapping.Message, error) {
	p := parser{s: strings.TrimRight(string(raw), "\r\n\x00 "), zone: zone, m: &mapping.Message{Arrival: arrival, Observed: event.Log}}
	if p.s == "" {
		return nil, ErrEmpty
	}
	if !p.priority() {
		p.fail(ErrPriority)
	}
	if rest, ok := strings.CutPrefix(p.s, "1 "); ok {
		p.s = rest
		p.rfc5424()
	} else {
		p.bsd()
	}
	p.identify()
	return p.m, p.err
}

// parser reads a message from the front.
type parser struct {
	s    string // what is left
	zone *time.Location
	m    *mapping.Message
	err  error
}

// fail keeps the first thing that is wrong.
func (p *parser) fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

func (p *parser) field(name, value string) {
	p.m.Fields = append(p.m.Fields, mapping.Field{Name: name, Value: value})
}

// priority reads <PRI>.
func (p *parser) priority() bool {
	if p.s[0] != '<' {
		return false
	}
	n, i := 0, 1
	for ; i < len(p.s) && i <= 3 && digit(p.s[i]); i++ {
		n = n*10 + int(p.s[i]-'0')
	}
	if i == 1 || i >= len(p.s) || p.s[i] != '>' || n > 191 {
		return false
	}
	p.s = p.s[i+1:]
	p.m.Fields = make([]mapping.Field, 0, 4)
	p.field("facility", facilityNames[n>>3])
	p.field("severity", severityNames[n&7])
	p.m.Severity = severities[n&7]
	return true
}

// word reads up to the next space, and that.
func (p *parser) word() (string, bool) {
	w, rest, ok := strings.Cut(p.s, " ")
	if !ok && w == "" {
		return "", false
	}
	p.s = rest
	return w, true
}

// rfc5424 reads what follows the version [RFC 5424 section 6].
func (p *parser) rfc5424() {
	var head [5]string
	for i := range head {
		w, ok := p.word()
		if !ok {
			p.fail(ErrHeader)
			break
		}
		if w != "-" {
			head[i] = w
		}
	}
	if head[0] != "" {
		t, err := time.Parse(time.RFC3339Nano, head[0])
		if err != nil {
			p.fail(ErrTimestamp)
		}
		p.m.Time = t
	}
	p.m.Host, p.m.App, p.m.MsgID = head[1], head[2], head[4]
	if head[3] != "" {
		p.field("procid", head[3])
	}
	p.structured()
	p.m.Text = strings.TrimPrefix(p.s, "\uFEFF")
}

// structured reads STRUCTURED-DATA and the space after it [RFC 5424 section 6.3].
func (p *parser) structured() {
	if rest, ok := strings.CutPrefix(p.s, "-"); ok {
		p.s = strings.TrimPrefix(rest, " ")
		return
	}
	for strings.HasPrefix(p.s, "[") {
		whole := p.s
		if !p.element() {
			p.fail(ErrStructured)
			p.s = whole
			return
		}
	}
	p.s = strings.TrimPrefix(p.s, " ")
}

// element reads an SD-ELEMENT.
func (p *parser) element() bool {
	p.s = p.s[1:]
	i := strings.IndexAny(p.s, " ]")
	if i < 0 {
		return false
	}
	id := p.s[:i]
	p.s = p.s[i:]
	for {
		p.s = strings.TrimLeft(p.s, " ")
		if rest, ok := strings.CutPrefix(p.s, "]"); ok {
			p.s = rest
			return true
		}
		name, rest, ok := strings.Cut(p.s, `="`)
		if !ok || name == "" || strings.ContainsAny(name, `] "`) {
			return false
		}
		value, rest, ok := quoted(rest)
		if !ok {
			return false
		}
		p.s = rest
		p.param(id, name, value)
	}
}

// quoted reads a PARAM-VALUE up to the quote that ends it.
func quoted(s string) (value, rest string, ok bool) {
	i := strings.IndexAny(s, `"\`)
	if i >= 0 && s[i] == '"' {
		return s[:i], s[i+1:], true
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return b.String(), s[i+1:], true
		case c == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\' || s[i+1] == ']'):
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", "", false
}

// param takes a parameter of an SD-ELEMENT, which for the element "alarm" says something
// about the alarm [RFC 5674 section 3].
func (p *parser) param(id, name, value string) {
	p.field(name, value)
	if id != "alarm" {
		return
	}
	switch p.m.Observed = event.Alarm; name {
	case "resource":
		p.m.Resource = value
	case "probableCause":
		p.m.Type = value
	case "perceivedSeverity":
		if s, ok := event.ParseSeverity(strings.ToLower(value)); ok {
			p.m.Severity = s
		}
	}
}

// bsd reads what RFC 3164 observed, and its relatives.
func (p *parser) bsd() {
	p.number()
	whole := p.s
	if t, rest, ok := stamp(p.s, p.m.Arrival, p.zone); ok {
		p.m.Time, p.s = t, rest
		// A zone or a colon after the time is Cisco's way, and no host follows.
		if colon := strings.TrimLeft(p.s, " "); strings.HasPrefix(colon, ":") {
			p.s = strings.TrimLeft(colon[1:], " ")
		} else {
			p.s = colon
			p.host()
			p.number()
		}
	} else if !p.lateStamp() {
		p.s = whole
	}
	p.tag()
}

// number leaves out a sequence number, such as "1234: ".
func (p *parser) number() {
	i := 0
	for i < len(p.s) && i < 10 && digit(p.s[i]) {
		i++
	}
	if i > 0 && i < len(p.s) && p.s[i] == ':' {
		p.s = strings.TrimLeft(p.s[i+1:], " ")
	}
}

// lateStamp reads a time that stands behind a host name, a location, or both:
// "pe1: *Nov 22 …", "pe1 LC/0/2/CPU0:Nov 22 …", "RP/0/RSP0/CPU0:Nov 22 …".
func (p *parser) lateStamp() bool {
	for words := 0; words < 2; words++ {
		end := strings.IndexByte(p.s, ' ')
		if end < 0 {
			break
		}
		word := p.s[:end]
		if colon := strings.IndexByte(word, ':'); colon > 0 && colon < end-1 {
			if t, rest, ok := stamp(p.s[colon+1:], p.m.Arrival, p.zone); ok {
				p.field("location", word[:colon])
				p.m.Time, p.s = t, strings.TrimLeft(rest, " :")
				return true
			}
		}
		if words > 0 {
			break
		}
		p.m.Host = strings.TrimSuffix(word, ":")
		p.s = strings.TrimLeft(p.s[end:], " ")
		p.number()
		if t, rest, ok := stamp(p.s, p.m.Arrival, p.zone); ok {
			p.m.Time, p.s = t, strings.TrimLeft(rest, " :")
			return true
		}
	}
	p.m.Host = ""
	return false
}

// host reads the HOSTNAME behind a time. A word that looks like a tag is none: programs
// that log to their own machine leave it out.
func (p *parser) host() {
	end := strings.IndexByte(p.s, ' ')
	if end <= 0 {
		return
	}
	w := p.s[:end]
	if strings.HasSuffix(w, "]:") || w[0] == '%' || strings.HasSuffix(w, ":") && !strings.Contains(w[:end-1], ":") && !strings.HasPrefix(strings.TrimLeft(p.s[end:], " "), "%") {
		return
	}
	if strings.HasSuffix(w, ":") && strings.Count(w, ":") == 1 {
		w = w[:end-1]
	}
	p.m.Host = w
	p.s = strings.TrimLeft(p.s[end:], " ")
}

// tag reads the application and its process: "rpd[1234]: ", "ospfd: ".
func (p *parser) tag() {
	i := 0
	for i < len(p.s) && i < 64 && tagByte(p.s[i]) {
		i++
	}
	rest := p.s[i:]
	switch {
	case i == 0 || p.s[0] == '%':
	case strings.HasPrefix(rest, ":") && (len(rest) == 1 || rest[1] == ' '):
		p.m.App, p.s = p.s[:i], strings.TrimLeft(rest[1:], " ")
	case strings.HasPrefix(rest, "["):
		if end := strings.IndexByte(rest, ']'); end > 0 && end < 64 && strings.HasPrefix(rest[end+1:], ":") {
			p.m.App = p.s[:i]
			p.field("procid", rest[1:end])
			p.s = strings.TrimLeft(rest[end+2:], " ")
		}
	}
	p.m.Text = p.s
}

func tagByte(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || digit(c) || c == '_' || c == '-' || c == '.' || c == '/'
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// identify finds the type of message in the text where the header has none.
func (p *parser) identify() {
	m := p.m
	if capital(m.App) && m.MsgID == "" {
		// The tag of a message whose application is not told.
		m.MsgID, m.App = m.App, ""
		return
	}
	if m.MsgID != "" || len(m.Text) < 4 {
		return
	}
	switch c := m.Text[0]; {
	case c == '%':
		end := strings.IndexAny(m.Text, " :")
		if end > 1 && strings.Count(m.Text[:end], "-") >= 2 {
			m.MsgID = m.Text[1:end]
			m.Text = strings.TrimLeft(m.Text[end:], " :")
		}
	case c == '[' && len(m.Text) > 13 && m.Text[6] == '-' && m.Text[12] == ']':
		// FRRouting: five letters or digits twice.
		m.MsgID = m.Text[1:12]
		m.Text = strings.TrimLeft(m.Text[13:], " ")
		if strings.HasPrefix(m.Text, "[EC ") {
			if code, rest, ok := strings.Cut(m.Text[4:], "] "); ok {
				p.field("error-code", code)
				m.Text = rest
			}
		}
	case c >= 'A' && c <= 'Z':
		if word, rest, ok := strings.Cut(m.Text, ": "); ok && capital(word) {
			m.MsgID, m.Text = word, rest
		}
	}
}

// capital reports whether a word is a type of message as Junos writes it, such as
// SNMP_TRAP_LINK_DOWN.
func capital(w string) bool {
	if len(w) < 5 || len(w) > 64 || strings.IndexByte(w, '_') < 0 {
		return false
	}
	for i := range len(w) {
		if c := w[i]; !(c >= 'A' && c <= 'Z' || digit(c) || c == '_') {
			return false
		}
	}
	return true
}
