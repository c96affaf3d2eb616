package load

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// What is written of a node is what is read of it.
func TestVersions(t *testing.T) {
	config := nodes(0, 3, 0) + changed(1, 42)
	if diff := cmp.Diff(map[int]int{0: 0, 1: 42, 2: 0}, versions([]byte(config))); diff != "" {
		t.Error(diff)
	}
	pretty := "<nw:node>\n  <nw:node-id>node-0000007</nw:node-id>\n <nt:tp-id>v5</nt:tp-id>\n</nw:node>"
	if diff := cmp.Diff(map[int]int{7: 5}, versions([]byte(pretty))); diff != "" {
		t.Error(diff)
	}
}

func TestNodeIn(t *testing.T) {
	for _, c := range []struct {
		text string
		want int
		ok   bool
	}{
		{"<target>/nw:networks/nw:network[nw:network-id='ncload']/nw:node[nw:node-id='node-0000123']</target>", 123, true},
		{"tp-ref node-0000009", 9, true},
		{"node-000", 0, false},
		{"", 0, false},
	} {
		if i, ok := nodeIn([]byte(c.text)); i != c.want || ok != c.ok {
			t.Errorf("nodeIn(%q) = %d, %v, want %d, %v", c.text, i, ok, c.want, c.ok)
		}
	}
}

func TestRefusal(t *testing.T) {
	reply := func(severity string) string {
		return `<rpc-reply xmlns="` + baseNamespace + `"><rpc-error><error-type>application</error-type><error-tag>
			data-missing</error-tag><error-severity>` + severity + `</error-severity><error-path>/nw:networks</error-path>
			<error-message>nothing is
			there</error-message></rpc-error></rpc-reply>`
	}
	var no *Refusal
	if err := refusal([]byte(reply("error"))); !errors.As(err, &no) || no.Tag != "data-missing" ||
		err.Error() != "the server refuses: data-missing: nothing is there (/nw:networks)" {
		t.Errorf("refusal = %v", err)
	}
	if err := refusal([]byte(reply("warning"))); err != nil {
		t.Errorf("refusal of a warning = %v", err)
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{0.0621: "0.062", 5.54: "5.5", 231.4: "231", 1000: "1,000", 12345678.9: "12,345,679"} {
		if got := Number(v); got != want {
			t.Errorf("Number(%v) = %s, want %s", v, got, want)
		}
	}
}

func TestSummary(t *testing.T) {
	r := Result{Runs: []Run{{Operations: 10, Seconds: 1, CPU: 0.1}, {Operations: 100, Seconds: 1, CPU: 0.1}, {Operations: 30, Seconds: 1, CPU: 0.1}}}
	r.summarize()
	if r.Rate != 30 || r.CPU < 3.33 || r.CPU > 3.34 {
		t.Errorf("rate %v, CPU %v", r.Rate, r.CPU)
	}
	var run Run
	run.latencies([]time.Duration{3 * time.Second, time.Second, 2 * time.Second})
	if run.P50 != 2000 || run.Max != 3000 {
		t.Errorf("%+v", run)
	}
}

// A process counts with its children, those that have ended too.
func TestUsage(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("no /proc here")
	}
	self := Processes{os.Getpid()}
	before, err := self.Usage()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command("sh", "-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; read line")
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	alive, err := self.Usage()
	if err != nil {
		t.Fatal(err)
	}
	only, err := Processes{child.Process.Pid}.Usage()
	if err != nil || only.RSS <= 0 || alive.RSS < before.RSS {
		t.Errorf("the child has %+v, %v; with it we have %+v", only, err, alive)
	}
	in.Close()
	child.Wait()
	after, err := self.Usage()
	if err != nil || after.CPU <= before.CPU {
		t.Errorf("CPU time %v before, %v after a child has worked, %v", before.CPU, after.CPU, err)
	}
	if _, err := (Processes{child.Process.Pid}).Usage(); err == nil {
		t.Error("a process that has ended is found")
	}
}

// What is frozen reads nothing until it thaws.
func TestTap(t *testing.T) {
	a, b := net.Pipe()
	defer b.Close()
	c := &tap{Conn: a}
	c.freeze()
	got := make(chan error, 1)
	go func() {
		_, err := c.Read(make([]byte, 1))
		got <- err
	}()
	b.SetWriteDeadline(time.Now().Add(10 * time.Millisecond))
	if _, err := b.Write([]byte("x")); err == nil {
		t.Error("a frozen connection has read")
	}
	b.SetWriteDeadline(time.Time{})
	c.thaw()
	if _, err := b.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	if err := <-got; err != nil {
		t.Error(err)
	}
}
