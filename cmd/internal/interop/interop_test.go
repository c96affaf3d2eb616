package interop

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/Juniper/go-netconf/netconf"
	"golang.org/x/crypto/ssh"
)

const (
	password = "interop-password"
	base10   = "urn:ietf:params:netconf:base:1.0"
	incident = "urn:ietf:params:xml:ns:yang:ietf-incident"
	network  = "urn:ietf:params:xml:ns:yang:ietf-network"
)

var listening = regexp.MustCompile(`msg="?listening"?.*addr="?([^ "]+)`)

// start starts a server with a data directory of its own and returns its address. At
// the end of the test the server has to end by itself when it is told to.
func start(t *testing.T) string {
	t.Helper()
	program := os.Getenv("INCIDENTD_BIN")
	if program == "" {
		t.Skip("INCIDENTD_BIN names no server; make interop does")
	}
	data := filepath.Join(t.TempDir(), "data")
	init := exec.Command(program, "init", "--data", data, "--password-stdin")
	init.Stdin = strings.NewReader(password + "\n")
	if out, err := init.CombinedOutput(); err != nil {
		t.Fatalf("init: %v\n%s", err, out)
	}
	serve := exec.Command(program, "serve", "--data", data, "--listen", "127.0.0.1:0")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	serve.Stdout, serve.Stderr = w, w
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	addr := make(chan string, 1)
	logged := make(chan string, 1)
	go func() {
		var log bytes.Buffer
		told := false
		for lines := bufio.NewScanner(r); lines.Scan(); {
			fmt.Fprintln(&log, lines.Text())
			if m := listening.FindStringSubmatch(lines.Text()); m != nil && !told {
				told = true
				addr <- m[1]
			}
		}
		close(addr)
		logged <- log.String()
	}()
	t.Cleanup(func() {
		if err := serve.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		kill := time.AfterFunc(10*time.Second, func() { serve.Process.Kill() })
		err := serve.Wait()
		if !kill.Stop() {
			t.Error("the server did not end within 10 s of SIGTERM")
		}
		log := <-logged
		r.Close()
		if err != nil || t.Failed() {
			t.Errorf("the server ended: %v\n%s", err, log)
		}
	})
	select {
	case a, ok := <-addr:
		if ok {
			return a
		}
	case <-time.After(30 * time.Second):
	}
	t.Fatal("the server is not listening")
	return ""
}

// dial opens a session over base:1.0. The library's own way in takes base:1.1 when the
// server offers it, whose framing it does not master.
func dial(t *testing.T, addr string) *netconf.Session {
	t.Helper()
	cfg := netconf.SSHConfigPassword("admin", password)
	cfg.HostKeyCallback = ssh.InsecureIgnoreHostKey() // made a moment ago by init
	tr := &netconf.TransportSSH{}
	if err := tr.Dial(addr, cfg); err != nil {
		t.Fatal(err)
	}
	hello, err := tr.ReceiveHello()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{base10, "urn:ietf:params:netconf:capability:notification:1.0"} {
		if !slices.Contains(hello.Capabilities, want) {
			t.Errorf("the hello lacks %s", want)
		}
	}
	if hello.SessionID == 0 {
		t.Error("the hello has no session-id")
	}
	if err := tr.SendHello(&netconf.HelloMessage{Capabilities: []string{base10}}); err != nil {
		t.Fatal(err)
	}
	tr.SetVersion("v1.0")
	return &netconf.Session{Transport: tr, SessionID: hello.SessionID, ServerCapabilities: hello.Capabilities}
}

// call runs an operation and returns what is in the reply.
func call(t *testing.T, s *netconf.Session, op string) string {
	t.Helper()
	reply, err := s.Exec(netconf.RawMethod(op))
	if err != nil {
		t.Fatalf("%.80s: %v", op, err)
	}
	return reply.Data
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "..", "testdata", "interop", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// reply is what the test looks at in the data of a reply.
type reply struct {
	Networks []struct {
		ID    string   `xml:"network-id"`
		Nodes []string `xml:"node>node-id"`
	} `xml:"data>networks>network"`
	Incidents []struct {
		ID       string   `xml:"incident-id"`
		Name     string   `xml:"name"`
		Services []string `xml:"service-instance"`
		Causes   []string `xml:"root-causes>root-cause>node"`
	} `xml:"data>incidents>incident"`
}

func get(t *testing.T, s *netconf.Session, op, filter string) (r reply) {
	t.Helper()
	source := ""
	if op == "get-config" {
		source = "<source><running/></source>"
	}
	data := call(t, s, fmt.Sprintf(`<%s>%s<filter type="subtree">%s</filter></%[1]s>`, op, source, filter))
	if err := xml.Unmarshal([]byte("<rpc-reply>"+data+"</rpc-reply>"), &r); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return r
}

func TestGoNetconf(t *testing.T) {
	s := dial(t, start(t))
	networks := fmt.Sprintf(`<networks xmlns="%s"/>`, network)
	incidents := fmt.Sprintf(`<incidents xmlns="%s"/>`, incident)
	if r := get(t, s, "get", incidents); len(r.Incidents) != 0 {
		t.Errorf("incidents before anything happened: %+v", r)
	}
	call(t, s, "<edit-config><target><running/></target><config>"+read(t, "network.xml")+"</config></edit-config>")
	r := get(t, s, "get-config", networks)
	nodes := map[string]int{}
	for _, n := range r.Networks {
		nodes[n.ID] = len(n.Nodes)
	}
	if want := map[string]int{"ip": 4, "VPN-A": 2}; !maps.Equal(nodes, want) {
		t.Fatalf("after the merge the networks have %v nodes, want %v", nodes, want)
	}
	if _, err := s.Exec(netconf.RawMethod("<edit-config><target><running/></target><config>" +
		`<networks xmlns="` + network + `"><network><network-id>x</network-id><nonsense/></network></networks></config></edit-config>`)); err == nil {
		t.Error("an unknown element was accepted")
	}
	call(t, s, "<lock><target><running/></target></lock>")
	call(t, s, "<unlock><target><running/></target></unlock>")
	if got := call(t, s, read(t, "report-events.xml")); !strings.Contains(got, ">3</") {
		t.Errorf("report-events: %s", got)
	}
	// This client knows no notifications, so it asks until the incident is there.
	for deadline := time.Now().Add(time.Minute); ; {
		r := get(t, s, "get", incidents)
		if len(r.Incidents) == 1 {
			i := r.Incidents[0]
			if i.Name != "VPN-A unavailable" || len(i.Causes) == 0 || i.Causes[0] != "P1" || !slices.Equal(i.Services, []string{"VPN-A"}) {
				t.Errorf("the incident is %+v", i)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("no incident within a minute: %+v", r)
		}
		<-time.After(200 * time.Millisecond) // a real server keeps real time
	}
	call(t, s, "<close-session/>")
	s.Close()
}
