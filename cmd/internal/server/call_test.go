package server

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"

	"incidentd/datastore"
	"incidentd/netconf/netconftest"
	"incidentd/netconf/transport"
	"incidentd/yang/data"
)

// receiver is the far end of calls: a listener that logs in where it is called.
type receiver struct {
	t            *testing.T
	ln           net.Listener
	last         uint32            // the highest sequenceNumber
	ids          map[uint32]string // what came with each
	again, calls int
}

// take accepts one call and reads up to n notifications, or the end of the connection.
// Then it cuts the link. done tells that the incident last has come.
func (r *receiver) take(n int, last string) (done bool) {
	tcp, err := r.ln.Accept()
	if err != nil {
		r.t.Fatal(err)
	}
	r.calls++
	defer func() {
		tcp.(*net.TCPConn).SetLinger(0) // what is under way is lost
		tcp.Close()
	}()
	sc, channels, requests, err := ssh.NewClientConn(tcp, "", &ssh.ClientConfig{
		User: admin.Name, Auth: []ssh.AuthMethod{ssh.Password(admin.Password)}, HostKeyCallback: ssh.InsecureIgnoreHostKey()})
	if err != nil {
		return false
	}
	s, err := ssh.NewClient(sc, channels, requests).NewSession()
	if err != nil {
		return false
	}
	in, _ := s.StdinPipe()
	out, _ := s.StdoutPipe()
	if s.RequestSubsystem("netconf") != nil {
		return false
	}
	fmt.Fprint(in, netconftest.Hello("1.1")+"]]>]]>")
	m := transport.NewReader(bufio.NewReader(out), 0)
	if _, err := m.ReadMessage(); err != nil {
		return false
	}
	m.Upgrade()
	for ; n > 0; n-- {
		tcp.SetReadDeadline(time.Now().Add(200 * time.Millisecond)) // there may be no more
		text, err := m.ReadMessage()
		if err != nil {
			return false
		}
		if r.note(text) == last && last != "" {
			return true
		}
	}
	return false
}

// note takes a notification and returns the id of its incident.
func (r *receiver) note(text []byte) string {
	id := between(text, "<incident-id>", "</incident-id>")
	_, sequence, _ := bytes.Cut(text, []byte("<sequenceNumber"))
	number, err := strconv.ParseUint(between(sequence, ">", "<"), 10, 32)
	switch n := uint32(number); {
	case err != nil:
		r.t.Errorf("no number in %s", text)
	case id == "": // about the subscription itself
	case n <= r.last:
		if r.again++; r.ids[n] != id {
			r.t.Errorf("number %d was %s and is now %s", n, r.ids[n], id)
		}
	case n != r.last+1:
		r.t.Errorf("number %d after %d: a gap", n, r.last)
		fallthrough
	default:
		r.last, r.ids[n] = n, id
	}
	return id
}

func between(text []byte, before, after string) string {
	_, rest, _ := bytes.Cut(text, []byte(before))
	found, _, _ := bytes.Cut(rest, []byte(after))
	return string(found)
}

// A receiver whose link is cut again and again, with all that is under way in it, and
// whose server is restarted, gets every event record, in order, each with one number: what
// comes twice bears the number that it had. CUTS makes it long.
func TestReceiverLosesLinks(t *testing.T) {
	cuts, _ := strconv.Atoi(os.Getenv("CUTS"))
	cuts = max(cuts, 12)
	dir := initialised(t)
	s, _ := started(t, dir)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	host, port, _ := net.SplitHostPort(ln.Addr().String())
	configure(t, s, fmt.Sprintf(`<config>
		<notifications xmlns="urn:incidentd:yang:notifications"><sequencing/></notifications>
		<subscriptions xmlns="urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications">
			<subscription><id>1</id><stream>incidents</stream><transport xmlns:ch="urn:incidentd:yang:call-home">ch:netconf-call-home</transport>
				<receivers><receiver><name>r</name><receiver-instance-ref xmlns="urn:ietf:params:xml:ns:yang:ietf-subscribed-notif-receivers">noc</receiver-instance-ref></receiver></receivers>
			</subscription>
			<receiver-instances xmlns="urn:ietf:params:xml:ns:yang:ietf-subscribed-notif-receivers"><receiver-instance><name>noc</name>
				<call-home xmlns="urn:incidentd:yang:call-home"><address>%s</address><port>%s</port><user>%s</user></call-home>
			</receiver-instance></receiver-instances>
		</subscriptions></config>`, host, port, admin.Name))

	r := &receiver{t: t, ln: ln, ids: map[uint32]string{}}
	published := 0
	publish := func(s *Server, n int) {
		notice := s.Store().Schema().Notification("ietf-incident", "incident-notification")
		for range n {
			published++
			if err := s.Store().Update(t.Context(), func(tx *datastore.Tx) error {
				tx.Notify("incidents", data.Build(notice).Leaf("incident-id", fmt.Sprintf("inc-%d", published)).Node())
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i := range cuts {
		publish(s, 1+rand.IntN(40))
		r.take(1+rand.IntN(60), "")
		if i == cuts/2 {
			if err := s.Stop(context.Background()); err != nil {
				t.Fatal(err)
			}
			s, _ = started(t, dir)
		}
	}
	publish(s, 10)
	last := fmt.Sprintf("inc-%d", published)
	for end := time.Now().Add(60 * time.Second); !r.take(1<<30, last); {
		if time.Now().After(end) {
			t.Fatalf("%s has not come, number %d is the last", last, r.last)
		}
	}
	if int(r.last) != published {
		t.Errorf("%d event records, want %d", r.last, published)
	}
	for n := 1; n <= published; n++ {
		if want := fmt.Sprintf("inc-%d", n); r.ids[uint32(n)] != want {
			t.Fatalf("number %d was %s, want %s", n, r.ids[uint32(n)], want)
		}
	}
	t.Logf("%d calls, %d event records, %d came again", r.calls, published, r.again)
}

// TestCallFrom has a receiver called over as many ways as subscriptions want: from an
// address, and with a DSCP.
func TestCallFrom(t *testing.T) {
	s, _ := started(t, initialised(t))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if c, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}).Dial("tcp", ln.Addr().String()); err != nil {
		t.Skipf("this system has no second address to call from: %v", err)
	} else {
		c.Close()
		if c, err = ln.Accept(); err == nil {
			c.Close()
		}
	}
	host, port, _ := net.SplitHostPort(ln.Addr().String())
	receivers := `<transport xmlns:ch="urn:incidentd:yang:call-home">ch:netconf-call-home</transport>
		<receivers><receiver><name>r</name><receiver-instance-ref xmlns="urn:ietf:params:xml:ns:yang:ietf-subscribed-notif-receivers">noc</receiver-instance-ref></receiver></receivers>`
	configure(t, s, fmt.Sprintf(`<config><subscriptions xmlns="urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications">
		<subscription><id>1</id><stream>incidents</stream>%[1]s</subscription>
		<subscription><id>2</id><stream>alarms</stream><source-address>127.0.0.2</source-address>%[1]s</subscription>
		<subscription><id>3</id><stream>alarms</stream><source-address>127.0.0.2</source-address>%[1]s</subscription>
		<subscription><id>4</id><stream>oam</stream><source-address>127.0.0.2</source-address><dscp>46</dscp>%[1]s</subscription>
		<receiver-instances xmlns="urn:ietf:params:xml:ns:yang:ietf-subscribed-notif-receivers"><receiver-instance><name>noc</name>
			<call-home xmlns="urn:incidentd:yang:call-home"><address>%[2]s</address><port>%[3]s</port><user>%[4]s</user></call-home>
		</receiver-instance></receiver-instances></subscriptions></config>`, receivers, host, port, admin.Name))
	from := map[string]int{}
	for range 3 {
		c, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		from[c.RemoteAddr().(*net.TCPAddr).IP.String()]++
	}
	if diff := cmp.Diff(map[string]int{"127.0.0.1": 1, "127.0.0.2": 2}, from); diff != "" {
		t.Errorf("calls by address (-want +got):\n%s", diff)
	}
}

// configure merges into the running configuration.
func configure(t *testing.T, s *Server, config string) {
	t.Helper()
	p := data.Parser{Schema: s.Store().Schema()}
	edit, err := p.ParseDocument([]byte(config))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Store().Update(t.Context(), func(tx *datastore.Tx) error {
		running, err := data.Apply(tx.Running(), edit, data.MergeOp)
		if err == nil {
			tx.SetRunning(running)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}
