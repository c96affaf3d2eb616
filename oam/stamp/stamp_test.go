package stamp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"incidentd/oam"
	"incidentd/oam/farend"
	"incidentd/oam/oamtest"
	"incidentd/oam/socket"
	"incidentd/oam/testnet"
)

var loopback = netip.MustParseAddr("127.0.0.1")

func testReflector() (*Reflector, *farend.Gate) {
	return &Reflector{node: New(nil)},
		farend.NewGate(farend.Config{Forget: time.Minute, Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
}

func testMessage() socket.Message {
	return socket.Message{From: netip.AddrPortFrom(loopback, 50000), At: time.Now(), HopLimit: 60, TrafficClass: 0}
}

// node is one with a key and a reflector at an address.
func node(t testing.TB, c ReflectorConfig) (*Node, *Reflector, string) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("STAMP needs Linux")
	}
	n := New(func(name string) ([]byte, error) {
		if name != "lab" {
			return nil, errors.New("it is not there")
		}
		return testKey, nil
	})
	if c.RefWait == 0 {
		c.RefWait = time.Minute
	}
	if c.Allowed == nil {
		c.Allowed = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}
	}
	r, err := n.Reflect(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return n, r, fmt.Sprint(r.Addresses()[0].Port())
}

func TestSession(t *testing.T) {
	tests := []struct {
		name   string
		config ReflectorConfig
		leafs  []string
	}{
		{"as RFC 8762", ReflectorConfig{}, nil},
		{"large", ReflectorConfig{}, []string{"packet-size", "1400", "dscp", "46", "stamp-session-id", "99"}},
		{"authenticated", ReflectorConfig{Key: "lab"}, []string{"authentication-key-ref", "lab"}},
		{"authenticated and large", ReflectorConfig{Key: "lab"}, []string{"authentication-key-ref", "lab", "packet-size", "300"}},
		{"stateless", ReflectorConfig{Stateless: true}, []string{"reflector-mode", "stateless"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.config.Vantage = oam.Vantage{SourceAddress: loopback}
			n, r, port := node(t, tt.config)
			p := oamtest.Params(t, "stamp", append([]string{"target", "127.0.0.1", "session-reflector-udp-port", port,
				"number-of-packets", "10", "interval", "2000", "session-timeout", "500", "thresholds/max-loss-ratio", "0", "thresholds/max-one-way-delay", "500000000"}, tt.leafs...)...)
			m := oamtest.Run(t, n.Engine, p, "")
			if *m.Packets != (oam.Packets{Sent: 10, Received: 10}) || m.Verdict != oam.Pass || !m.Quality.OneWayValid || m.FarEnd == nil || m.NearEnd == nil {
				t.Errorf("%+v, verdict %s %q, quality %+v, far %v", m.Packets, m.Verdict, m.Crossed, m.Quality, m.FarEnd)
			}
			if known := m.Errors.Directed != nil; known == tt.config.Stateless {
				t.Errorf("the direction of loss is known: %t", known)
			}
			r.Close() // it counts a reply after it is sent
			if s := r.Stats(); s != (farend.Stats{Peers: 1, Received: 10, Sent: 10}) {
				t.Errorf("the reflector has %+v", s)
			}
		})
	}
}

// A reflector has its port of both families, or of none: half of it would go unnoticed.
func TestBothFamilies(t *testing.T) {
	six, err := net.ListenPacket("udp6", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6 here:", err)
	}
	defer six.Close()
	c := ReflectorConfig{Port: uint16(six.LocalAddr().(*net.UDPAddr).Port)}
	if r, err := New(nil).Reflect(c); !errors.Is(err, syscall.EADDRINUSE) {
		t.Fatalf("a port that is in use in IPv6: %v, %v", r, err)
	}
	six.Close()
	_, r, _ := node(t, c)
	if list := r.Addresses(); len(list) != 2 || list[0].Port() != c.Port || list[1].Port() != c.Port {
		t.Errorf("it listens at %v", list)
	}
}

// A reflector answers only who may ask, by the right key, not too often; the sender
// measures loss.
func TestRefused(t *testing.T) {
	ask := []string{"target", "127.0.0.1", "number-of-packets", "20", "interval", "1000", "session-timeout", "100"}
	tests := []struct {
		name   string
		config ReflectorConfig
		leafs  []string
		want   uint32 // received
	}{
		{"from elsewhere", ReflectorConfig{Allowed: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}, nil, 0},
		{"nobody", ReflectorConfig{Allowed: []netip.Prefix{}}, nil, 0},
		{"without a key", ReflectorConfig{Key: "lab"}, []string{"packet-size", "200"}, 0},
		{"too many", ReflectorConfig{MaxRate: 5}, nil, 5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.config.Vantage = oam.Vantage{SourceAddress: loopback}
			n, r, port := node(t, tt.config)
			p := oamtest.Params(t, "stamp", append(append([]string{"session-reflector-udp-port", port}, ask...), tt.leafs...)...)
			m := oamtest.Run(t, n.Engine, p, "")
			if m.Packets.Sent != 20 || m.Packets.Received != tt.want {
				t.Errorf("%+v", m.Packets)
			}
			if s := r.Stats(); s.Refused != uint64(20-tt.want) {
				t.Errorf("the reflector has %+v", s)
			}
		})
	}
	n, _, _ := node(t, ReflectorConfig{Vantage: oam.Vantage{SourceAddress: loopback}})
	_, err := oamtest.Try(t.Context(), n.Engine, oamtest.Params(t, "stamp", "target", "127.0.0.1", "authentication-key-ref", "other"), "")
	var f *oam.Fault
	if !errors.As(err, &f) || f.Reason != oam.NotPermitted {
		t.Errorf("a key that is not there: %v", err)
	}
}

// A sender is forgotten when it is silent, and counted from 0 again.
func TestRefWait(t *testing.T) {
	r, gate := testReflector()
	m := testMessage()
	at := m.At
	number := func(after time.Duration) uint32 {
		m.At = at.Add(after)
		packet := make([]byte, plainSize)
		reply, ok := r.answer(gate, packet, m)
		if !ok {
			t.Fatal("no reply")
		}
		return binary.BigEndian.Uint32(reply)
	}
	for i, after := range []time.Duration{0, time.Second, time.Minute} {
		if got := number(after); got != uint32(i) {
			t.Errorf("number %d, want %d", got, i)
		}
	}
	if got := number(time.Hour); got != 0 {
		t.Errorf("after an hour: %d", got)
	}
}

// Reflectors that are not ours: one that puts its times into each other's place, one that
// counts from elsewhere, one that answers twice. What cannot be known is not told.
func TestStrangeReflectors(t *testing.T) {
	record := func(n int, reply func(i int, t1 uint64) []Reply) *oam.Measurement {
		p := oamtest.Params(t, "stamp", "target", "127.0.0.1", "number-of-packets", fmt.Sprint(n))
		test, err := New(nil).Engine(p)
		if err != nil {
			t.Fatal(err)
		}
		plan := test.(*sender).plan
		r := newReplies(plan)
		now := time.Now()
		for i := range n {
			sent := now.Add(time.Duration(i) * time.Millisecond)
			r.expect(i, sent)
			r.record.Sent(i, sent, 0)
			for _, a := range reply(i, ntp(sent)) {
				a.Sender.Sequence = uint32(i)
				r.take(a, socket.Message{At: sent.Add(10 * time.Millisecond), Kernel: true})
			}
		}
		return r.measurement(plan, true, 0, false)
	}
	after := func(t1 uint64, d time.Duration) uint64 { return ntp(fromTimestamp(t1, false).Add(d)) }
	const ms = time.Millisecond
	good := func(i int, t1 uint64) Reply {
		return Reply{Probe: Probe{Sequence: uint32(i), Timestamp: after(t1, 5*ms)}, Received: after(t1, 4*ms), Sender: Probe{Timestamp: t1}}
	}
	m := record(5, func(i int, t1 uint64) []Reply { return []Reply{good(i, t1)} })
	if d := m.TwoWay.Average - 9*ms; d.Abs() > time.Microsecond || m.FarEnd == nil || (m.FarEnd.Average-4*ms).Abs() > time.Microsecond {
		t.Errorf("the delay is %s, there %+v", m.TwoWay.Average, m.FarEnd)
	}
	m = record(5, func(i int, t1 uint64) []Reply {
		r := good(i, t1)
		r.Sender.Timestamp, r.Timestamp = r.Timestamp, t1
		return []Reply{r}
	})
	if m.TwoWay.Average != 10*ms || m.FarEnd != nil || m.Quality.OneWayValid {
		t.Errorf("times in each other's place: %s, %+v, %+v", m.TwoWay.Average, m.FarEnd, m.Quality)
	}
	m = record(5, func(i int, t1 uint64) []Reply {
		r := good(i, t1)
		r.Sequence += 1000
		return []Reply{r}
	})
	if m.Errors.Directed != nil || m.Packets.Received != 5 {
		t.Errorf("counted from 1000: %+v, %+v", m.Errors.Directed, m.Packets)
	}
	// Packet 1 is doubled on its way there, the reply to 2 on its way back, 3 is lost there,
	// the reply to 4 back.
	next := uint32(0)
	m = record(6, func(i int, t1 uint64) (list []Reply) {
		if i == 3 {
			return nil
		}
		times := 1
		if i == 1 {
			times = 2
		}
		for range times {
			r := good(i, t1)
			r.Sequence = next
			next++
			list = append(list, r)
		}
		switch i {
		case 2:
			list = append(list, list[0])
		case 4:
			list = nil
		}
		return list
	})
	if d := m.Errors.Directed; d == nil || *d != (oam.DirectedLoss{FarEnd: 1, NearEnd: 1}) || m.Errors.Duplicates != 2 {
		t.Errorf("%+v, %+v", m.Errors, d)
	}
}

// accuracy measures over a wire, and is what the wire did.
func accuracy(t testing.TB, authenticated bool) (*oam.Measurement, oamtest.Truth) {
	a, b, wire := oamtest.Wired(t,
		testnet.Impairment{Delay: 10 * time.Millisecond, Loss: .03}, testnet.Impairment{Delay: 5 * time.Millisecond, Loss: .02, Duplicate: .01})
	c := ReflectorConfig{Vantage: oam.Vantage{NetworkInstance: b.Namespace, SourceAddress: netip.MustParseAddr("10.9.0.2")}}
	number, copied := 8, 8+24 // of the sender, in a probe and a reply of UDP
	leafs := []string{"target", "10.9.0.2", "number-of-packets", "1000", "interval", "2000", "session-timeout", "500"}
	if authenticated {
		c.Key, copied = "lab", 8+48
		leafs = append(leafs, "authentication-key-ref", "lab", "packet-size", "200")
	}
	node, _, port := node(t, c)
	m := oamtest.Run(t, node.Engine, oamtest.Params(t, "stamp", append(leafs, "session-reflector-udp-port", port)...), a.Namespace)
	return m, oamtest.Exchanged(wire, 17, func(d testnet.Direction, udp []byte) string {
		at := [...]int{testnet.There: number, testnet.Back: copied}[d]
		return string(udp[at : at+4])
	})
}

// Losses by direction and delays in both are those of the wire.
func TestAccuracy(t *testing.T) {
	for _, authenticated := range []bool{false, true} {
		m, want := accuracy(t, authenticated)
		d := m.Errors.Directed
		if d == nil || int(d.FarEnd+d.NearEnd) != int(m.Errors.Lost) {
			t.Fatalf("lost %d, of them %+v", m.Errors.Lost, d)
		}
		// What the wire loses after the last reply that came is not told apart.
		tail := int(d.FarEnd) - want.LostThere
		if tail < 0 || tail > 3 || int(d.NearEnd) != want.LostBack-tail {
			t.Errorf("%+v were lost, want %d there and %d back", d, want.LostThere, want.LostBack)
		}
		t.Logf("lost %d there and %d back, and %d and %d by the wire", d.FarEnd, d.NearEnd, want.LostThere, want.LostBack)
		oamtest.Compare(t, "there", m.FarEnd, want.There)
		oamtest.Compare(t, "back", m.NearEnd, want.Back)
		oamtest.Compare(t, "there and back", m.TwoWay, want.Both)
	}
}

// BenchmarkAccuracy is how far losses and delays are from those of the wire.
func BenchmarkAccuracy(b *testing.B) {
	for _, authenticated := range []bool{false, true} {
		b.Run(map[bool]string{false: "plain", true: "authenticated"}[authenticated], func(b *testing.B) {
			for b.Loop() {
				m, want := accuracy(b, authenticated)
				b.ReportMetric(float64(int(m.Errors.Lost)-want.LostThere-want.LostBack), "loss-off")
				b.ReportMetric(float64(int(m.Errors.Directed.FarEnd)-want.LostThere), "loss-there-off")
				oamtest.Report(b, "rtt", m.TwoWay, want.Both)
				oamtest.Report(b, "there", m.FarEnd, want.There)
				oamtest.Report(b, "back", m.NearEnd, want.Back)
			}
		})
	}
}

// BenchmarkSessions is a thousand sessions at once, ten packets a second each, sender and
// reflector in this process: what it costs, and how the delays are.
func BenchmarkSessions(b *testing.B) {
	n, _, port := node(b, ReflectorConfig{Vantage: oam.Vantage{SourceAddress: loopback}})
	const sessions = 1000
	for b.Loop() {
		began, used := time.Now(), cpuTime()
		var wait sync.WaitGroup
		var mu sync.Mutex
		var lost, sent uint32
		var delays, lateness []time.Duration
		for i := range sessions {
			wait.Go(func() {
				test, err := n.Engine(oamtest.Params(b, "stamp", "target", "127.0.0.1", "session-reflector-udp-port", port, "number-of-packets", "50", "session-timeout", "1000"))
				if err != nil {
					b.Error(err)
					return
				}
				env := oamtest.Env(test, "")
				env.RunID = fmt.Sprint("run-", i)
				m, err := test.Run(b.Context(), env)
				if err != nil {
					b.Error(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				sent, lost = sent+m.Packets.Sent, lost+m.Errors.Lost
				delays = append(delays, m.TwoWay.Percentile99)
				lateness = append(lateness, m.Quality.MaxSendLateness)
			})
		}
		wait.Wait()
		b.ReportMetric(100*(cpuTime()-used).Seconds()/time.Since(began).Seconds(), "%core")
		slices.Sort(delays)
		slices.Sort(lateness)
		b.ReportMetric(float64(lost), "lost")
		b.ReportMetric(float64(sent), "packets")
		b.ReportMetric(float64(delays[sessions/2].Microseconds()), "p99-us")
		b.ReportMetric(float64(lateness[sessions/2].Microseconds()), "late-us")
	}
}

// cpuTime is what this process has taken of the cores.
func cpuTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
