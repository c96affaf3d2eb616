package ops_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"incidentd/datastore"
	"incidentd/netconf/netconftest"
	"incidentd/yang/data"
)

const incidentPrefix = ` xmlns:i="urn:ietf:params:xml:ns:yang:ietf-incident"`

// askAll sends an operation again and again, and reports the speed of the replies.
func askAll(b *testing.B, p *netconftest.Peer, op func(i int) string, good func(reply string) bool) {
	b.Helper()
	for i := 0; b.Loop(); i++ {
		m, err := p.Ask(rpc(op(i)))
		if err != nil || !good(m) {
			b.Fatalf("%.300s, %v", m, err)
		}
		b.SetBytes(int64(len(m)))
	}
}

func BenchmarkGetOneOf100000XPath(b *testing.B) {
	bench := netconftest.New(b, netconftest.Config{})
	fill(b, bench, 100_000)
	askAll(b, open(b, bench), func(i int) string {
		return fmt.Sprintf(`<get><filter type="xpath"`+incidentPrefix+` select="/i:incidents/i:incident[i:incident-id='inc-%d']"/></get>`, i*7919%100_000)
	}, func(m string) bool { return strings.Contains(m, "<incident-id>") && len(m) < 1000 })
}

// BenchmarkScan100000XPath looks at a leaf of each entry.
func BenchmarkScan100000XPath(b *testing.B) {
	bench := netconftest.New(b, netconftest.Config{})
	fill(b, bench, 100_000)
	askAll(b, open(b, bench), func(i int) string {
		return fmt.Sprintf(`<get><filter type="xpath"`+incidentPrefix+` select="/i:incidents/i:incident[i:csn='%d']"/></get>`, i*7919%100_000)
	}, func(m string) bool { return strings.Contains(m, "<incident-id>") && len(m) < 1000 })
}

// BenchmarkDefaults writes 10,000 entries of which three leafs have the default in each
// mode.
func BenchmarkDefaults(b *testing.B) {
	bench := netconftest.New(b, netconftest.Config{})
	fill(b, bench, 10_000)
	p := open(b, bench)
	for _, mode := range []string{"explicit", "report-all", "report-all-tagged", "trim"} {
		b.Run(mode, func(b *testing.B) {
			askAll(b, p, func(int) string {
				return `<get><filter><incidents xmlns="urn:ietf:params:xml:ns:yang:ietf-incident"/></filter><with-defaults xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-with-defaults">` + mode + `</with-defaults></get>`
			}, func(m string) bool { return len(m) > 1<<20 })
		})
	}
}

// BenchmarkPage reads 100 of 100,000 entries, from anywhere.
func BenchmarkPage(b *testing.B) {
	bench := netconftest.New(b, netconftest.Config{})
	fill(b, bench, 100_000)
	p := open(b, bench)
	for _, c := range []struct{ name, more string }{
		{"offset", ""}, {"where", "<where>priority = 'high'</where>"}, {"sort-by", "<sort-by>csn</sort-by>"},
	} {
		b.Run(c.name, func(b *testing.B) {
			askAll(b, p, func(i int) string {
				return fmt.Sprintf(`<get><filter type="xpath"`+incidentPrefix+` select="/i:incidents/i:incident"/><list-pagination xmlns="urn:ietf:params:xml:ns:yang:ietf-list-pagination-nc"><offset>%d</offset><limit>100</limit>%s</list-pagination></get>`, i*7919%99_000, c.more)
			}, func(m string) bool { return strings.Count(m, "<incident-id>") == 100 })
		})
	}
}

// BenchmarkReplyGigabyte reads a reply of a gigabyte, from a tree that has it in few
// texts. It reports by how much the memory of client and server grew at most.
func BenchmarkReplyGigabyte(b *testing.B) {
	bench := netconftest.New(b, netconftest.Config{})
	detail := strings.Repeat("The interface ge-0/0/1 of PE1 is down. ", 250)
	list := data.Build(bench.Schema.Root.Child(bench.Schema.Module("ietf-incident"), "incidents"))
	for i := range 110_000 {
		list.Entry("incident", fmt.Sprintf("inc-%d", i)).Leaf("detail", detail)
	}
	err := bench.Store.Update(b.Context(), func(tx *datastore.Tx) error {
		tx.SetState(data.Build(bench.Schema.Root).Add(list.Node()).Node())
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	p := open(b, bench)
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	var most atomic.Uint64
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		for {
			var now runtime.MemStats
			runtime.ReadMemStats(&now)
			most.Store(max(most.Load(), now.HeapInuse))
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	for b.Loop() {
		if err := p.W.WriteMessage([]byte(rpc(`<get><filter><incidents xmlns="urn:ietf:params:xml:ns:yang:ietf-incident"/></filter></get>`))); err != nil {
			b.Fatal(err)
		}
		b.SetBytes(skipMessage(b, p.Conn.(net.Conn)))
	}
	b.ReportMetric(max(0, float64(most.Load())-float64(before.HeapInuse))/(1<<20), "MB-grown")
}

// skipMessage reads the chunks of a message and keeps none.
func skipMessage(b *testing.B, conn net.Conn) (size int64) {
	r := bufio.NewReaderSize(conn, 64<<10)
	for {
		var n int64
		if c, err := r.ReadByte(); err != nil || c != '\n' {
			b.Fatalf("%q, %v", c, err)
		}
		line, err := r.ReadString('\n')
		if err != nil {
			b.Fatal(err)
		}
		if line == "##\n" {
			return size
		}
		if _, err := fmt.Sscanf(line, "#%d\n", &n); err != nil {
			b.Fatal(err)
		}
		if _, err := io.CopyN(io.Discard, r, n); err != nil {
			b.Fatal(err)
		}
		size += n
	}
}
