package snmp

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gosnmp/gosnmp"

	"incidentd/incident/ingest/mapping"
)

// The OIDs of RFC 3416 section 4.2.6 and of the traps of RFC 3418.
const (
	sysUpTime     = "1.3.6.1.2.1.1.3.0"
	snmpTrapOID   = "1.3.6.1.6.3.1.1.4.1.0"
	standardTraps = "1.3.6.1.6.3.1.1.5."
)

// names are those of the columns and scalars that mappings look at, by their OID.
var names = map[string]string{
	"1.3.6.1.2.1.2.2.1.1":      "ifIndex",
	"1.3.6.1.2.1.2.2.1.2":      "ifDescr",
	"1.3.6.1.2.1.2.2.1.3":      "ifType",
	"1.3.6.1.2.1.2.2.1.7":      "ifAdminStatus",
	"1.3.6.1.2.1.2.2.1.8":      "ifOperStatus",
	"1.3.6.1.2.1.31.1.1.1.1":   "ifName",
	"1.3.6.1.2.1.31.1.1.1.18":  "ifAlias",
	"1.3.6.1.2.1.15.3.1.2":     "bgpPeerState",
	"1.3.6.1.2.1.15.3.1.7":     "bgpPeerRemoteAddr",
	"1.3.6.1.2.1.15.3.1.14":    "bgpPeerLastError",
	"1.3.6.1.2.1.14.1.1":       "ospfRouterId",
	"1.3.6.1.2.1.14.7.1.1":     "ospfIfIpAddress",
	"1.3.6.1.2.1.14.10.1.1":    "ospfNbrIpAddr",
	"1.3.6.1.2.1.14.10.1.3":    "ospfNbrRtrId",
	"1.3.6.1.2.1.14.10.1.6":    "ospfNbrState",
	"1.3.6.1.2.1.47.1.1.1.1.7": "entPhysicalName",
	"1.3.6.1.2.1.1.5":          "sysName",
	"1.3.6.1.6.3.18.1.3":       "snmpTrapAddress",
}

// indexed are columns whose index tells another value: the four last numbers are an
// address of IPv4, or the last one is a number.
var indexed = []struct {
	column, name string
	address      bool
}{
	{"1.3.6.1.2.1.15.3.1.", "bgpPeerRemoteAddr", true},
	{"1.3.6.1.2.1.2.2.1.", "ifIndex", false},
	{"1.3.6.1.2.1.31.1.1.1.", "ifIndex", false},
}

// Read makes a message of a notification.
func Read(p *gosnmp.SnmpPacket, arrival time.Time) *mapping.Message {
	m := &mapping.Message{Arrival: arrival, App: "snmp"}
	if p.PDUType == gosnmp.Trap { // SNMPv1: RFC 3584 section 3.1
		m.OID = strings.TrimPrefix(p.Enterprise, ".") + ".0." + strconv.Itoa(p.SpecificTrap)
		if p.GenericTrap >= 0 && p.GenericTrap < 6 {
			m.OID = standardTraps + strconv.Itoa(p.GenericTrap+1)
		}
		m.Host = p.AgentAddress
		if m.Host == "0.0.0.0" {
			m.Host = ""
		}
	}
	var text []string
	for _, v := range p.Variables {
		oid := strings.TrimPrefix(v.Name, ".")
		value := valueOf(v)
		switch oid {
		case sysUpTime:
			continue
		case snmpTrapOID:
			m.OID = strings.TrimPrefix(value, ".")
			continue
		}
		name := nameOf(oid)
		switch name {
		case "sysName", "snmpTrapAddress":
			m.Host = value
		}
		m.Fields = append(m.Fields, mapping.Field{Name: name, Value: value})
		text = append(text, name+" = "+value)
	}
	for _, v := range p.Variables {
		index(m, strings.TrimPrefix(v.Name, "."))
	}
	m.MsgID = m.OID
	m.Text = "SNMP " + m.OID
	if len(text) > 0 {
		m.Text += ": " + strings.Join(text, ", ")
	}
	return m
}

// nameOf is the name of a variable, without its instance, or its OID.
func nameOf(oid string) string {
	for at := len(oid); at > 0; at = strings.LastIndexByte(oid[:at], '.') {
		if name, ok := names[oid[:at]]; ok {
			return name
		}
	}
	return oid
}

// index adds what the index of a variable tells, unless a variable tells it itself.
func index(m *mapping.Message, oid string) {
	for _, c := range indexed {
		rest, ok := strings.CutPrefix(oid, c.column)
		if !ok || m.Field(c.name) != "" {
			continue
		}
		parts := strings.Split(rest, ".")
		switch {
		case c.address && len(parts) == 5:
			m.Fields = append(m.Fields, mapping.Field{Name: c.name, Value: strings.Join(parts[1:], ".")})
		case !c.address && len(parts) == 2:
			m.Fields = append(m.Fields, mapping.Field{Name: c.name, Value: parts[1]})
		}
	}
}

// valueOf is the value of a variable as text: octets that are no text in hexadecimal.
func valueOf(v gosnmp.SnmpPDU) string {
	switch x := v.Value.(type) {
	case []byte:
		if utf8.Valid(x) && !strings.ContainsFunc(string(x), func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r' }) {
			return string(x)
		}
		return hex.EncodeToString(x)
	case string:
		if v.Type == gosnmp.ObjectIdentifier {
			return strings.TrimPrefix(x, ".")
		}
		return x
	case nil:
		return ""
	default:
		return fmt.Sprint(x)
	}
}
