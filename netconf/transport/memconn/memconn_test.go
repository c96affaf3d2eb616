package memconn

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestBothWriteFirst(t *testing.T) {
	a, b := Pipe()
	for _, c := range []net.Conn{a, b} {
		if n, err := c.Write([]byte("hello")); n != 5 || err != nil {
			t.Fatalf("Write = %d, %v", n, err)
		}
	}
	for _, c := range []net.Conn{a, b} {
		p := make([]byte, 10)
		if n, err := c.Read(p); string(p[:n]) != "hello" || err != nil {
			t.Fatalf("Read = %q, %v", p[:n], err)
		}
	}
}

func TestClose(t *testing.T) {
	a, b := Pipe()
	io.WriteString(a, "last words")
	a.Close()
	if got, err := io.ReadAll(b); string(got) != "last words" || err != nil {
		t.Errorf("ReadAll = %q, %v", got, err)
	}
	if _, err := b.Write([]byte("x")); err != io.ErrClosedPipe {
		t.Errorf("Write to a closed peer: %v, want %v", err, io.ErrClosedPipe)
	}
	if _, err := a.Write([]byte("x")); err != net.ErrClosed {
		t.Errorf("Write after Close: %v, want %v", err, net.ErrClosed)
	}
	if _, err := a.Read(make([]byte, 1)); err != net.ErrClosed {
		t.Errorf("Read after Close: %v, want %v", err, net.ErrClosed)
	}
}

func TestBackPressure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := PipeBetween(Addr("a"), Addr("b"), 10)
		done := false
		go func() {
			a.Write(bytes.Repeat([]byte("x"), 25))
			done = true
			a.Close()
		}()
		synctest.Wait()
		if done {
			t.Error("25 bytes went into a buffer of 10")
		}
		if got, err := io.ReadAll(b); len(got) != 25 || err != nil {
			t.Errorf("ReadAll = %d bytes, %v", len(got), err)
		}
	})
}

func TestCloseUnblocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := PipeBetween(Addr("a"), Addr("b"), 1)
		errs := make(chan error, 2)
		go func() { _, err := a.Write([]byte("xx")); errs <- err }()
		go func() { _, err := a.Read(make([]byte, 1)); errs <- err }()
		synctest.Wait()
		a.Close()
		for range 2 {
			if err := <-errs; err != net.ErrClosed {
				t.Errorf("after Close: %v, want %v", err, net.ErrClosed)
			}
		}
		_ = b
	})
}

func TestDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := PipeBetween(Addr("a"), Addr("b"), 1)
		start := time.Now()
		a.SetReadDeadline(start.Add(time.Second))
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("Read = %v after %v, want the deadline after 1s", err, time.Since(start))
		}
		var timeout net.Error
		if _, err := a.Read(make([]byte, 1)); !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("Read after the deadline = %v, want a timeout", err)
		}
		a.SetReadDeadline(time.Time{})
		b.Write([]byte("x"))
		if n, err := a.Read(make([]byte, 1)); n != 1 || err != nil {
			t.Errorf("Read without deadline = %d, %v", n, err)
		}
		a.SetWriteDeadline(time.Now().Add(time.Minute))
		if n, err := a.Write([]byte("xyz")); n != 1 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Write = %d, %v, want 1 and the deadline", n, err)
		}
		// A deadline that is moved does not strike at its old time.
		a.SetReadDeadline(time.Now().Add(time.Second))
		a.SetReadDeadline(time.Now().Add(time.Hour))
		start = time.Now()
		if _, err := a.Read(make([]byte, 1)); err == nil || time.Since(start) != time.Hour {
			t.Errorf("Read = %v after %v, want the deadline after 1h", err, time.Since(start))
		}
		a.SetDeadline(time.Now().Add(-time.Second))
		if _, err := a.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Write with a deadline in the past = %v", err)
		}
	})
}

func TestListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := Listen(Addr("server"))
		go func() {
			c, err := l.Accept()
			if err != nil {
				t.Errorf("Accept: %v", err)
				return
			}
			io.WriteString(c, c.RemoteAddr().String()+" to "+c.LocalAddr().String())
			c.Close()
		}()
		c, err := l.Dial(t.Context(), Addr("client"))
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := io.ReadAll(c); string(got) != "client to server" {
			t.Errorf("addresses: %s", got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := l.Dial(ctx, Addr("client")); err != context.DeadlineExceeded {
			t.Errorf("Dial that nobody accepts: %v", err)
		}
		go l.Close()
		if _, err := l.Accept(); err != net.ErrClosed {
			t.Errorf("Accept after Close: %v", err)
		}
		if _, err := l.Dial(t.Context(), Addr("client")); err != ErrRefused {
			t.Errorf("Dial after Close: %v", err)
		}
	})
}
