package subscribe_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"incidentd/datastore"
	"incidentd/datastore/journal"
	"incidentd/netconf/netconftest"
	"incidentd/yang/data"
)

// setting is a number in the environment, for the long form of a test.
func setting(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

// BenchmarkPromise is a storm: 200 subscribers, of which 5 never read while it lasts, 5,000
// notifications a second, and a replay of old ones beside it. Every subscriber that reads
// gets every notification in order; those that do not are suspended, and when they read
// again they are resumed and get the rest. It reports the time of a get of one incident
// before (idle-p99) and during the storm (storm-p99), and the memory of clients and server
// together. PROMISE_SECONDS and PROMISE_REPLAY make it long,
// PROMISE_SUBSCRIBERS and PROMISE_RATE large. The sessions are in memory, or with
// PROMISE_SSH=1 over SSH on the loopback interface, encrypted and decrypted here.
func BenchmarkPromise(b *testing.B) {
	seconds, old := setting("PROMISE_SECONDS", 8), setting("PROMISE_REPLAY", 50_000)
	subscribers, rate := setting("PROMISE_SUBSCRIBERS", 200), setting("PROMISE_RATE", 5000)
	const silent, group = 5, 50
	for b.Loop() {
		bench := netconftest.New(b, netconftest.Config{Journal: journal.Options{MaxBytes: -1}})
		dial := func() io.ReadWriteCloser { return bench.Dial(b.Context(), "u", 0) }
		if setting("PROMISE_SSH", 0) != 0 {
			dial = overSSH(b, bench)
		}
		storeIncidents(b, bench, 1000)
		for i := 0; i < old; i += 1000 {
			publishGroup(b, bench, "oam", i, min(1000, old-i))
		}
		idle := latencies(b, dial(), time.Second)

		total := seconds * rate
		var readers, late sync.WaitGroup
		var suspended, resumed atomic.Int32
		wake := make(chan struct{})
		for i := range subscribers {
			c := dial()
			establishOn(b, c, "")
			follow := func() {
				defer c.Close()
				s, r := readInOrder(b, c, total)
				suspended.Add(int32(s))
				resumed.Add(int32(r))
			}
			if i < silent {
				late.Go(func() { <-wake; follow() })
			} else {
				readers.Go(follow)
			}
		}
		replayer := dial()
		readers.Go(func() { replay(b, replayer, old) })

		storm := make(chan []time.Duration, 1)
		asker := dial()
		go func() { storm <- latencies(b, asker, time.Duration(seconds)*time.Second) }()
		var most atomic.Uint64
		ctx, cancel := context.WithCancel(b.Context())
		go watchMemory(ctx, &most)
		begin := time.Now()
		for i := 0; i < total; i += group {
			publishGroup(b, bench, "incidents", i, group)
			time.Sleep(time.Until(begin.Add(time.Duration(i+group) * time.Second / time.Duration(rate))))
		}
		took := time.Since(begin)
		readers.Wait()
		behind := time.Since(begin) - took
		during := <-storm
		cancel()
		close(wake)
		late.Wait()
		if suspended.Load() != silent || resumed.Load() != silent {
			b.Errorf("%d were told that they are suspended, %d resumed, want %d", suspended.Load(), resumed.Load(), silent)
		}
		b.ReportMetric(float64(total)/took.Seconds(), "notifications/s")
		b.ReportMetric(behind.Seconds(), "s-behind")
		b.ReportMetric(float64(p99(idle).Microseconds()), "us-idle-p99")
		b.ReportMetric(float64(p99(during).Microseconds()), "us-storm-p99")
		b.ReportMetric(float64(most.Load())/(1<<20), "MiB")
		b.ReportMetric(0, "ns/op")
	}
}

// publishGroup publishes incidents of about 600 bytes in one transaction, with numbers
// from the given one on.
func publishGroup(b *testing.B, bench *netconftest.Bench, stream string, from, n int) {
	schema := bench.Schema.Notification("ietf-incident", "incident-notification")
	detail := strings.Repeat("x", 400)
	err := bench.Store.Update(b.Context(), func(tx *datastore.Tx) error {
		for i := from; i < from+n; i++ {
			tx.Notify(stream, data.Build(schema).Leaf("incident-id", "inc-"+strconv.Itoa(i)).Leaf("name", "interface down").
				Leaf("type", "fault").Leaf("priority", "high").Leaf("status", "raised").Leaf("detail", detail).Node())
		}
		return nil
	})
	if err != nil {
		b.Error(err)
	}
}

// storeIncidents puts incidents into the operational state.
func storeIncidents(b *testing.B, bench *netconftest.Bench, n int) {
	top := bench.Schema.Root.Child(bench.Schema.Module("ietf-incident"), "incidents")
	list := data.Build(top)
	for i := range n {
		list.Entry("incident", "inc-"+strconv.Itoa(i)).Leaf("name", "interface down").Leaf("type", "fault").Leaf("priority", "high").Leaf("status", "raised")
	}
	if err := bench.Store.Update(b.Context(), func(tx *datastore.Tx) error {
		tx.SetState(tx.State().With(list.Node()))
		return nil
	}); err != nil {
		b.Fatal(err)
	}
}

var (
	endOfMessage = []byte("\n##\n")
	incidentMark = []byte("<incident-id>inc-")
)

// readInOrder reads until the last of total incidents, and holds that each comes after the
// one before. It counts what it is told of suspensions.
func readInOrder(b *testing.B, c io.Reader, total int) (suspended, resumed int) {
	buf := make([]byte, 64<<10)
	have, want := 0, 0
	for want < total {
		n, err := c.Read(buf[have:])
		if err != nil {
			b.Errorf("after incident %d: %v", want-1, err)
			return
		}
		rest := buf[:have+n]
		for {
			msg, after, ok := bytes.Cut(rest, endOfMessage)
			if !ok {
				break
			}
			rest = after
			_, id, ok := bytes.Cut(msg, incidentMark)
			switch {
			case ok:
				number := 0
				for _, d := range id {
					if d < '0' || d > '9' {
						break
					}
					number = 10*number + int(d-'0')
				}
				if number != want {
					b.Errorf("incident %d, want %d", number, want)
					return
				}
				want++
			case bytes.Contains(msg, []byte("<subscription-suspended")):
				suspended++
			case bytes.Contains(msg, []byte("<subscription-resumed")):
				resumed++
			}
		}
		have = copy(buf, rest)
	}
	return suspended, resumed
}

// replay subscribes to the past of another stream and reads all of it.
func replay(b *testing.B, c io.ReadWriteCloser, total int) {
	defer c.Close()
	p := netconftest.NewPeer(c)
	if _, err := p.Open("1.1"); err != nil {
		b.Error(err)
		return
	}
	parameters := "<stream>oam</stream><startTime>2000-01-01T00:00:00Z</startTime>"
	if m, err := p.Ask(fmt.Sprintf(create, parameters)); err != nil || !strings.Contains(m, "<ok/>") {
		b.Errorf("create-subscription: %s, %v", m, err)
		return
	}
	for want := 0; want < total; want++ {
		m, err := p.R.ReadMessage()
		if err != nil {
			b.Errorf("replay after %d: %v", want-1, err)
			return
		}
		if got := number(b, string(m)); got != want {
			b.Errorf("replay of incident %d, want %d", got, want)
			return
		}
	}
}

// latencies are those of gets of one incident, one every two milliseconds.
func latencies(b *testing.B, c io.ReadWriteCloser, d time.Duration) (list []time.Duration) {
	defer c.Close()
	p := netconftest.NewPeer(c)
	if _, err := p.Open("1.1"); err != nil {
		b.Error(err)
		return
	}
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		begin := time.Now()
		m, err := p.Ask(`<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="1"><get><filter><incidents xmlns="urn:ietf:params:xml:ns:yang:ietf-incident">` +
			`<incident><incident-id>inc-500</incident-id></incident></incidents></filter></get></rpc>`)
		list = append(list, time.Since(begin))
		if err != nil || !strings.Contains(m, "inc-500") {
			b.Errorf("get: %s, %v", m, err)
			return
		}
	}
	return list
}

func p99(list []time.Duration) time.Duration {
	slices.Sort(list)
	return list[len(list)*99/100]
}

// watchMemory keeps the most memory that the process had from the system.
func watchMemory(ctx context.Context, most *atomic.Uint64) {
	for ctx.Err() == nil {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if now := m.Sys - m.HeapReleased; now > most.Load() {
			most.Store(now)
		}
		time.Sleep(200 * time.Millisecond)
	}
}
