package netconf

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"incidentd/yang"
	"incidentd/yang/rpcerr"
	"incidentd/yang/xmltext"
)

// Capabilities of the base protocol [RFC 6241 section 8.1].
const (
	Base10 = "urn:ietf:params:netconf:base:1.0"
	Base11 = "urn:ietf:params:netconf:base:1.1"
)

const capability = "urn:ietf:params:netconf:capability:"

// optional are the capabilities that are features of ietf-netconf [RFC 6241
// section 8], with their versions. The url has parameters, and is offered by who
// implements it.
var optional = []struct{ feature, version string }{
	{"writable-running", "1.0"}, {"candidate", "1.0"}, {"confirmed-commit", "1.1"}, {"rollback-on-error", "1.0"},
	{"validate", "1.1"}, {"startup", "1.0"}, {"xpath", "1.0"},
}

// capabilities is what the hello offers: what the schema's features say and the
// handlers do.
func (s *Server) capabilities() []string {
	list := []string{Base10, Base11}
	if m := s.schema.Module("ietf-netconf"); m != nil {
		for _, o := range optional {
			if slices.Contains(m.Features, o.feature) {
				list = append(list, capability+o.feature+":"+o.version)
			}
		}
	}
	if m := s.schema.Module("ietf-netconf-with-defaults"); m != nil && m.Implemented {
		list = append(list, capability+"with-defaults:1.0?basic-mode=explicit&also-supported=report-all,report-all-tagged,trim",
			capability+"with-operational-defaults:1.0?basic-mode=report-all&also-supported=report-all-tagged,trim,explicit")
	}
	if n := s.schema.RPC("ietf-netconf-partial-lock", "partial-lock"); n != nil && s.handlers[n] != nil {
		list = append(list, capability+"partial-lock:1.0")
	}
	if n := s.schema.RPC("notifications", "create-subscription"); n != nil && s.handlers[n] != nil {
		list = append(list, capability+"notification:1.0", capability+"interleave:1.0")
	}
	list = append(list, s.offered...)
	if m := s.schema.Module("ietf-yang-library"); m != nil && m.Implemented {
		list = append(list, capability+"yang-library:1.1?revision="+m.Revision+"&content-id="+s.contentID)
	}
	for _, m := range s.schema.Modules {
		if m.Implemented && !version11.Match(m.Source) {
			list = append(list, moduleCapability(m))
		}
	}
	return list
}

// version11 finds the statement that a module of YANG 1.1 must have. Such modules
// are not announced in the hello [RFC 7950 section 5.6.4].
var version11 = regexp.MustCompile(`(?m)^\s*yang-version\s+["']?1\.1["']?\s*;`)

// moduleCapability announces a module of YANG 1 [RFC 6020 section 5.6.4].
func moduleCapability(m *yang.Module) string {
	c := m.Namespace + "?module=" + url.QueryEscape(m.Name)
	if m.Revision != "" {
		c += "&revision=" + m.Revision
	}
	if len(m.Features) > 0 {
		c += "&features=" + strings.Join(m.Features, ",")
	}
	return c
}

// contentID is a digest of all that the YANG library tells.
func contentID(s *yang.Schema) string {
	h := sha256.New()
	for _, m := range s.Modules {
		fmt.Fprintf(h, "%s %s %s %t %q\n", m.Name, m.Revision, m.Namespace, m.Implemented, m.Features)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func has(list []string, c string) bool { return slices.Contains(list, c) }

func appendHello(b []byte, capabilities []string, id uint32) []byte {
	b = append(b, `<hello xmlns="`+rpcerr.BaseNamespace+`"><capabilities>`...)
	for _, c := range capabilities {
		b = append(xmltext.AppendText(append(b, "<capability>"...), c), "</capability>"...)
	}
	b = append(b, "</capabilities><session-id>"...)
	b = strconv.AppendUint(b, uint64(id), 10)
	return append(b, "</session-id></hello>"...)
}

// parseHello returns the capabilities of a client's hello [RFC 6241 section 8.1].
func parseHello(msg []byte) ([]string, error) {
	e, err := xmltext.ParseElement(msg, xmltext.Limits{})
	if err != nil {
		return nil, err
	}
	if e.Local != "hello" || e.Space != rpcerr.BaseNamespace {
		return nil, fmt.Errorf("it is a <%s> of the namespace %q", e.Local, e.Space)
	}
	var list []string
	seen := false
	for _, c := range e.Children {
		switch {
		case c.Space != rpcerr.BaseNamespace:
			return nil, fmt.Errorf("it has a <%s> of the namespace %q", c.Local, c.Space)
		case c.Local == "session-id":
			return nil, errors.New("it has a session-id, which is the server's to give")
		case c.Local != "capabilities":
			return nil, fmt.Errorf("it has an element <%s>", c.Local)
		case seen:
			return nil, errors.New("it has two <capabilities>")
		}
		seen = true
		for _, x := range c.Children {
			if x.Local != "capability" || x.Space != rpcerr.BaseNamespace || len(x.Children) > 0 {
				return nil, fmt.Errorf("it has a <%s> among its capabilities", x.Local)
			}
			list = append(list, strings.TrimSpace(x.Text))
		}
	}
	if !seen {
		return nil, errors.New("it has no <capabilities>")
	}
	return list, nil
}
