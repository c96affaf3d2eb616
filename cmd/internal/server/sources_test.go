package server

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"incidentd/netconf/client"
	"incidentd/yang/rpcerr"
)

const sourcesNS = `xmlns="urn:incidentd:yang:sources"`

// listening waits until a source of a server listens, and returns the address.
func listening(t testing.TB, c *client.Client, source string) string {
	t.Helper()
	re := regexp.MustCompile(`<listening>\w+ ([^<]*)<`)
	filter := client.Subtree(`<sources ` + sourcesNS + `><source><name>` + source + `</name><health/></source></sources>`)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		r, err := c.Get(t.Context(), filter)
		if err != nil {
			t.Fatal(err)
		}
		if m := re.FindSubmatch(r.Raw); m != nil {
			return string(m[1])
		}
		if time.Now().After(end) {
			t.Fatalf("%s does not listen: %s", source, r.Raw)
		}
	}
}

// counter is one of the counters of a source.
func counter(t testing.TB, s *Server, source, leaf string) (n int) {
	t.Helper()
	snap := s.Store().Snapshot()
	h := s.Store().With(snap, snap.Operational(), nil).Child("sources").EntryNamed("source", source).Child("health")
	if _, err := fmt.Sscan(h.Leaf(leaf), &n); err != nil {
		t.Fatalf("%s of %s: %v", leaf, source, err)
	}
	return n
}

// A line of syslog is an alarm, and an alert and an event over HTTP are; over HTTP a user
// needs the right to report events.
func TestSources(t *testing.T) {
	s, _ := started(t, initialised(t))
	c := session(t, s)
	edit := `<sources ` + sourcesNS + `>
		<source><name>udp</name><syslog><address>127.0.0.1</address><port>0</port></syslog></source>
		<source><name>web</name><json-lines><address>127.0.0.1</address><port>0</port><users>true</users><token><name>t</name><hash>$0$0123456789abcdef</hash></token></json-lines></source>
		</sources>
		<system xmlns="urn:ietf:params:xml:ns:yang:ietf-system"><authentication><user><name>reader</name><password>$0$reader's secret</password></user>
		<user><name>probe</name><password>$0$probe's secret</password></user></authentication></system>
		<nacm xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-acm"><groups><group><name>collectors</name><user-name>probe</user-name></group></groups></nacm>`
	if err := c.EditConfig(t.Context(), "running", []byte(edit), ""); err != nil {
		t.Fatal(err)
	}
	udp, err := net.Dial("udp", listening(t, c, "udp"))
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	if _, err := io.WriteString(udp, "<29>Nov 22 07:00:00 PE1 bgpd[1]: %ADJCHANGE: neighbor 10.0.0.2(PE2) in vrf default Down"); err != nil {
		t.Fatal(err)
	}
	url := "http://" + listening(t, c, "web") + "/events"
	post := func(id, user, password string) int {
		t.Helper()
		r, err := http.NewRequest("POST", url, strings.NewReader(`{"id":"`+id+`","node":"P1","resource":"eth1","alarm-type-id":"link-down","severity":"major"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth(user, password)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer.StatusCode
	}
	for range 2 { // the second time the password is remembered
		if got := post("e1", "probe", "probe's secret"); got != http.StatusOK {
			t.Errorf("a user who may report events: %d", got)
		}
	}
	if got := post("e2", "reader", "reader's secret"); got != http.StatusUnauthorized {
		t.Errorf("a user who may not report events: %d", got)
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		r, err := c.Get(t.Context(), client.Subtree(`<alarms xmlns="urn:ietf:params:xml:ns:yang:ietf-alarms"/>`))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(r.Raw, []byte("<resource>PE1/bgp/PE2</resource>")) && bytes.Contains(r.Raw, []byte("<resource>P1/eth1</resource>")) {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the alarms are not there: %.2000s", r.Raw)
		}
	}
	// Tokens are hidden, and the mapping is tested by those who may.
	reader, err := dial(t, s, "reader", "reader's secret")
	if err != nil {
		t.Fatal(err)
	}
	r, err := reader.GetConfig(t.Context(), "running", client.Subtree(`<sources `+sourcesNS+`/>`))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(r.Raw, []byte("sha256:")) || !bytes.Contains(r.Raw, []byte("<name>web</name>")) {
		t.Errorf("a reader sees the hashes of tokens: %s", r.Raw)
	}
	const test = `<test-mapping xmlns="urn:incidentd:yang:mapping"><line>&lt;29&gt;Nov 22 07:00:00 PE1 bgpd[1]: x</line></test-mapping>`
	var denied *rpcerr.Error
	if _, err := reader.Call(t.Context(), []byte(test)); !errors.As(err, &denied) || denied.Tag != rpcerr.TagAccessDenied {
		t.Errorf("test-mapping of a reader: %v", err)
	}
	if r, err := c.Call(t.Context(), []byte(test)); err != nil || !bytes.Contains(r.Raw, []byte(">unmapped</outcome>")) {
		t.Errorf("test-mapping: %v, %s", err, r.Raw)
	}
	// The tables that come with the server are in operational, and count.
	table, err := c.Get(t.Context(), client.Subtree(`<mapping xmlns="urn:incidentd:yang:mapping"><table><name>frr</name></table></mapping>`))
	if err != nil || !regexp.MustCompile(`(?s)<name>bgp-neighbour</name>.*?<hits>1</hits>`).Match(table.Raw) {
		t.Errorf("the table frr: %v, %s", err, table.Raw)
	}
}

// BenchmarkSources is the way from a socket to the disk, by kind of source: events a
// second that a whole server takes, and how many of a flood over UDP it does not.
func BenchmarkSources(b *testing.B) {
	lines := make([]string, 64)
	for i := range lines {
		state := []string{"Down", "Up"}[i/32]
		lines[i] = fmt.Sprintf("<29>Nov 22 07:00:00 PE%d bgpd[1]: %%ADJCHANGE: neighbor 10.0.0.%d in vrf default %s", i%8, i%32, state)
	}
	start := func(b *testing.B, config string) (*Server, string) {
		s, _ := started(b, initialised(b))
		c := session(b, s)
		if err := c.EditConfig(b.Context(), "running", []byte(`<sources `+sourcesNS+`><source><name>s</name>`+config+`</source></sources>`), ""); err != nil {
			b.Fatal(err)
		}
		return s, listening(b, c, "s")
	}
	until := func(b *testing.B, s *Server, n int) {
		for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
			got := counter(b, s, "s", "events")
			if got >= n {
				return
			}
			if time.Now().After(end) {
				b.Fatalf("%d of %d events", got, n)
			}
		}
	}
	const place = `<address>127.0.0.1</address><port>0</port>`
	b.Run("syslog-tcp", func(b *testing.B) {
		s, address := start(b, `<syslog>`+place+`<transport>tcp</transport></syslog>`)
		c, err := net.Dial("tcp", address)
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		n := 0
		for b.Loop() {
			var batch strings.Builder
			for i := range 1000 {
				batch.WriteString(lines[i%64])
				batch.WriteByte('\n')
			}
			if _, err := io.WriteString(c, batch.String()); err != nil {
				b.Fatal(err)
			}
			n += 1000
		}
		until(b, s, n)
		b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
	})
	b.Run("syslog-udp", func(b *testing.B) {
		s, address := start(b, `<syslog>`+place+`</syslog>`)
		c, err := net.Dial("udp", address)
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		n := 0
		for b.Loop() {
			for i := range 1000 {
				if _, err := io.WriteString(c, lines[i%64]); err != nil {
					b.Fatal(err)
				}
			}
			n += 1000
		}
		elapsed := b.Elapsed().Seconds()
		time.Sleep(time.Second)
		events := counter(b, s, "s", "events")
		b.ReportMetric(float64(n)/elapsed, "sent/s")
		b.ReportMetric(float64(events)/elapsed, "events/s")
		b.ReportMetric(float64(counter(b, s, "s", "dropped"))/float64(n), "dropped/sent")
	})
	b.Run("json-lines", func(b *testing.B) {
		_, address := start(b, `<json-lines>`+place+`<anonymous>true</anonymous></json-lines>`)
		n := 0
		for b.Loop() {
			var body strings.Builder
			for i := range 1000 {
				fmt.Fprintf(&body, `{"id":"e%d","node":"PE%d","resource":"eth%d","alarm-type-id":"link-down","severity":"%s"}`+"\n", n+i, i%8, i%32, []string{"major", "cleared"}[i/32%2])
			}
			r, err := http.Post("http://"+address+"/events", "application/json", strings.NewReader(body.String()))
			if err != nil {
				b.Fatal(err)
			}
			_, err = io.Copy(io.Discard, r.Body)
			if err = errors.Join(err, r.Body.Close()); err != nil || r.StatusCode != http.StatusOK {
				b.Fatal(r.Status, err)
			}
			n += 1000
		}
		b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
	})
}

// Of two sources that would listen at one place the one that comes later is refused, also while
// neither listens yet.
func TestSourcesOfOnePort(t *testing.T) {
	s, _ := started(t, initialised(t))
	c := session(t, s)
	const (
		first  = `<source><name>a</name><enabled>%t</enabled><syslog><port>5514</port><address>127.0.0.1</address></syslog></source>`
		second = `<source><name>b</name><snmp><address>%s</address><port>%d</port><community>c</community></snmp></source>`
	)
	edit := func(sources string) error {
		return c.EditConfig(t.Context(), "running", []byte(`<sources `+sourcesNS+`>`+sources+`</sources>`), "")
	}
	var clash *rpcerr.Error
	both := fmt.Sprintf(first+second, true, "127.0.0.1", 5514)
	if err := edit(both); !errors.As(err, &clash) || clash.Tag != rpcerr.TagInvalidValue || !strings.HasSuffix(clash.Path.Expr, "source[ids:name='b']/ids:snmp/ids:port") ||
		clash.Message != `the source "a" listens at port 5514 of 127.0.0.1 already, by udp: give one of them another port or address` {
		t.Errorf("both at once: %v", err)
	}
	if err := edit(fmt.Sprintf(first, false) + fmt.Sprintf(second, "127.0.0.1", 5514)); err != nil {
		t.Errorf("the other is not to run: %v", err)
	}
	if err := edit(fmt.Sprintf(first, true)); !errors.As(err, &clash) || !strings.Contains(clash.Path.Expr, "source[ids:name='a']") {
		t.Errorf("the other is to run: %v", err)
	}
	if err := edit(fmt.Sprintf(first, true) + fmt.Sprintf(second, "127.0.0.1", 5515)); err != nil {
		t.Errorf("another port: %v", err)
	}
	if err := edit(fmt.Sprintf(second, "0.0.0.0", 5514)); !errors.As(err, &clash) {
		t.Errorf("all addresses of a port: %v", err)
	}
}
