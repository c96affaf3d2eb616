package client

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"incidentd/netconf/transport"
	"incidentd/netconf/transport/memconn"
)

// bench is a client and the framing of its server, in memory.
func bench(b *testing.B) (*Client, *transport.Reader, *transport.Writer) {
	b.Helper()
	near, far := memconn.Pipe()
	r, w := transport.NewReader(far, 0), transport.NewWriter(far)
	if err := w.WriteMessage([]byte(serverHello)); err != nil {
		b.Fatal(err)
	}
	c, err := New(context.Background(), near, Config{})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := r.ReadMessage(); err != nil {
		b.Fatal(err)
	}
	r.Upgrade()
	w.Upgrade()
	return c, r, w
}

// BenchmarkCall is a request and its reply over memory.
func BenchmarkCall(b *testing.B) {
	for _, size := range []int{0, 1 << 20} {
		b.Run(fmt.Sprintf("reply=%d", size), func(b *testing.B) {
			c, r, w := bench(b)
			defer c.Close()
			content := "<data>" + string(bytes.Repeat([]byte("x"), size)) + "</data>"
			go func() {
				for {
					m, err := r.ReadMessage()
					if err != nil {
						return
					}
					w.WriteMessage([]byte(reply(string(m), content)))
				}
			}()
			b.SetBytes(int64(size))
			for b.Loop() {
				if _, err := c.Call(b.Context(), []byte("<get/>")); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkNotifications is one notification read from memory.
func BenchmarkNotifications(b *testing.B) {
	c, _, w := bench(b)
	defer c.Close()
	msg := []byte(notification(1))
	go func() {
		for w.WriteMessage(msg) == nil {
		}
	}()
	b.ReportAllocs()
	for b.Loop() {
		<-c.Notifications()
	}
}
