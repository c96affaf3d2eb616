package subscribe_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"incidentd/netconf/auth"
	"incidentd/netconf/netconftest"
	"incidentd/netconf/transport"
)

// place is where a storm is, for the processes of its clients.
type place struct {
	storm
	Addr             string
	HostKey, UserKey []byte // in PEM
}

const placeVariable = "PROMISE_PLACE"

// serveStorm serves a bench over SSH on the loopback interface until the benchmark ends.
func serveStorm(b *testing.B, bench *netconftest.Bench, s storm) place {
	p := place{storm: s}
	var keys [2]ssh.Signer
	for i, text := range []*[]byte{&p.HostKey, &p.UserKey} {
		var err error
		if *text, err = transport.GenerateHostKey(); err == nil {
			keys[i], err = ssh.ParsePrivateKey(*text)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	users := auth.Users{"u": {Name: "u", Keys: []ssh.PublicKey{keys[1].PublicKey()}}}
	server, err := transport.NewServer(transport.Config{HostKeys: keys[:1], Authenticator: auth.New(users), Limits: transport.Limits{MaxPerUser: 1024}})
	if err != nil {
		b.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	p.Addr = ln.Addr().String()
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := server.Serve(context.Background(), ln, func(ctx context.Context, c *transport.Conn) { bench.Server.Serve(ctx, c) }); err != nil {
			b.Error(err)
		}
	})
	b.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		bench.Server.Stop(ctx)
		server.Shutdown(ctx)
		serving.Wait()
	})
	return p
}

// dial opens a session.
func (p place) dial(t testing.TB) io.ReadWriteCloser {
	host, err := ssh.ParsePrivateKey(p.HostKey)
	if err != nil {
		t.Fatal(err)
	}
	user, err := ssh.ParsePrivateKey(p.UserKey)
	if err != nil {
		t.Fatal(err)
	}
	tcp, err := net.Dial("tcp", p.Addr)
	if err != nil {
		t.Fatal(err)
	}
	login := &ssh.ClientConfig{User: "u", Auth: []ssh.AuthMethod{ssh.PublicKeys(user)}, HostKeyCallback: ssh.FixedHostKey(host.PublicKey())}
	c, chans, reqs, err := ssh.NewClientConn(readAhead{tcp, bufio.NewReaderSize(tcp, 64<<10)}, p.Addr, login)
	if err != nil {
		t.Fatal(err)
	}
	conn := ssh.NewClient(c, chans, reqs)
	ch, requests, err := conn.OpenChannel("session", nil)
	if err != nil {
		t.Fatal(err)
	}
	go ssh.DiscardRequests(requests)
	if ok, err := ch.SendRequest("subsystem", true, ssh.Marshal(struct{ Name string }{"netconf"})); err != nil || !ok {
		t.Fatalf("subsystem: %v, %v", ok, err)
	}
	return sshSession{ch, conn}
}

// readAhead is a connection that is read in larger pieces than package ssh does.
type readAhead struct {
	net.Conn
	r *bufio.Reader
}

func (c readAhead) Read(p []byte) (int, error) { return c.r.Read(p) }

// sshSession closes its connection with its channel.
type sshSession struct {
	ssh.Channel
	conn *ssh.Client
}

func (s sshSession) Close() error { return s.conn.Close() }

// processes are a crowd of two processes: one has the subscribers, the other asks.
type processes struct {
	b         *testing.B
	readers   *process
	asker     *process
	connected time.Duration // CPU time until all had subscribed
	atTheEnd  time.Duration // and when those that read had everything

}

// startProcesses starts the clients of a storm, which is served.
func startProcesses(b *testing.B, bench *netconftest.Bench, s storm) *processes {
	p := serveStorm(b, bench, s)
	return &processes{b: b, readers: startProcess(b, p), asker: startProcess(b, p)}
}

func (p *processes) latency(d time.Duration) (p99 time.Duration) {
	p.asker.do(p.b, "latency "+d.String(), &p99)
	return p99
}

func (p *processes) subscribe() { p.readers.do(p.b, "subscribe", &p.connected) }

func (p *processes) wait() { p.readers.do(p.b, "wait", &p.atTheEnd) }

func (p *processes) wake() (suspended, resumed int) {
	var told [2]int
	p.readers.do(p.b, "wake", &told)
	return told[0], told[1]
}

func (p *processes) used() time.Duration { return p.atTheEnd - p.connected }

// process runs BenchmarkPromiseClients, and does what it is told, a line each.
type process struct {
	in  io.Writer
	out *bufio.Scanner
}

func startProcess(b *testing.B, p place) *process {
	text, err := json.Marshal(p)
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^$", "-test.bench=^BenchmarkPromiseClients$", "-test.benchtime=1x")
	cmd.Env = append(os.Environ(), placeVariable+"="+string(text))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		in.Close()
		said, _ := io.ReadAll(out)
		if err := cmd.Wait(); err != nil {
			b.Errorf("a process of clients: %v\n%s", err, said)
		}
	})
	return &process{in, bufio.NewScanner(out)}
}

// answerMark begins a line that answers; the others are of package testing.
const answerMark = "answer: "

// do lets the process do something, and waits for its answer.
func (p *process) do(b *testing.B, what string, answer any) {
	if _, err := fmt.Fprintln(p.in, what); err != nil {
		b.Error(err)
		return
	}
	for p.out.Scan() {
		if text, ok := strings.CutPrefix(p.out.Text(), answerMark); ok {
			if err := json.Unmarshal([]byte(text), answer); err != nil {
				b.Errorf("%s: %v", what, err)
			}
			return
		}
	}
	b.Errorf("%s: %v", what, errors.Join(p.out.Err(), io.ErrUnexpectedEOF))
}

// BenchmarkPromiseClients is the process of clients of a BenchmarkPromise over SSH.
func BenchmarkPromiseClients(b *testing.B) {
	text := os.Getenv(placeVariable)
	if text == "" {
		b.Skip("it is started by BenchmarkPromise")
	}
	var p place
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		b.Fatal(err)
	}
	debug.SetGCPercent(400) // package ssh allocates each packet
	c := &clients{TB: b, storm: p.storm, dial: func() io.ReadWriteCloser { return p.dial(b) }}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var answer any
		switch what, argument, _ := strings.Cut(lines.Text(), " "); what {
		case "latency":
			d, err := time.ParseDuration(argument)
			if err != nil {
				b.Fatal(err)
			}
			answer = c.latency(d)
		case "subscribe":
			c.subscribe()
			answer = cpuTime(b)
		case "wait":
			c.wait()
			answer = cpuTime(b)
		case "wake":
			suspended, resumed := c.wake()
			answer = [2]int{suspended, resumed}
		}
		text, err := json.Marshal(answer)
		if err != nil {
			b.Fatal(err)
		}
		fmt.Printf("\n%s%s\n", answerMark, text)
	}
}

// cpuTime is what this process has used.
func cpuTime(b *testing.B) time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
