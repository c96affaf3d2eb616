package app

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"incidentd/oam"
	"incidentd/oam/farend"
	"incidentd/oam/oamtest"
	"incidentd/oam/socket"
	"incidentd/oam/testnet"
	"incidentd/oam/train"
)

// respond is an echo responder at 127.0.0.1, for everybody unless the configuration says
// whom.
func respond(t testing.TB, c ResponderConfig) (e *farend.End, port string) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("udp-echo needs Linux")
	}
	if c.Allowed == nil {
		c.Allowed = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}
	}
	if !c.Vantage.SourceAddress.IsValid() {
		c.Vantage.SourceAddress = netip.MustParseAddr("127.0.0.1")
	}
	e, err := Respond(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e, fmt.Sprint(e.Addresses()[0].Port())
}

func echoParams(t testing.TB, port string, leafs ...string) oam.Params {
	return oamtest.Params(t, "udp-echo", append([]string{"target", "127.0.0.1", "destination-port", port,
		"number-of-packets", "20", "interval", "2000", "session-timeout", "300"}, leafs...)...)
}

func TestEcho(t *testing.T) {
	for _, tt := range []struct {
		name      string
		config    ResponderConfig
		leafs     []string
		want      uint32 // received
		responses []oam.Response
	}{
		{"small", ResponderConfig{}, []string{"packet-size", "12"}, 20, nil},
		{"large, with a DSCP", ResponderConfig{}, []string{"packet-size", "9000", "dscp", "46"}, 20, nil},
		{"as large as can be", ResponderConfig{}, []string{"packet-size", "65507"}, 20, nil},
		{"too many", ResponderConfig{MaxRate: 7}, nil, 7, nil},
		{"from elsewhere", ResponderConfig{Allowed: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}, nil, 0, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, port := respond(t, tt.config)
			got := oamtest.Run(t, Echo, echoParams(t, port, append(tt.leafs, "thresholds/max-loss-ratio", "0")...), "")
			if *got.Packets != (oam.Packets{Sent: 20, Received: tt.want}) || got.Errors.Lost != 20-tt.want || (got.Verdict == oam.Pass) != (tt.want == 20) {
				t.Errorf("%+v %+v, verdict %s", got.Packets, got.Errors, got.Verdict)
			}
			if diff := cmp.Diff(tt.responses, got.Responses); diff != "" {
				t.Error(diff)
			}
			if tt.want == 20 && (got.TwoWay.Min <= 0 || got.Quality.Timestamping != oam.KernelTimestamps) {
				t.Errorf("delay %+v, quality %+v", got.TwoWay, got.Quality)
			}
			e.Close() // it counts an answer after it is sent
			if s := e.Stats(); s != (farend.Stats{Peers: s.Peers, Received: 20, Sent: uint64(tt.want), Refused: uint64(20 - tt.want)}) {
				t.Errorf("the responder has %+v", s)
			}
		})
	}
}

// A port that is closed is told by the far end, packet for packet, over both families; the
// run does not wait for more.
func TestEchoRefused(t *testing.T) {
	for _, target := range []string{"127.0.0.1", "::1"} {
		conn, err := net.ListenPacket("udp", net.JoinHostPort(target, "0"))
		if err != nil {
			t.Logf("no %s here: %v", target, err)
			continue
		}
		port := fmt.Sprint(conn.LocalAddr().(*net.UDPAddr).Port)
		conn.Close()
		began := time.Now()
		got := oamtest.Run(t, Echo, echoParams(t, port, "target", target, "session-timeout", "60000"), "")
		if *got.Packets != (oam.Packets{Sent: 20}) || got.Errors.Lost != 20 || !cmp.Equal(got.Responses, []oam.Response{{Code: "refused", Count: 20}}) {
			t.Errorf("%s: %+v %+v %+v", target, got.Packets, got.Errors, got.Responses)
		}
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("the run takes %s", took)
		}
	}
}

// What comes back otherwise than it was sent is no echo.
func TestEchoBad(t *testing.T) {
	newEchoes := func() *echoes {
		return &echoes{record: train.NewRecord(train.Plan{Packets: 3, Timeout: time.Second}), packet: bytes.Repeat([]byte{7}, 20), codes: map[string]uint32{}}
	}
	packet := func(number uint32) []byte {
		b := bytes.Repeat([]byte{7}, 20)
		binary.BigEndian.PutUint32(b[8:], number)
		return b
	}
	other := packet(0)
	other[0] = 8
	changed := packet(0)
	changed[19] = 8
	refused := socket.Message{Error: &socket.ICMPError{Errno: 111}}
	for _, tt := range []struct {
		name    string
		b       []byte
		m       socket.Message
		bad, ok uint32
	}{
		{"an echo", packet(2), socket.Message{}, 0, 1},
		{"nothing", nil, socket.Message{}, 1, 0},
		{"of another run", other, socket.Message{}, 1, 0},
		{"cut off", packet(0)[:19], socket.Message{}, 1, 0},
		{"longer", append(packet(0), 7), socket.Message{}, 1, 0},
		{"changed on the way", changed, socket.Message{}, 1, 0},
		{"a number that was not sent", packet(3), socket.Message{}, 1, 0},
		{"an error about no packet of ours", other, refused, 0, 0},
		{"an error about a packet that was not sent", packet(9), refused, 1, 0},
	} {
		r := newEchoes()
		r.take(tt.b, tt.m)
		if got := r.record.Measurement(train.Thresholds{}).Packets; got.Bad != tt.bad || got.Received != tt.ok {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
}

func FuzzEchoes(f *testing.F) {
	f.Add(bytes.Repeat([]byte{7}, 20), true)
	f.Add([]byte{7, 7, 7, 7, 7, 7, 7, 7, 0, 0, 0, 1, 7, 7}, false)
	f.Fuzz(func(t *testing.T, b []byte, wrong bool) {
		r := &echoes{record: train.NewRecord(train.Plan{Packets: 3, Timeout: time.Second}), packet: bytes.Repeat([]byte{7}, 20), codes: map[string]uint32{}}
		var m socket.Message
		if wrong {
			m.Error = &socket.ICMPError{}
		}
		r.take(b, m)
		is := len(b) == 20 && bytes.Equal(b[:8], r.packet[:8]) && bytes.Equal(b[12:], r.packet[12:]) && binary.BigEndian.Uint32(b[8:12]) < 3
		if got := r.record.Measurement(train.Thresholds{}).Packets; (got.Received == 1) != (is && !wrong) {
			t.Errorf("%x: %+v", b, got)
		}
	})
}

// Two responders, set on each other by a packet in the name of one of them, stop: each
// answer goes one hop less far.
func TestResponderLoop(t *testing.T) {
	other, ours := respond(t, ResponderConfig{})
	e, theirs := respond(t, ResponderConfig{Vantage: oam.Vantage{SourceAddress: netip.MustParseAddr("127.0.0.2")}})
	from, err := net.ResolveUDPAddr("udp4", "127.0.0.1:"+ours)
	if err != nil {
		t.Fatal(err)
	}
	// Somebody forges a packet of ours.
	raw, err := socket.Open(oam.Vantage{}, socket.Raw, false, socket.Options{Protocol: 17, HopLimit: 200})
	if err != nil {
		t.Skip(err)
	}
	defer raw.Close()
	to := netip.MustParseAddrPort("127.0.0.2:" + theirs)
	udp := binary.BigEndian.AppendUint16(nil, uint16(from.Port))
	udp = binary.BigEndian.AppendUint16(udp, to.Port())
	udp = binary.BigEndian.AppendUint16(udp, 12)
	udp = append(udp, 0, 0, 'e', 'c', 'h', 'o') // without a checksum
	if _, err := raw.Send(udp, to); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); e.Stats().Refused+other.Stats().Refused == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("they have not stopped: %+v", e.Stats())
		}
		if e.Stats().Received > 128 {
			t.Fatal("a packet goes on for more hops than it had")
		}
	}
	if s := e.Stats(); s.Sent < 50 {
		t.Errorf("they never talked: %+v", s)
	}
}

// An end that is not ours.
func TestEchoSocat(t *testing.T) {
	if _, err := exec.LookPath("socat"); err != nil {
		t.Skip("socat is not installed (apt: socat)")
	}
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := fmt.Sprint(conn.LocalAddr().(*net.UDPAddr).Port)
	conn.Close()
	cmd := exec.CommandContext(t.Context(), "socat", "UDP4-RECVFROM:"+port+",bind=127.0.0.1,fork", "PIPE")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	params := echoParams(t, port, "number-of-packets", "5", "interval", "50000", "session-timeout", "5000")
	var got *oam.Measurement
	for range 50 { // until it listens
		if got = oamtest.Run(t, Echo, params, ""); got.Packets.Received == 5 {
			return
		}
		if !slices.ContainsFunc(got.Responses, func(r oam.Response) bool { return r.Code == "refused" }) {
			break
		}
	}
	t.Errorf("%+v %+v %+v", got.Packets, got.Errors, got.Responses)
}

// echoAccuracy measures over a wire, and is what the wire did.
func echoAccuracy(t testing.TB) (*oam.Measurement, oamtest.Truth) {
	a, b, wire := oamtest.Wired(t,
		testnet.Impairment{Delay: 4 * time.Millisecond, Loss: .03}, testnet.Impairment{Delay: 6 * time.Millisecond, Loss: .02, Duplicate: .02})
	_, port := respond(t, ResponderConfig{Vantage: oam.Vantage{NetworkInstance: b.Namespace, SourceAddress: netip.MustParseAddr("10.9.0.2")}})
	got := oamtest.Run(t, Echo, echoParams(t, port, "target", "10.9.0.2", "number-of-packets", "1000", "session-timeout", "500"), a.Namespace)
	return got, oamtest.Exchanged(wire, 17, func(_ testnet.Direction, udp []byte) string { return string(udp[8:20]) })
}

// Losses, duplicates and delay are those of the wire.
func TestEchoAccuracy(t *testing.T) {
	got, want := echoAccuracy(t)
	if got.Packets.Sent != 1000 || int(got.Errors.Lost) != want.LostThere+want.LostBack || int(got.Errors.Duplicates) != want.Doubled {
		t.Errorf("%+v %+v, the wire lost %d and %d and doubled %d", got.Packets, got.Errors, want.LostThere, want.LostBack, want.Doubled)
	}
	oamtest.Compare(t, "there and back", got.TwoWay, want.Both)
}

// handshakes are the connections over a wire without losses, and what the wire did to the
// SYN and its answer.
func handshakes(t testing.TB) (*oam.Measurement, oamtest.Truth) {
	a, b, wire := oamtest.Wired(t, testnet.Impairment{Delay: 4 * time.Millisecond}, testnet.Impairment{Delay: 6 * time.Millisecond})
	var l net.Listener
	err := socket.In(oam.Vantage{NetworkInstance: b.Namespace}, func() (err error) {
		l, err = net.Listen("tcp4", "10.9.0.2:0")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Close()
		}
	}()
	got := oamtest.Run(t, Connect, oamtest.Params(t, "tcp-connect", "target", "10.9.0.2", "destination-port", portOf(l.Addr()),
		"number-of-packets", "500", "interval", "2000", "session-timeout", "5000"), a.Namespace)
	return got, oamtest.Exchanged(wire, 6, func(d testnet.Direction, tcp []byte) string {
		const syn = 2
		if tcp[13]&syn == 0 {
			return ""
		}
		at := [...]int{testnet.There: 0, testnet.Back: 2}[d]
		return string(tcp[at : at+2]) // the port of this end
	})
}

// The delay of a handshake is that of the wire.
func TestHandshakeAccuracy(t *testing.T) {
	got, want := handshakes(t)
	if got.Packets.Received != 500 || len(want.Both) != 500 {
		t.Errorf("%+v, and %d on the wire", got.Packets, len(want.Both))
	}
	oamtest.Compare(t, "there and back", got.TwoWay, want.Both)
}

// BenchmarkAccuracy is how far loss and delay are from those of the wire.
func BenchmarkAccuracy(b *testing.B) {
	for name, measure := range map[string]func(testing.TB) (*oam.Measurement, oamtest.Truth){"echo": echoAccuracy, "handshake": handshakes} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				got, want := measure(b)
				b.ReportMetric(float64(int(got.Errors.Lost)-want.LostThere-want.LostBack), "loss-off")
				oamtest.Report(b, "rtt", got.TwoWay, want.Both)
			}
		})
	}
}
