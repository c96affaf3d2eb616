package mapping

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// Whatever a message holds, the tables that come with the server make an event of it that
// can be stored.
func FuzzMap(f *testing.F) {
	tables, err := Builtin(schemaOf(f))
	if err != nil {
		f.Fatal(err)
	}
	m, err := New(nil, tables)
	if err != nil {
		f.Fatal(err)
	}
	f.Add("P1", "ospfd", "", "AdjChg: Nbr 10.255.0.3, NbrIP 10.0.23.2 (default) on eth2:10.0.23.1: Full -> Deleted (KillNbr)")
	f.Add("PE1", "", "SNMP_TRAP_LINK_DOWN", "ifIndex 529, ifAdminStatus up(1), ifOperStatus down(2), ifName ge-0/0/3")
	f.Add("", "", "LINK-3-UPDOWN", "Interface Gi0/1, changed state to down")
	f.Add("\xff", "\x00", "\x1b", "é\xc3 \uFFFE")
	f.Fuzz(func(t *testing.T, host, app, id, text string) {
		for _, kind := range []string{"syslog", "alertmanager"} {
			e, outcome := m.Map(&Message{Kind: kind, Host: host, App: app, MsgID: id, Text: text})
			if outcome == Ignored {
				continue
			}
			if e.Node == "" || e.AlarmTypeID == "" || e.Severity == 0 {
				t.Errorf("an event without what it needs: %+v", e)
			}
			for _, s := range []string{e.Node, e.Resource, e.AlarmTypeID, e.AlarmTypeQualifier, e.Text, e.Value, e.Threshold} {
				if !utf8.ValidString(s) || len(s) > 3*mostText || strings.ContainsAny(s, "\x00\x1b\r\uFFFE\uFFFF") {
					t.Errorf("%.100q cannot be stored", s)
				}
			}
		}
	})
}

// A template that is let through fills in whatever there is; others are refused.
func FuzzTemplate(f *testing.F) {
	for _, s := range []string{"", "{host}", "bgp/{node:peer|'none'}", "{{a}}", "}{", "{a|b|'c'}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		parsed, err := parseTemplate(s)
		if err != nil {
			return
		}
		got := parsed.fill(&values{msg: &Message{}, names: &names{}})
		if !strings.ContainsAny(s, "{}") && got != s {
			t.Errorf("%q without values = %q", s, got)
		}
	})
}
