package subscribe_test

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"incidentd/netconf/netconftest"
)

// BenchmarkNotifications publishes in transactions of 100 to 100 sessions, with and
// without a filter. An operation is one notification to one session.
func BenchmarkNotifications(b *testing.B) {
	const sessions, group = 100, 100
	for name, parameters := range map[string]string{
		"all":    "",
		"filter": `<filter><incident-notification xmlns="urn:ietf:params:xml:ns:yang:ietf-incident"><status>raised</status></incident-notification></filter>`,
	} {
		b.Run(name, func(b *testing.B) {
			bench := netconftest.New(b, netconftest.Config{})
			var events []string
			for i := range group {
				events = append(events, fmt.Sprintf(`<incident-notification xmlns="urn:ietf:params:xml:ns:yang:ietf-incident"><incident-id>inc-%d</incident-id><csn>%d</csn>`+
					`<name>interface down</name><type>fault</type><priority>high</priority><status>raised</status><detail>%s</detail></incident-notification>`, i, i, bytes.Repeat([]byte("x"), 500)))
			}
			rounds := max(1, b.N/(sessions*group))
			var readers sync.WaitGroup
			for range sessions {
				_, c := subscribe(b, bench, 0, parameters)
				defer c.Close()
				readers.Go(func() {
					buf := make([]byte, 64<<10)
					have := 0 // bytes at the front that may begin an end of chunks
					for left := rounds * group; left > 0; {
						n, err := c.Read(buf[have:])
						if err != nil {
							b.Error(err)
							return
						}
						left -= bytes.Count(buf[:have+n], []byte("\n##\n"))
						have = copy(buf, buf[max(0, have+n-3):have+n])
					}
				})
			}
			b.ResetTimer()
			for range rounds {
				if err := bench.Publish("incidents", events...); err != nil {
					b.Fatal(err)
				}
			}
			readers.Wait()
			b.StopTimer()
			b.ReportMetric(float64(rounds*group*sessions)/b.Elapsed().Seconds(), "notifications/s")
		})
	}
}
