package bfd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"incidentd/oam"
	"incidentd/oam/oamtest"
	"incidentd/oam/socket"
	"incidentd/oam/testnet"
)

// fault is the reason of an error that is a fault.
func fault(err error) oam.Reason {
	if f, ok := errors.AsType[*oam.Fault](err); ok {
		return f.Reason
	}
	return ""
}

// A far end that is silent, and one that cannot be looked for.
func TestNobody(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("sockets that measure need Linux")
	}
	node := New(func(name string) ([]byte, error) {
		if name == "long" {
			return make([]byte, 21), nil
		}
		return nil, errors.New("no such key")
	})
	p := oamtest.Params(t, "bfd-liveness", "target", "127.0.0.9", "hold", "1")
	got := oamtest.Run(t, node.Engine, p, "")
	if got.Verdict != oam.Fail || got.BFD.TimeToUp != 0 || got.Packets.Sent == 0 || got.Packets.Received != 0 {
		t.Errorf("%s, %+v, %+v", got.Verdict, got.BFD, got.Packets)
	}
	if want := []string{"max-down-count: the session never came up: the far end is silent"}; fmt.Sprint(got.Crossed) != fmt.Sprint(want) {
		t.Errorf("%q, want %q", got.Crossed, want)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if got, err := oamtest.Try(ctx, node.Engine, p, ""); err != nil || got.Verdict != oam.Inconclusive {
		t.Errorf("stopped at once: %v, %+v", err, got)
	}
	for name, want := range map[string]string{
		"missing": "key missing: no such key",
		"long":    "key long: it has 21 octets; a key of BFD has 1 to 20",
	} {
		p := oamtest.Params(t, "bfd-liveness", "target", "127.0.0.9", "authentication-key-ref", name)
		if _, err := oamtest.Try(t.Context(), node.Engine, p, ""); fault(err) != oam.NotPermitted || err.Error() != want {
			t.Errorf("key %s: %v", name, err)
		}
	}
	if len(node.ports) != 0 {
		t.Error("a socket stays open")
	}
}

// What the host itself has brought about is no verdict on the path.
func TestJudge(t *testing.T) {
	l := &liveness{parameters: fast(), hold: 10 * time.Second, maxDownCount: 1}
	for _, c := range []struct {
		name     string
		found    oam.BFD
		lateness time.Duration
		want     oam.Verdict
	}{
		{"up", oam.BFD{TimeToUp: 1, DownCount: 1}, 0, oam.Pass},
		{"down", oam.BFD{TimeToUp: 1, DownCount: 2, TransmitInterval: 50 * time.Millisecond}, 99 * time.Millisecond, oam.Fail},
		{"down on a host that was late", oam.BFD{TimeToUp: 1, DownCount: 2, TransmitInterval: 50 * time.Millisecond}, 100 * time.Millisecond, oam.Inconclusive},
		{"never up", oam.BFD{}, 0, oam.Fail},
	} {
		found := c.found
		m := &oam.Measurement{BFD: &found, Packets: &oam.Packets{}, Quality: &oam.Quality{MaxSendLateness: c.lateness}}
		l.judge(m, newSession(l.parameters, 1, time.Now()), 10*time.Second)
		if m.Verdict != c.want {
			t.Errorf("%s: %s %q, want %s", c.name, m.Verdict, m.Crossed, c.want)
		}
	}
}

// Where the system has sessions of its own no test begins.
func TestLivePort(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("sockets that measure need Linux")
	}
	daemon, err := net.ListenUDP("udp4", &net.UDPAddr{Port: SingleHopPort})
	if err != nil {
		t.Skip(err)
	}
	defer daemon.Close()
	_, err = oamtest.Try(t.Context(), New(nil).Engine, oamtest.Params(t, "bfd-liveness", "target", "127.0.0.9"), "")
	if fault(err) != oam.ResourceContention || !strings.HasPrefix(err.Error(), "UDP port 3784 belongs to another process") {
		t.Error(err)
	}
	multihop := oamtest.Params(t, "bfd-liveness", "target", "127.0.0.9", "multihop", "true", "hold", "1")
	if _, err := oamtest.Try(t.Context(), New(nil).Engine, multihop, ""); err != nil {
		t.Errorf("the other port is free: %v", err)
	}
}

// Packets are taken for what they are: of whom, and over how many hops.
func TestDeliver(t *testing.T) {
	for _, multihop := range []bool{false, true} {
		p := &port{place: place{multihop: multihop}, sessions: map[uint32]*mailbox{}, peers: map[netip.Addr]*mailbox{}}
		m, err := p.join(netip.MustParseAddr("10.0.0.2"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.join(netip.MustParseAddr("10.0.0.2")); fault(err) != oam.ResourceContention {
			t.Errorf("a second session: %v", err)
		}
		first := Control{State: Down, DetectMult: 3, MyDiscriminator: 1}
		known := first
		known.YourDiscriminator = m.local
		other := first
		other.YourDiscriminator = m.local + 1
		bad := first
		bad.DetectMult = 0
		for _, c := range []struct {
			name string
			Control
			from           string
			hops           int
			taken, counted bool
		}{
			{"the first one", first, "10.0.0.2", 255, true, false},
			{"by discriminator", known, "10.0.0.2", 255, true, false},
			{"of a stranger", first, "10.0.0.3", 255, false, false},
			{"of a stranger that knows the discriminator", known, "10.0.0.3", 255, false, true},
			{"of another session", other, "10.0.0.2", 255, false, false},
			{"damaged", bad, "10.0.0.2", 255, false, true},
			{"from beyond a router", known, "10.0.0.2", 254, multihop, !multihop},
		} {
			before := m.dropped.Load()
			p.deliver(c.Append(nil), socket.Message{From: netip.AddrPortFrom(netip.MustParseAddr(c.from), 50000), HopLimit: c.hops})
			taken := len(m.packets) == 1
			if counted := m.dropped.Load() > before; taken != c.taken || counted != c.counted {
				t.Errorf("multihop %t, %s: taken %t, counted %t", multihop, c.name, taken, counted)
			}
			if taken {
				<-m.packets
			}
		}
		for range mailboxSize + 5 {
			p.deliver(first.Append(nil), socket.Message{From: netip.MustParseAddrPort("10.0.0.2:50000"), HopLimit: 255})
		}
		if n := m.dropped.Load(); n < 5 || len(m.packets) != mailboxSize {
			t.Errorf("a full mailbox holds %d, and %d are dropped", len(m.packets), n)
		}
		p.leave(m)
		if len(p.sessions)+len(p.peers) != 0 {
			t.Error("a session stays")
		}
	}
}

// daemon is a program that speaks BFD on host b of a wire, 10.9.0.2, until the test ends.
func daemon(t *testing.T, host *testnet.Host, conf string, program func(dir, conf string) []string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "bfd") // short: sockets are there
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	os.Chmod(dir, 0o777)
	file := filepath.Join(dir, "conf")
	if err := os.WriteFile(file, []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	args := program(dir, file)
	cmd := host.Command(context.Background(), args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("%s: %s", args[0], &out)
		}
	})
}

// frr runs FRRouting's bfdd, which skips the test where it is not.
func frr(t *testing.T, host *testnet.Host, conf string) {
	t.Helper()
	const bfdd = "/usr/lib/frr/bfdd"
	if _, err := os.Stat(bfdd); err != nil {
		t.Skip("FRRouting is not installed (apt: frr)")
	}
	daemon(t, host, conf, func(dir, conf string) []string {
		return []string{bfdd, "-f", conf, "-i", dir + "/pid", "-z", dir + "/zserv", "--vty_socket", dir, "-A", "127.0.0.1", "-P", "0", "--bfdctl", dir + "/ctl"}
	})
}

// changes has the changes of a session's state, as a run logs them.
type changes struct {
	slog.Handler
	mu   sync.Mutex
	list []change
	all  chan struct{} // has an element when there is a new one
}

type change struct {
	at       time.Time
	from, to string
	silence  time.Duration
}

func (c *changes) Enabled(context.Context, slog.Level) bool { return true }

func (c *changes) Handle(_ context.Context, r slog.Record) error {
	if r.Message != "BFD session changed" {
		return nil
	}
	var n change
	n.at = r.Time
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "from":
			n.from = a.Value.String()
		case "to":
			n.to = a.Value.String()
		case "silence":
			n.silence = a.Value.Duration()
		}
		return true
	})
	c.mu.Lock()
	c.list = append(c.list, n)
	c.mu.Unlock()
	c.all <- struct{}{}
	return nil
}

// reach waits until the session comes to a state.
func (c *changes) reach(t *testing.T, state State) change {
	t.Helper()
	for limit := time.After(10 * time.Second); ; {
		select {
		case <-limit:
			t.Fatalf("the session does not come to %s", state)
		case <-c.all:
		}
		c.mu.Lock()
		last := c.list[len(c.list)-1]
		c.mu.Unlock()
		if last.to == state.String() {
			return last
		}
	}
}

// cuts runs a test whose far end is cut off three times, with 50 ms and 3 packets: each is
// seen after 150 ms, and there is nothing else to see. It tries again when the machine is
// too busy to keep such a pace.
func cuts(t *testing.T, node *Node, wire *testnet.Wire, host *testnet.Host, leafs ...string) {
	t.Helper()
	for range 3 {
		if measured(t, node, wire, host, leafs) {
			return
		}
	}
	t.Skip("the machine is too busy to send every 50 ms")
}

// measured reports whether it could be.
func measured(t *testing.T, node *Node, wire *testnet.Wire, host *testnet.Host, leafs []string) bool {
	p := oamtest.Params(t, "bfd-liveness", append([]string{"target", "10.9.0.2", "desired-min-tx-interval", "50000", "hold", "60",
		"thresholds/max-down-count", "3"}, leafs...)...)
	test, err := node.Engine(p)
	if err != nil {
		t.Fatal(err)
	}
	env := oamtest.Env(test, host.Namespace)
	log := &changes{all: make(chan struct{}, 100)}
	env.Log = slog.New(log)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var got *oam.Measurement
	done := make(chan error, 1)
	go func() {
		var err error
		got, err = test.Run(ctx, env)
		done <- err
	}()
	var seen [3]time.Duration
	for i := range seen {
		log.reach(t, Up)
		time.Sleep(700 * time.Millisecond) // both ends have left the slow pace
		wire.Set(testnet.Back, testnet.Impairment{Loss: 1})
		seen[i] = log.reach(t, Down).silence
		wire.Set(testnet.Back, testnet.Impairment{})
	}
	log.reach(t, Up)
	time.Sleep(700 * time.Millisecond)
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	f := got.BFD
	t.Logf("cuts are seen after %s of silence; %+v, %+v, %+v", seen, *f, *got.Packets, *got.Quality)
	if got.Quality.MaxSendLateness > 75*time.Millisecond {
		return false
	}
	for i, d := range seen {
		if d < 150*time.Millisecond || d > 250*time.Millisecond {
			t.Errorf("cut %d is seen after %s of silence, want 150ms", i+1, d)
		}
	}
	if f.DownCount != 3 || f.DetectionCount != 3 || f.DetectionTime != 150*time.Millisecond || f.TransmitInterval != 50*time.Millisecond {
		t.Errorf("%+v", f)
	}
	if f.TimeToUp <= 0 || f.TimeToUp > 5*time.Second || f.LongestDown > 5*time.Second || f.UpTime < 4*700*time.Millisecond {
		t.Errorf("%+v", f)
	}
	if got.Verdict != oam.Pass || got.Packets.Bad != 0 || got.Quality.Timestamping != oam.KernelTimestamps {
		t.Errorf("%s %q, %+v, %+v", got.Verdict, got.Crossed, got.Packets, got.Quality)
	}
	// The far end was told that it is over, and not left to find out.
	told := false
	for _, p := range wire.Log(testnet.There) {
		if at := 28; len(p.Data) >= at+headerSize {
			if c, _, err := Decode(p.Data[at:]); err == nil && c.State == AdminDown && c.Diagnostic == AdministrativelyDown {
				told = true
			}
		}
	}
	if !told {
		t.Error("the far end is not told of the end")
	}
	return true
}

// Against FRRouting, over one hop and as several.
func TestFRRouting(t *testing.T) {
	for _, c := range []struct{ name, peer, multihop string }{
		{"single hop", "peer 10.9.0.1", "false"},
		{"multihop", "peer 10.9.0.1 multihop local-address 10.9.0.2", "true"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b, wire := oamtest.Wired(t, testnet.Impairment{}, testnet.Impairment{})
			frr(t, b, "bfd\n "+c.peer+"\n  transmit-interval 50\n  receive-interval 50\n  detect-multiplier 3\n  no shutdown\n")
			cuts(t, New(nil), wire, a, "multihop", c.multihop)
		})
	}
}

// Against BIRD, which knows authentication.
func TestBIRD(t *testing.T) {
	bird, err := exec.LookPath("bird")
	if err != nil {
		t.Skip("BIRD is not installed (apt: bird2)")
	}
	a, b, wire := oamtest.Wired(t, testnet.Impairment{}, testnet.Impairment{})
	daemon(t, b, `router id 10.9.0.2;
protocol device {}
protocol bfd {
  accept ipv4 direct;
  interface "*" {
    interval 50 ms;
    idle tx interval 1 s;
    multiplier 3;
    authentication meticulous keyed sha1;
    password "a key of BFD" { id 9; };
  };
  neighbor 10.9.0.1 dev "wire0";
}
`, func(dir, conf string) []string {
		return []string{bird, "-f", "-c", conf, "-s", dir + "/ctl", "-P", dir + "/pid"}
	})
	node := New(func(string) ([]byte, error) { return []byte("a key of BFD"), nil })
	cuts(t, node, wire, a, "authentication-key-ref", "bfd", "authentication-key-id", "9")
}
