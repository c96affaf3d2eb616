package subscribe_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"incidentd/netconf/netconftest"
)

// clients are a crowd in this process.
type clients struct {
	testing.TB
	storm
	dial func() io.ReadWriteCloser

	readers, late      sync.WaitGroup
	woken              chan struct{} // closed by wake
	suspended, resumed atomic.Int32
}

func (c *clients) subscribe() {
	c.woken = make(chan struct{})
	for i := range c.Subscribers {
		conn := c.dial()
		establishOn(c, conn, "")
		follow := func() {
			defer conn.Close()
			c.read(&frames{r: conn}, c.Total)
		}
		if i < c.Silent {
			c.late.Go(func() { <-c.woken; follow() })
		} else {
			c.readers.Go(follow)
		}
	}
	conn := c.dial()
	c.readers.Go(func() { c.replay(conn) })
}

func (c *clients) wait() { c.readers.Wait() }

func (c *clients) wake() (suspended, resumed int) {
	close(c.woken)
	c.late.Wait()
	return int(c.suspended.Load()), int(c.resumed.Load())
}

func (c *clients) used() time.Duration { return 0 }

// read reads until the last of total incidents, and holds that each comes after the one
// before. It counts what it is told of suspensions.
func (c *clients) read(f *frames, total int) {
	for want := 0; want < total; {
		m, err := f.next()
		if err != nil {
			c.Errorf("after incident %d: %v", want-1, err)
			return
		}
		switch got, ok := incidentNumber(m); {
		case ok && got != want:
			c.Errorf("incident %d, want %d", got, want)
			return
		case ok:
			want++
		case bytes.Contains(m, []byte("<subscription-suspended")):
			c.suspended.Add(1)
		case bytes.Contains(m, []byte("<subscription-resumed")):
			c.resumed.Add(1)
		}
	}
}

// replay subscribes to the past of another stream and reads all of it.
func (c *clients) replay(conn io.ReadWriteCloser) {
	defer conn.Close()
	p := netconftest.NewPeer(conn)
	_, err := p.Open("1.1")
	if err == nil {
		err = p.W.WriteMessage(fmt.Appendf(nil, create, "<stream>oam</stream><startTime>2000-01-01T00:00:00Z</startTime>"))
	}
	f := &frames{r: conn}
	if m, err := f.next(); err != nil || !bytes.Contains(m, []byte("<ok/>")) {
		c.Errorf("create-subscription: %s, %v", m, err)
		return
	}
	if err != nil {
		c.Error(err)
		return
	}
	c.read(f, c.Old)
}

func (c *clients) latency(d time.Duration) time.Duration {
	conn := c.dial()
	defer conn.Close()
	p := netconftest.NewPeer(conn)
	if _, err := p.Open("1.1"); err != nil {
		c.Error(err)
		return 0
	}
	var list []time.Duration
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		begin := time.Now()
		m, err := p.Ask(`<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="1"><get><filter><incidents xmlns="urn:ietf:params:xml:ns:yang:ietf-incident">` +
			`<incident><incident-id>inc-500</incident-id></incident></incidents></filter></get></rpc>`)
		list = append(list, time.Since(begin))
		if err != nil || !strings.Contains(m, "inc-500") {
			c.Errorf("get: %s, %v", m, err)
			return 0
		}
	}
	slices.Sort(list)
	return list[len(list)*99/100]
}

var incidentMark = []byte("<incident-id>inc-")

// incidentNumber is that of the incident in a notification.
func incidentNumber(msg []byte) (n int, ok bool) {
	at := bytes.Index(msg, incidentMark)
	if at < 0 {
		return 0, false
	}
	for _, d := range msg[at+len(incidentMark):] {
		if d < '0' || d > '9' {
			break
		}
		n = 10*n + int(d-'0')
	}
	return n, true
}

// frames reads messages of one chunk each, at the least cost: a storm's clients share the
// processors with its server.
type frames struct {
	r          io.Reader
	buf        [64 << 10]byte
	start, end int
}

var errFrame = errors.New("that is no message in one chunk")

// next is the next message; it is valid until the next call.
func (f *frames) next() ([]byte, error) {
	for {
		m, size, err := frame(f.buf[f.start:f.end])
		if err != nil {
			return nil, err
		}
		if size > 0 {
			f.start += size
			return m, nil
		}
		f.end = copy(f.buf[:], f.buf[f.start:f.end])
		f.start = 0
		n, err := f.r.Read(f.buf[f.end:])
		if err != nil {
			return nil, err
		}
		f.end += n
	}
}

// frame is the message at the front of b, and its size with the framing [RFC 6242 section
// 4.2]; 0 if it is not all there.
func frame(b []byte) (m []byte, size int, err error) {
	const end = "\n##\n"
	n, at := 0, len("\n#")
	for ; ; at++ {
		if at >= len(b) {
			return nil, 0, nil
		}
		if b[at] == '\n' {
			break
		}
		if b[at] < '0' || b[at] > '9' || n > 64<<10 {
			return nil, 0, errFrame
		}
		n = 10*n + int(b[at]-'0')
	}
	at++
	if len(b) < at+n+len(end) {
		return nil, 0, nil
	}
	if string(b[:2]) != "\n#" || n == 0 || string(b[at+n:at+n+len(end)]) != end {
		return nil, 0, errFrame
	}
	return b[at : at+n], at + n + len(end), nil
}
