package activation

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"incidentd/oam"
	"incidentd/oam/oamtest"
	"incidentd/oam/stamp"
	"incidentd/oam/testnet"
)

// reflect is a node and a reflector at an address, which answers as much as comes.
func reflect(t testing.TB, address, instance string, stateless bool) (*stamp.Node, string) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("STAMP needs Linux")
	}
	n := stamp.New(nil)
	r, err := n.Reflect(stamp.ReflectorConfig{
		Vantage: oam.Vantage{NetworkInstance: instance, SourceAddress: netip.MustParseAddr(address)}, RefWait: time.Minute, Stateless: stateless,
		Allowed: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return n, fmt.Sprint(r.Addresses()[0].Port())
}

// passed reports whether the verdict is pass, or inconclusive because a machine that is busy
// offered less than it was told.
func passed(t *testing.T, m *oam.Measurement, committed float64) bool {
	t.Helper()
	for _, s := range m.Steps {
		if float64(s.Offered) < nearly*committed*float64(s.Percent)/100 && s.Percent <= 100 {
			t.Logf("%d %% is %d kbit/s", s.Percent, s.Offered)
			return m.Verdict == oam.Inconclusive
		}
	}
	return m.Verdict == oam.Pass
}

func params(t testing.TB, target, port string, leafs ...string) oam.Params {
	return oamtest.Params(t, "service-activation", append([]string{"target", target, "session-reflector-udp-port", port, "step-duration", "1"}, leafs...)...)
}

// Where nothing is in the way, all steps arrive at their rates.
func TestActivation(t *testing.T) {
	for _, target := range []string{"127.0.0.1", "::1"} {
		n, port := reflect(t, target, "", false)
		got := oamtest.Run(t, Engine(n), params(t, target, port, "committed-information-rate", "8000", "frame-size", "1000", "step", "50", "step", "100",
			"dscp", "10", "thresholds/max-loss-ratio", "0", "thresholds/max-one-way-delay", "5000000000"), "")
		if *got.Packets != (oam.Packets{Sent: 1500, Received: 1500}) || got.Errors.Lost != 0 || *got.Errors.Directed != (oam.DirectedLoss{}) || !passed(t, got, 8000) {
			t.Errorf("%s: %+v %+v, verdict %s %q", target, got.Packets, got.Errors, got.Verdict, got.Crossed)
		}
		if len(got.Steps) != 2 || got.TwoWay == nil || got.FarEnd == nil || !got.Quality.OneWayValid {
			t.Fatalf("%s: %+v", target, got)
		}
		for i, want := range []struct {
			percent uint8
			rate    float64
			sent    uint32
		}{{50, 4000, 500}, {100, 8000, 1000}} {
			s := got.Steps[i]
			if s.Percent != want.percent || s.Sent != want.sent || s.Lost != 0 || s.AverageDelay <= 0 || s.Percentile95 < s.AverageDelay/100 {
				t.Errorf("%s: step %d: %+v", target, i+1, s)
			}
			// A machine that is busy sends less.
			if float64(s.Offered) > 1.02*want.rate || float64(s.Offered) < .5*want.rate {
				t.Errorf("%s: step %d offers %d kbit/s, want %.0f", target, i+1, s.Offered, want.rate)
			}
		}
		if got.Throughput != got.Steps[1].Offered {
			t.Errorf("%s: the throughput is %d", target, got.Throughput)
		}
		total := uint32(0)
		for _, s := range got.Samples {
			total += s.Received
		}
		if total != 1500 || len(got.Samples) > oam.MaxSamples {
			t.Errorf("%s: %d packets in %d samples", target, total, len(got.Samples))
		}
	}
}

// A link that carries 10 Mbit/s: what it drops is what is lost, there alone, and what
// arrives is its rate; thresholds are not of the step beyond the committed rate.
func TestShapedWire(t *testing.T) {
	a, b, wire := oamtest.Wired(t, testnet.Impairment{Rate: 10_000_000, Queue: 30_000, Delay: 5 * time.Millisecond}, testnet.Impairment{})
	n, port := reflect(t, "10.9.0.2", b.Namespace, false)
	got := oamtest.Run(t, Engine(n), params(t, "10.9.0.2", port, "committed-information-rate", "8000", "step", "50", "step", "100", "step", "150",
		"thresholds/max-loss-ratio", "0"), a.Namespace)
	if len(got.Steps) != 3 || !passed(t, got, 8000) || got.Errors.Lost != 0 {
		t.Fatalf("%+v, verdict %s, %+v", got.Steps, got.Verdict, got.Errors)
	}
	dropped := 0
	for _, p := range wire.Log(testnet.There) {
		if p.Copies == 0 {
			dropped++
		}
	}
	over := got.Steps[2]
	if dropped == 0 || int(over.Lost) != dropped {
		t.Errorf("the wire dropped %d, and lost are %d", dropped, over.Lost)
	}
	// Of 1,518 octets of a frame the wire counts 1,500.
	if carried := 10_000 * 1518 / 1500.; float64(over.Achieved) < .85*carried || float64(over.Achieved) > 1.05*carried {
		t.Errorf("%d kbit/s arrived, and the wire carries %.0f", over.Achieved, carried)
	}
	if got.Throughput != got.Steps[1].Offered || over.AverageDelay < 2*got.Steps[0].AverageDelay {
		t.Errorf("throughput %d; %+v", got.Throughput, got.Steps)
	}
	t.Logf("dropped %d, lost %d; achieved %d kbit/s", dropped, over.Lost, over.Achieved)
}

var droppedByTC = regexp.MustCompile(`dropped (\d+)`)

// The same behind the kernel's own shaper, a token bucket of 20 Mbit/s: the losses are
// those that it counts.
func TestTokenBucket(t *testing.T) {
	if why := testnet.Missing(); why != "" {
		t.Skip(why)
	}
	if _, err := exec.LookPath("tc"); err != nil {
		t.Skip("tc is not installed (apt: iproute2)")
	}
	network := testnet.New()
	t.Cleanup(func() { network.Close() })
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	a, err := network.Host("a")
	must(err)
	r, err := network.Router("r")
	must(err)
	b, err := network.Host("b")
	must(err)
	must(network.Link(testnet.End{Host: a, Interface: "eth0", Address: netip.MustParsePrefix("10.1.0.1/30")}, testnet.End{Host: r, Interface: "eth0", Address: netip.MustParsePrefix("10.1.0.2/30")}))
	must(network.Link(testnet.End{Host: r, Interface: "eth1", Address: netip.MustParsePrefix("10.2.0.1/30")}, testnet.End{Host: b, Interface: "eth0", Address: netip.MustParsePrefix("10.2.0.2/30")}))
	must(a.Route(netip.MustParsePrefix("10.2.0.0/30"), netip.MustParseAddr("10.1.0.2")))
	must(b.Route(netip.MustParsePrefix("10.1.0.0/30"), netip.MustParseAddr("10.2.0.1")))
	if out, err := r.Command(t.Context(), "tc", "qdisc", "add", "dev", "eth1", "root", "tbf", "rate", "20mbit", "burst", "8kb", "limit", "60kb").CombinedOutput(); err != nil {
		t.Skipf("the kernel has no token bucket: %s", out)
	}
	dropped := func() int {
		out, err := r.Command(t.Context(), "tc", "-s", "qdisc", "show", "dev", "eth1").Output()
		must(err)
		count, err := strconv.Atoi(string(droppedByTC.FindSubmatch(out)[1]))
		must(err)
		return count
	}
	n, port := reflect(t, "10.2.0.2", b.Namespace, false)
	// Of 1,518 octets of a frame the kernel counts 1,514.
	got := oamtest.Run(t, Engine(n), params(t, "10.2.0.2", port, "committed-information-rate", "20000", "step-duration", "2",
		"step", "90", "step", "95", "step", "105", "step", "125"), a.Namespace)
	lost := uint32(0)
	for _, s := range got.Steps {
		t.Logf("%3d %%: offered %d kbit/s, arrived %d, lost %d of %d (%.2f %%), mean delay %s", s.Percent, s.Offered, s.Achieved, s.Lost, s.Sent, s.LossRatio, s.AverageDelay)
		lost += s.Lost
	}
	if kernel := dropped(); int(lost) != kernel || kernel == 0 {
		t.Errorf("lost are %d, and the kernel dropped %d", lost, kernel)
	}
	// A machine that is busy offers it in bursts with pauses between.
	if last := got.Steps[3]; float64(last.Achieved) < .85*20_000 || float64(last.Achieved) > 1.04*20_000 {
		t.Errorf("%d kbit/s arrived of 20,000", last.Achieved)
	}
}

// A reflector that does not count tells no direction, and one that is not there nothing.
func TestWithoutDirection(t *testing.T) {
	n, port := reflect(t, "127.0.0.1", "", true)
	leafs := []string{"committed-information-rate", "400", "frame-size", "500", "step", "100", "thresholds/max-loss-ratio", "0"}
	got := oamtest.Run(t, Engine(n), params(t, "127.0.0.1", port, append(leafs, "reflector-mode", "stateless")...), "")
	if got.Errors.Directed != nil || got.Errors.Lost != 0 || !passed(t, got, 400) {
		t.Errorf("stateless: %+v, verdict %s", got.Errors, got.Verdict)
	}
	got = oamtest.Run(t, Engine(n), params(t, "127.0.0.1", "1", leafs...), "")
	if got.Errors.Directed != nil || got.Errors.Lost != 100 || got.Verdict != oam.Fail || got.Throughput != 0 || got.Steps[0].Lost != 100 || got.Steps[0].Achieved != 0 {
		t.Errorf("nobody: %+v %+v, verdict %s", got.Errors, got.Steps, got.Verdict)
	}
}

// A run that is stopped tells what it has so far, within two seconds.
func TestStop(t *testing.T) {
	n, port := reflect(t, "127.0.0.1", "", false)
	test, err := Engine(n)(params(t, "127.0.0.1", port, "committed-information-rate", "1000", "frame-size", "500", "step-duration", "900", "thresholds/max-loss-ratio", "0"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	began := time.Now()
	got, err := test.Run(ctx, oamtest.Env(test, ""))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Steps) != 1 || got.Packets.Sent == 0 || got.Errors.Lost != 0 || got.Verdict == oam.Pass || time.Since(began) > 2500*time.Millisecond {
		t.Errorf("after %s: %+v %+v", time.Since(began), got.Packets, got.Steps)
	}
}

func TestDemand(t *testing.T) {
	test, err := Engine(stamp.New(nil))(params(t, "192.0.2.1", "862", "committed-information-rate", "12144"))
	if err != nil {
		t.Fatal(err)
	}
	d := test.Demand()
	if !d.Load || len(d.Exclusive) != 1 || d.PacketRate < 999 || d.PacketRate > 1001 || d.Packets != 2500 || d.BitRate < 11.9e6 || d.BitRate > 12.1e6 || d.Duration < 8*time.Second-10*time.Millisecond || d.Duration > 8*time.Second {
		t.Errorf("%+v", d)
	}
}

func TestRefused(t *testing.T) {
	for _, leafs := range [][]string{
		{"frame-size", "100", "target", "2001:db8::1"},
		{"frame-size", "90", "committed-information-rate", "10000000000"},
	} {
		if _, err := Engine(stamp.New(nil))(params(t, "192.0.2.1", "862", append([]string{"committed-information-rate", "1000"}, leafs...)...)); err == nil {
			t.Errorf("%q is taken", leafs)
		}
	}
	// A frame that does not fit the link is a fault, not a loss.
	if why := testnet.MissingWire(); why != "" {
		t.Skip(why)
	}
	a, _, _ := oamtest.Wired(t, testnet.Impairment{}, testnet.Impairment{})
	_, err := oamtest.Try(t.Context(), Engine(stamp.New(nil)), params(t, "10.9.0.2", "862", "committed-information-rate", "1000", "frame-size", "9000"), a.Namespace)
	if f, ok := errors.AsType[*oam.Fault](err); !ok || f.Reason != oam.BadTarget {
		t.Errorf("frames of 9,000 octets over 1,500: %v", err)
	}
}

// BenchmarkSender is a step of 50,000 packets a second, sender and reflector in this process:
// what is sent, lost and late, and what it costs.
func BenchmarkSender(b *testing.B) {
	n, port := reflect(b, "127.0.0.1", "", false)
	for b.Loop() {
		var before, after syscall.Rusage
		syscall.Getrusage(syscall.RUSAGE_SELF, &before)
		m := oamtest.Run(b, Engine(n), params(b, "127.0.0.1", port, "committed-information-rate", "40000", "frame-size", "100", "step", "100", "step-duration", "5"), "")
		syscall.Getrusage(syscall.RUSAGE_SELF, &after)
		used := after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano()
		b.ReportMetric(float64(m.Steps[0].Offered)*1000/800, "packets/s")
		b.ReportMetric(float64(m.Errors.Lost), "lost")
		b.ReportMetric(float64(m.TwoWay.Percentile99.Microseconds()), "p99-us")
		b.ReportMetric(float64(used)/float64(m.Packets.Sent)/1000, "cpu-us/packet")
	}
}

// BenchmarkActivation is how much of what a wire of 10 Mbit/s drops is told, and how far what
// arrives is from its rate.
func BenchmarkActivation(b *testing.B) {
	for b.Loop() {
		host, far, wire := oamtest.Wired(b, testnet.Impairment{Rate: 10_000_000, Queue: 30_000, Delay: 5 * time.Millisecond}, testnet.Impairment{})
		n, port := reflect(b, "10.9.0.2", far.Namespace, false)
		m := oamtest.Run(b, Engine(n), params(b, "10.9.0.2", port, "committed-information-rate", "8000", "step", "50", "step", "100", "step", "150", "step-duration", "3"), host.Namespace)
		dropped := 0
		for _, p := range wire.Log(testnet.There) {
			if p.Copies == 0 {
				dropped++
			}
		}
		over := m.Steps[2]
		b.ReportMetric(float64(dropped), "dropped")
		b.ReportMetric(float64(over.Lost)-float64(dropped), "loss-off")
		carried := 10_000 * 1518 / 1500.
		b.ReportMetric(100*(float64(over.Achieved)-carried)/carried, "%rate-off")
	}
}
