package netconf_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"incidentd/netconf"
	"incidentd/netconf/netconftest"
)

// attack is what a client sends after its hello, and what comes of it.
type attack struct {
	name string
	send func(w io.Writer) error
	// reply is in what the server sends before it ends the session or falls silent, and
	// log in what it logs.
	reply, log string
	// memory is how many MiB the server may take beyond what it takes for a small
	// request.
	memory int
}

const (
	rpcBegin = `<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="1">`
	mebibyte = 1 << 20
)

// chunked sends a message of parts, each a chunk, times over; the message then ends.
func chunked(head, part string, times int, tail string) func(io.Writer) error {
	return func(w io.Writer) error {
		chunk := []byte(fmt.Sprintf("\n#%d\n%s", len(part), part))
		if _, err := fmt.Fprintf(w, "\n#%d\n%s", len(head), head); err != nil {
			return err
		}
		many := max(1, 64<<10/len(chunk))
		block := bytes.Repeat(chunk, many)
		for ; times >= many; times -= many {
			if _, err := w.Write(block); err != nil {
				return err
			}
		}
		_, err := fmt.Fprintf(w, "%s\n#%d\n%s\n##\n", bytes.Repeat(chunk, times), len(tail), tail)
		return err
	}
}

// sized is a request of exactly size bytes, in chunks of 64 KiB.
func sized(size int) func(io.Writer) error {
	const head, tail = rpcBegin + `<get><filter type="subtree"><x xmlns="urn:x">`, `</x></filter></get></rpc>`
	text := size - len(head) - len(tail)
	return func(w io.Writer) error {
		return chunked(head+strings.Repeat("a", text%(64<<10)), strings.Repeat("a", 64<<10), text/(64<<10), tail)(w)
	}
}

func plain(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

func message(text string) func(io.Writer) error {
	return plain(fmt.Sprintf("\n#%d\n%s\n##\n", len(text), text))
}

const bomb = `<?xml version="1.0"?><!DOCTYPE rpc [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">` +
	`<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">]>` + rpcBegin + `<get>&d;</get></rpc>`

// attacks are those of one session. The bounds are stated for the default limits: a
// message of 64 MiB that is one text may take eight times its size from its first byte to
// its reply, when the garbage collector is late; others five times.
var attacks = []attack{
	{name: "a small request", send: message(rpcBegin + `<get-config><source><running/></source></get-config></rpc>`), reply: "<rpc-reply"},
	{name: "a chunk of nothing", send: plain("\n#0\n\n##\n"), log: "chunk's size begins with '0'"},
	{name: "a size with leading zeros", send: plain("\n#0004\n<a/>\n##\n"), log: "chunk's size begins with '0'"},
	{name: "a chunk of 4294967296 bytes", send: plain("\n#4294967296\n<a/>"), log: "more than 4294967295 bytes"},
	{name: "a chunk said to be of 4294967295 bytes", send: plain("\n#4294967295\n<a/>"), log: "a message was too big"},
	{name: "a size without end", send: plain("\n#" + strings.Repeat("1", mebibyte)), log: "more than 4294967295 bytes"},
	{name: "a message without a chunk", send: plain("\n##\n"), log: "a message without a chunk"},
	{name: "chunks of one byte", send: chunked(rpcBegin+`<get-config><source><running/></source></get-config>`, " ", mebibyte, `</rpc>`), reply: "<rpc-reply", memory: 32},
	{name: "64 MiB", send: sized(64 * mebibyte), reply: "<rpc-reply", memory: 8 * 64},
	{name: "64 MiB and one byte", send: sized(64*mebibyte + 1), log: "a message was too big", memory: 5 * 64},
	{name: "64 MiB of filter", send: chunked(rpcBegin+`<get><filter type="subtree">`, strings.Repeat("<a/>", 16<<10), 1000, `</filter></get></rpc>`), reply: "too-big", memory: 5 * 64},
	{name: "64 MiB of unknown elements", send: chunked(rpcBegin+`<edit-config><target><running/></target><config>`, strings.Repeat("<a/>", 16<<10), 1000, `</config></edit-config></rpc>`), reply: "unknown-element", memory: 5 * 64},
	{name: "64 MiB of users", send: chunked(rpcBegin+`<edit-config><target><running/></target><test-option>test-only</test-option><config><system xmlns="urn:ietf:params:xml:ns:yang:ietf-system"><dns-resolver>`,
		strings.Repeat("<search>a</search>", 3640), 1000, `</dns-resolver></system></config></edit-config></rpc>`), reply: "it stands there twice", memory: 5 * 64},
	{name: "10,000 levels", send: message(rpcBegin + strings.Repeat("<a>", 10_000) + strings.Repeat("</a>", 10_000) + `</rpc>`), reply: "malformed-message", memory: 16},
	{name: "a million attributes", send: chunked(rpcBegin+`<get`, ` a="1"`, 1_000_000, `/></rpc>`), reply: "malformed-message", memory: 128},
	{name: "a million different attributes", send: message(rpcBegin + `<get` + different(1_000_000) + `/></rpc>`), reply: "malformed-message", memory: 128},
	{name: "an entity bomb", send: message(bomb), reply: "malformed-message", memory: 16},
	{name: "an unknown entity", send: message(rpcBegin + `<get>&lol;</get></rpc>`), reply: "malformed-message"},
	{name: "invalid UTF-8", send: message(rpcBegin + "<get>\xc3\x28</get></rpc>"), reply: "malformed-message"},
	{name: "half a message and silence", send: func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "\n#%d\n%s", 64*mebibyte-100, strings.Repeat("a", 32*mebibyte))
		return err
	}, memory: 5 * 64},
	{name: "10,000 requests, no reply read", send: func(w io.Writer) error {
		one := rpcBegin + `<get-schema xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"><identifier>ietf-netconf</identifier></get-schema></rpc>`
		for range 10_000 {
			if err := message(one)(w); err != nil {
				return err
			}
		}
		return nil
	}, reply: "<rpc-reply", log: "the peer does not read", memory: 32},
}

// different are n attributes of different names.
func different(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(" a" + strconv.Itoa(i) + `=""`)
	}
	return b.String()
}

// TestHostile has each attack in virtual time: its outcome, and that another session
// is answered at once in its midst and after it.
func TestHostile(t *testing.T) {
	for _, a := range attacks {
		if a.memory > 100 {
			continue // TestHostileMemory has these
		}
		t.Run(strings.ReplaceAll(a.name, " ", "-"), func(t *testing.T) {
			inBubble(t, netconftest.Config{}, func(t *testing.T, b *netconftest.Bench) {
				got := a.play(t, b)
				synctest.Wait()
				a.check(t, got, b.Log.String())
			})
		})
	}
}

// check holds what the server sent and logged to what should come of the attack.
func (a attack) check(t *testing.T, got, log string) {
	t.Helper()
	if !strings.Contains(got, a.reply) {
		t.Errorf("the replies are %.300q, which do not have %q", got, a.reply)
	}
	if !strings.Contains(log, a.log) {
		t.Errorf("the log does not have %q:\n%s", a.log, log)
	}
}

// play runs an attack, with a witness, and returns what the server sent.
func (a attack) play(t testing.TB, b *netconftest.Bench) string {
	witness := open(t, b, 0)
	defer witness.Conn.Close()
	ask := func(when string) {
		begin := time.Now()
		m, err := witness.Ask(rpc(1, `<get-config><source><running/></source></get-config>`))
		if err != nil || !strings.Contains(m, "<data") {
			t.Errorf("%s another session got %.200q, %v", when, m, err)
		}
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("%s another session waited for %v", when, took)
		}
	}
	c := b.Dial(t.Context(), "u", 16<<10)
	peer := netconftest.NewPeer(c)
	if _, err := peer.Open("1.1"); err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	unread := strings.Contains(a.name, "no reply read")
	heard := make(chan struct{})
	hear := func() {
		defer close(heard)
		for {
			m, err := peer.R.ReadMessage()
			if err != nil {
				return
			}
			got.Write(m[:min(len(m), 4<<10)])
		}
	}
	if !unread {
		go hear()
	}
	sent := make(chan error, 1)
	go func() { sent <- a.send(c) }()
	ask("during the attack")
	err := <-sent // an end of the session in the midst is one outcome
	ask("after the attack")
	if unread {
		go hear()
	}
	// What the session still has to say it says before this is answered or it ends.
	if err == nil && a.log == "" && a.reply != "" {
		err = message(rpc(2, `<close-session/>`))(c)
	} else {
		err = c.SetReadDeadline(time.Now().Add(time.Second))
	}
	if err != nil && !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("the rest: %v", err)
	}
	<-heard
	c.Close()
	return got.String()
}

// TestHalfAHello: who never finishes a hello is gone after the time for it.
func TestHalfAHello(t *testing.T) {
	inBubble(t, netconftest.Config{}, func(t *testing.T, b *netconftest.Bench) {
		var conns []net.Conn
		for i := range 1000 {
			c := b.Dial(t.Context(), "u", 0)
			if _, err := io.WriteString(c, netconftest.Hello("1.1")[:i%100]); err != nil {
				t.Fatal(err)
			}
			conns = append(conns, c)
		}
		witness := open(t, b, 0)
		defer witness.Conn.Close()
		if m, err := witness.Ask(rpc(1, `<get-config><source><running/></source></get-config>`)); err != nil || !strings.Contains(m, "<data") {
			t.Errorf("another session got %.200q, %v", m, err)
		}
		begin := time.Now()
		for _, c := range conns {
			if _, err := io.Copy(io.Discard, c); err != nil {
				t.Error(err)
			}
		}
		if took := time.Since(begin); took != 30*time.Second {
			t.Errorf("they were there for %v, want 30s", took)
		}
		synctest.Wait()
	})
}

// TestHostileMemory runs each attack that may take memory in a process of its own, and
// holds its outcome and the most memory that the process ever had.
func TestHostileMemory(t *testing.T) {
	if _, err := os.ReadFile("/proc/self/status"); err != nil {
		t.Skip("the peak of a process is read from /proc, which is not here")
	}
	if testing.Short() || raceEnabled {
		t.Skip("some seconds of work, and the race detector takes memory of its own")
	}
	usual := 0
	for i, a := range attacks {
		if i > 0 && a.memory == 0 {
			continue
		}
		peak := peakOf(t, a.name)
		if i == 0 {
			usual = peak
		}
		t.Logf("%s: %d MiB", a.name, peak-usual)
		if bound := usual + a.memory + 24; peak > bound { // two runs differ by as much
			t.Errorf("%s took %d MiB, %d beyond the usual; want at most %d", a.name, peak, peak-usual, a.memory)
		}
	}
}

var peakLine = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// peakOf is the peak of the resident memory in MiB while an attack is played.
func peakOf(t *testing.T, name string) int {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestHostileChild$", "-test.v")
	cmd.Env = append(os.Environ(), "INCIDENTD_ATTACK="+name)
	out, err := cmd.CombinedOutput()
	m := peakLine.FindSubmatch(out)
	if err != nil || m == nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	n, err := strconv.Atoi(string(m[1]))
	if err != nil {
		t.Fatal(err)
	}
	return n >> 10
}

// TestHostileChild is the process of TestHostileMemory.
func TestHostileChild(t *testing.T) {
	name := os.Getenv("INCIDENTD_ATTACK")
	if name == "" {
		t.Skip("it is run by TestHostileMemory")
	}
	for _, a := range attacks {
		if a.name != name {
			continue
		}
		b := netconftest.New(t, netconftest.Config{Limits: netconf.Limits{Stall: time.Second}})
		got := a.play(t, b)
		status, err := os.ReadFile("/proc/self/status")
		if err != nil {
			t.Fatal(err)
		}
		t.Log(peakLine.FindString(string(status)))
		if err := b.Server.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		a.check(t, got, b.Log.String())
	}
}

// BenchmarkBesideHostile is how long a session waits for the reply to a small request
// while another is at an attack, again and again.
func BenchmarkBesideHostile(b *testing.B) {
	for i, a := range attacks {
		if i > 0 && a.memory == 0 {
			continue
		}
		name := a.name
		if i == 0 {
			name = "nothing"
		}
		b.Run(strings.ReplaceAll(name, " ", "-"), func(b *testing.B) {
			bench := netconftest.New(b, netconftest.Config{Limits: netconf.Limits{Stall: time.Second}})
			witness := open(b, bench, 0)
			defer witness.Conn.Close()
			stop, stopped := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(stopped)
				for i > 0 {
					select {
					case <-stop:
						return
					default:
						a.play(b, bench)
					}
				}
			}()
			for b.Loop() {
				if _, err := witness.Ask(rpc(1, `<get-config><source><running/></source></get-config>`)); err != nil {
					b.Fatal(err)
				}
			}
			close(stop)
			<-stopped
		})
	}
}
