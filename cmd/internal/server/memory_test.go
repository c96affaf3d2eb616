package server

import (
	"context"
	"log/slog"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

func TestTrimmer(t *testing.T) {
	const mb = 1 << 20
	var tr trimmer
	for i, c := range []struct {
		heap
		want bool
	}{
		{heap{10 * mb, 20 * mb}, false},   // the start
		{heap{10 * mb, 20 * mb}, false},   // quiet, and little was allocated
		{heap{400 * mb, 390 * mb}, false}, // a load
		{heap{401 * mb, 390 * mb}, true},  // it is over
		{heap{402 * mb, 150 * mb}, false}, // it stays so
		{heap{450 * mb, 160 * mb}, false}, // another load
		{heap{450 * mb, 160 * mb}, true},
		{heap{500 * mb, 1000 * mb}, false},
		{heap{500 * mb, 1000 * mb}, false}, // little, for such a heap
	} {
		if got := tr.due(c.heap); got != c.want {
			t.Errorf("step %d: due = %v, want %v", i, got, c.want)
		}
	}
}

var sink []byte

// What a load has left is given back some seconds after it.
func TestTrimMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			trimMemory(ctx, slog.New(slog.DiscardHandler))
		}()
		sink = make([]byte, 128<<20)
		runtime.GC()
		loaded := readHeap()
		sink = nil
		time.Sleep(3 * lookAtMemory)
		synctest.Wait()
		if now := readHeap(); now.resident+100<<20 > loaded.resident {
			t.Errorf("%d MB before, %d MB afterwards", loaded.resident>>20, now.resident>>20)
		}
		cancel()
		<-ended
	})
}
