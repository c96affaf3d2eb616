package syslog_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"incidentd/incident/ingest/ingesttest"
	"incidentd/incident/ingest/mapping"
	"incidentd/incident/ingest/syslog"
)

// BenchmarkMap makes an event of a message: of one that a rule fits, and one that none
// does, with the tables that come with the server, and with 500 rules more.
func BenchmarkMap(b *testing.B) {
	var more strings.Builder
	for i := range 500 {
		fmt.Fprintf(&more, `<rule><name>r%d</name><match><text>Component-%d (?P&lt;part&gt;\S+) has (failed|recovered)</text></match><event><resource>{part}</resource><alarm-type-id>t%d</alarm-type-id></event></rule>`, i, i, i)
	}
	lines := map[string]string{
		"fits": "<29>Nov 22 06:59:58 P1 ospfd[1362]: [Y05P2-YJVXY] AdjChg: Nbr 10.255.0.3, NbrIP 10.0.23.2 (default) on eth2:10.0.23.1: Full -> Deleted (KillNbr)",
		"none": "<30>Nov 22 07:00:16 PE1 sshd[4300]: Failed password for root from 198.51.100.7 port 50022 ssh2: connection closed by peer after authentication",
	}
	for name, config := range map[string]string{"shipped": "", "shipped+500": `<mapping xmlns="urn:incidentd:yang:mapping"><table><name>more</name>` + more.String() + `</table></mapping>`} {
		m := ingesttest.Mapper(b, config)
		for _, kind := range []string{"fits", "none"} {
			b.Run(name+"/"+kind, func(b *testing.B) {
				msg, err := syslog.Parse([]byte(lines[kind]), arrived, time.UTC)
				if err != nil {
					b.Fatal(err)
				}
				msg.Kind = "syslog"
				b.ReportAllocs()
				for b.Loop() {
					if _, outcome := m.Map(msg); (outcome == mapping.Mapped) != (kind == "fits") {
						b.Fatal(outcome)
					}
				}
			})
		}
	}
}
