package app

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"incidentd/oam"
	"incidentd/oam/oamtest"
)

// nameServer is a name server at 127.0.0.1 over UDP and, unless alone, TCP.
func nameServer(t *testing.T, alone bool, answer dns.HandlerFunc) (port string) {
	t.Helper()
	var udp net.PacketConn
	var tcp net.Listener
	for range 100 { // until both have a port
		var err error
		if udp, err = net.ListenPacket("udp4", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		if alone {
			break
		}
		if tcp, err = net.Listen("tcp4", udp.LocalAddr().String()); err == nil {
			break
		}
		udp.Close()
	}
	servers := []*dns.Server{{PacketConn: udp, Handler: answer}}
	if tcp != nil {
		servers = append(servers, &dns.Server{Listener: tcp, Handler: answer})
	}
	for _, s := range servers {
		begun := make(chan struct{})
		s.NotifyStartedFunc = func() { close(begun) }
		go s.ActivateAndServe()
		<-begun
		t.Cleanup(func() { s.Shutdown() })
	}
	return portOf(udp.LocalAddr())
}

// record is one of a zone file.
func record(t testing.TB, s string) dns.RR {
	t.Helper()
	r, err := dns.NewRR(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestQuery(t *testing.T) {
	zone := map[string]string{
		"a.example. A":      "a.example. 60 IN A 192.0.2.1",
		"a.example. AAAA":   "a.example. 60 IN AAAA 2001:db8::1",
		"a.example. MX":     "a.example. 60 IN MX 10 Mail.example.",
		"a.example. TXT":    `a.example. 60 IN TXT "v=spf1 -all" "two"`,
		"a.example. TYPE65": `a.example. 60 IN HTTPS 1 . alpn="h2"`,
		". NS":              ". 60 IN NS a.root-servers.net.",
	}
	port := nameServer(t, false, func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		name := strings.ToLower(q.Question[0].Name)
		_, tcp := w.LocalAddr().(*net.TCPAddr)
		switch first, _, _ := strings.Cut(name, "."); first {
		case "silent":
			return
		case "refused":
			m.Rcode = dns.RcodeRefused
		case "broken":
			m.Rcode = dns.RcodeServerFailure
			m.Question = nil
		case "strange":
			m.Rcode = 3000
			m.SetEdns0(1232, false)
		case "recursive":
			if !q.RecursionDesired {
				m.Rcode = dns.RcodeRefused
			}
			m.Answer = []dns.RR{record(t, name+" 60 IN A 192.0.2.1")}
		case "alias":
			m.Answer = []dns.RR{record(t, name+" 60 IN CNAME b.example."), record(t, "b.example. 60 IN A 192.0.2.2"), record(t, "b.example. 60 IN A 192.0.2.3")}
		case "large", "closed", "again", "short":
			if !tcp {
				m.Truncated = true
				break
			}
			switch first {
			case "closed":
				w.Close()
				return
			case "again":
				m.Truncated = true
			case "short":
				w.Write([]byte{1, 2, 3})
				return
			}
			m.Answer = []dns.RR{record(t, name+" 60 IN A 192.0.2.1")}
		case "forged":
			// Others guess first: the id, then the name, then the type; then comes the answer.
			for _, change := range []func(*dns.Msg){
				func(m *dns.Msg) { m.Id++ },
				func(m *dns.Msg) {
					m.Question = []dns.Question{{Name: "x.example.", Qtype: dns.TypeA, Qclass: dns.ClassINET}}
				},
				func(m *dns.Msg) { m.Question = []dns.Question{{Name: name, Qtype: dns.TypeNS, Qclass: dns.ClassINET}} },
				func(m *dns.Msg) { m.Question = []dns.Question{{Name: name, Qtype: dns.TypeA, Qclass: dns.ClassCHAOS}} },
				func(m *dns.Msg) { m.Question = nil },
				func(m *dns.Msg) { m.Response = false },
			} {
				forged := m.Copy()
				forged.Answer = []dns.RR{record(t, name+" 60 IN A 198.51.100.66")}
				change(forged)
				w.WriteMsg(forged)
			}
			w.Write([]byte{1})
			m.Answer = []dns.RR{record(t, strings.ToUpper(name)+" 60 IN A 192.0.2.1")}
		case "garbage":
			w.Write(append(binary.BigEndian.AppendUint16(nil, q.Id), 0x80, 0, 0, 9, 0, 9, 0, 9, 0, 9, 200))
			return
		default:
			s, ok := zone[name+" "+dns.TypeToString[q.Question[0].Qtype]]
			if q.Question[0].Qtype == dns.TypeHTTPS {
				s, ok = zone["a.example. TYPE65"], true
			}
			if ok {
				m.Answer = []dns.RR{record(t, s)}
			} else if name != "a.example." {
				m.Rcode = dns.RcodeNameError
			}
		}
		w.WriteMsg(m)
	})
	for _, tt := range []struct {
		name, ask string
		leafs     []string
		code      string
		good      bool
	}{
		{"address", "a.example", nil, "NOERROR", true},
		{"in other case", "A.eXample.", nil, "NOERROR", true},
		{"of IPv6", "a.example", []string{"query-type", "AAAA", "expected-answer", "2001:DB8:0::1"}, "NOERROR", true},
		{"of a type by number", "a.example", []string{"query-type", "TYPE65"}, "NOERROR", true},
		{"the root", ".", []string{"query-type", "NS", "expected-answer", "A.root-servers.net."}, "NOERROR", true},
		{"names in other case", "a.example", []string{"query-type", "MX", "expected-answer", "10 mail.example."}, "NOERROR", true},
		{"text", "a.example", []string{"query-type", "TXT", "expected-answer", `"v=spf1 -all" "two"`}, "NOERROR", true},
		{"text in other case", "a.example", []string{"query-type", "TXT", "expected-answer", `"v=SPF1 -all" "two"`}, "wrong-answer", false},
		{"wrong answer", "a.example", []string{"expected-answer", "192.0.2.9"}, "wrong-answer", false},
		{"behind an alias", "alias.example", []string{"expected-answer", "192.0.2.3", "expected-answer", "192.0.2.2"}, "NOERROR", true},
		{"one of two", "alias.example", []string{"expected-answer", "192.0.2.3", "expected-answer", "192.0.2.4"}, "wrong-answer", false},
		{"no such name", "no.example", nil, "NXDOMAIN", false},
		{"no such name, as expected", "no.example", []string{"expected-rcode", "NXDOMAIN"}, "NXDOMAIN", true},
		{"no such type", "a.example", []string{"query-type", "SRV"}, "NODATA", false},
		{"no such type, as expected", "a.example", []string{"query-type", "SRV", "expected-rcode", "NODATA"}, "NODATA", true},
		{"refused", "refused.example", nil, "REFUSED", false},
		{"failing, without the question", "broken.example", nil, "SERVFAIL", false},
		{"a code that has no name", "strange.example", nil, "RCODE3000", false},
		{"silent", "silent.example", []string{"session-timeout", "50"}, "timeout", false},
		{"recursive", "recursive.example", nil, "NOERROR", true},
		{"not recursive", "recursive.example", []string{"recursion-desired", "false"}, "REFUSED", false},
		{"truncated", "large.example", []string{"expected-answer", "192.0.2.1", "dscp", "46"}, "NOERROR", true},
		{"truncated again", "again.example", nil, "malformed", false},
		{"truncated and closed", "closed.example", nil, "closed", false},
		{"truncated and short", "short.example", nil, "malformed", false},
		{"forged", "forged.example", []string{"expected-answer", "192.0.2.1"}, "NOERROR", true},
		{"garbage", "garbage.example", nil, "malformed", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			leafs := append([]string{"target", "127.0.0.1", "destination-port", port, "query-name", tt.ask, "number-of-packets", "3", "interval", "1000", "session-timeout", "20000"}, tt.leafs...)
			got := oamtest.Run(t, Query, oamtest.Params(t, "dns-query", leafs...), "")
			if diff := cmp.Diff([]oam.Response{{Code: tt.code, Count: 3}}, got.Responses); diff != "" {
				t.Error(diff)
			}
			want := oam.Packets{Sent: 3, Received: 3}
			if !tt.good {
				want.Received = 0
			}
			if *got.Packets != want || got.Errors.Lost != 3-want.Received {
				t.Errorf("%+v %+v", got.Packets, got.Errors)
			}
		})
	}
	// Without a listener.
	got := oamtest.Run(t, Query, oamtest.Params(t, "dns-query", "target", "127.0.0.1", "destination-port", closedPort(t), "query-name", "a.example",
		"number-of-packets", "3", "interval", "1000", "session-timeout", "20000"), "")
	if !cmp.Equal(got.Responses, []oam.Response{{Code: "refused", Count: 3}}) {
		t.Errorf("a closed port: %+v", got.Responses)
	}
	// Truncated, where TCP is closed.
	port = nameServer(t, true, func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		m.Truncated = true
		w.WriteMsg(m)
	})
	got = oamtest.Run(t, Query, oamtest.Params(t, "dns-query", "target", "127.0.0.1", "destination-port", port, "query-name", "a.example",
		"number-of-packets", "3", "interval", "1000", "session-timeout", "20000"), "")
	if !cmp.Equal(got.Responses, []oam.Response{{Code: "refused", Count: 3}}) {
		t.Errorf("truncated without TCP: %+v", got.Responses)
	}
}

func TestQueryRefuses(t *testing.T) {
	for _, leafs := range [][]string{
		{"query-type", "AXFR"}, {"query-type", "OPT"}, {"query-type", "NOSUCH"}, {"query-type", "TYPE65536"}, {"query-type", "TYPE"},
		{"expected-rcode", "NOSUCH"},
		{"expected-answer", "192.0.2"}, {"expected-answer", "2001:db8::1"}, {"expected-answer", "192.0.2.1\n$INCLUDE /etc/passwd"},
		{"expected-answer", "192.0.2.1\nb.example. IN A 192.0.2.2"}, {"expected-answer", "("}, {"expected-answer", "; none"},
	} {
		if _, err := Query(oamtest.Params(t, "dns-query", append([]string{"target", "127.0.0.1", "query-name", "a.example"}, leafs...)...)); err == nil {
			t.Errorf("Query(%q) takes it", leafs)
		} else if strings.Contains(err.Error(), "root:") {
			t.Errorf("Query(%q) tells a file: %v", leafs, err)
		}
	}
}

// A name server that is not ours.
func TestQueryDnsmasq(t *testing.T) {
	program, err := exec.LookPath("dnsmasq")
	if err != nil {
		t.Skip("dnsmasq is not installed (apt: dnsmasq-base)")
	}
	port := closedPort(t)
	args := []string{"--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=", "--pid-file=",
		"--listen-address=127.0.0.1", "--bind-interfaces", "--port=" + port, "--host-record=a.example,192.0.2.1", "--local=/a.example/", "--local=/gone.example/"}
	for i := range 60 { // more than fits into a packet
		args = append(args, fmt.Sprintf("--txt-record=large.example,%03d-%s", i, strings.Repeat("x", 60)))
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	ask := func(name string, leafs ...string) *oam.Measurement {
		return oamtest.Run(t, Query, oamtest.Params(t, "dns-query", append([]string{"target", "127.0.0.1", "destination-port", port, "query-name", name,
			"number-of-packets", "3", "interval", "1000"}, leafs...)...), "")
	}
	for end := time.Now().Add(10 * time.Second); ask("a.example").Packets.Received < 3; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("dnsmasq does not answer")
		}
	}
	for _, tt := range []struct {
		ask   string
		leafs []string
		code  string
	}{
		{"a.example", []string{"expected-answer", "192.0.2.1"}, "NOERROR"},
		{"a.example", []string{"query-type", "AAAA"}, "NODATA"},
		{"no.gone.example", nil, "NXDOMAIN"},
		{"elsewhere.test", nil, "REFUSED"},
		{"large.example", []string{"query-type", "TXT", "expected-answer", "059-" + strings.Repeat("x", 60)}, "NOERROR"},
	} {
		if got := ask(tt.ask, tt.leafs...); !cmp.Equal(got.Responses, []oam.Response{{Code: tt.code, Count: 3}}) {
			t.Errorf("%s %q: %+v, want %s", tt.ask, tt.leafs, got.Responses, tt.code)
		}
	}
}

// Over IPv6, with a class, from a source: a Dial that cannot be had is a fault.
func TestQuerySource(t *testing.T) {
	test, err := Query(oamtest.Params(t, "dns-query", "target", "::1", "query-name", "a.example", "number-of-packets", "1", "session-timeout", "100", "dscp", "10"))
	if err != nil {
		t.Fatal(err)
	}
	env := oamtest.Env(test, "")
	env.Vantage.SourceAddress = netip.MustParseAddr("::1")
	m, err := test.Run(context.Background(), env)
	if err != nil {
		t.Skip("no IPv6 here:", err)
	}
	if m.Packets.Sent != 1 || len(m.Responses) != 1 {
		t.Errorf("%+v %+v", m.Packets, m.Responses)
	}
}

func FuzzJudge(f *testing.F) {
	test, err := Query(oamtest.Params(f, "dns-query", "target", "::1", "query-name", "a.example", "expected-answer", "192.0.2.1"))
	if err != nil {
		f.Fatal(err)
	}
	q := test.(*query)
	question := q.question()
	question.Id = 0x1234
	m := new(dns.Msg).SetReply(question)
	add := func() {
		b, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	add()
	m.Answer = []dns.RR{record(f, "a.example. 60 IN A 192.0.2.1"), record(f, "a.example. 60 IN TXT x")}
	add()
	m.Compress, m.Truncated = true, true
	add()
	f.Fuzz(func(t *testing.T, b []byte) {
		code, good, answers := q.judge(question, b)
		if answers && (b[0] != 0x12 || b[1] != 0x34) || good && code != "NOERROR" || !answers && code != "" {
			t.Errorf("%x: %q, good %t, an answer %t", b, code, good, answers)
		}
	})
}
