// Command soak puts the real server under mixed load for as long as it is told, kills it
// again and again, and knows what was acknowledged: nothing of that may be lost. It watches
// that the server does not grow, and ends with 1 and what it has found.
//
//	go run ./cmd/internal/soak -for 1h -kill 5m
//
// At once there are sessions that edit nodes of a network, sessions that report alarms which
// come and go, subscribers to incidents, readers, and an OAM test each second, all over SSH.
// The binaries are those of bin/.
package main

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// What works on the server.
const (
	editors     = 3
	reporters   = 2
	subscribers = 3
	readers     = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var s soak
	flag.DurationVar(&s.length, "for", time.Minute, "how long in all")
	flag.DurationVar(&s.life, "kill", 5*time.Minute, "how long the server lives before it is killed")
	flag.StringVar(&s.bin, "bin", "bin", "the folder of the binaries")
	keep := flag.Bool("keep", false, "leave the data directory and the log")
	flag.Parse()
	dir, err := os.MkdirTemp("", "incidentd-soak-")
	if err == nil {
		s.dir, s.password = dir, rand.Text()
		err = s.run(ctx)
	}
	if *keep || err != nil {
		fmt.Println("what is left is in", dir)
	} else {
		os.RemoveAll(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

// soak is one run.
type soak struct {
	length, life time.Duration
	bin, dir     string
	password     string

	server *server
	marks  figures

	mu       sync.Mutex
	findings []string
	counts   map[string]int
	waits    map[string]time.Duration // the longest of each kind
}

// run is the whole of it. The error sums up what was found.
func (s *soak) run(ctx context.Context) error {
	s.counts, s.waits = map[string]int{}, map[string]time.Duration{}
	var err error
	if s.server, err = s.initialise(ctx); err != nil {
		return err
	}
	defer s.server.kill()
	if err := s.configure(ctx); err != nil {
		return err
	}
	begun := time.Now()
	work, end := context.WithDeadline(ctx, begun.Add(s.length))
	defer end()
	var all sync.WaitGroup
	feeds := make([]*feed, subscribers)
	for k := range editors {
		all.Go(func() { s.forever(work, fmt.Sprintf("editor %d", k), newEditor(s, k).work) })
	}
	for k := range reporters {
		all.Go(func() { s.forever(work, fmt.Sprintf("reporter %d", k), newReporter(s, k).work) })
	}
	for k := range subscribers {
		feeds[k] = newFeed(s, begun)
		all.Go(func() { s.forever(work, fmt.Sprintf("subscriber %d", k), feeds[k].work) })
	}
	for k := range readers {
		all.Go(func() { s.forever(work, fmt.Sprintf("reader %d", k), (&reader{soak: s, next: k}).work) })
	}
	all.Go(func() { s.killing(work) })
	all.Go(func() { s.watch(work) })
	all.Go(func() { s.progress(work, begun) })
	all.Wait()
	if ctx.Err() != nil {
		return fmt.Errorf("interrupted after %s", time.Since(begun).Round(time.Second))
	}
	s.last(ctx, begun, feeds)
	return s.verdict(time.Since(begun))
}

// found keeps what must not be.
func (s *soak) found(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.findings) < 100 {
		s.findings = append(s.findings, text)
		fmt.Println("FOUND", text)
	}
}

// did counts n of something that was done since a time.
func (s *soak) did(what string, n int, since time.Time) {
	took := time.Since(since)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[what] += n
	s.waits[what] = max(s.waits[what], took)
}

// killing kills the server after each life, until the time is over.
func (s *soak) killing(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(s.life):
		}
		if end, _ := ctx.Deadline(); time.Until(end) < s.life/4 {
			continue // the last life is a whole one, or longer
		}
		s.marks.endLife()
		began := time.Now()
		s.server.kill()
		if err := s.server.start(ctx); err != nil {
			if ctx.Err() == nil {
				s.found("the server does not begin after a kill: %v", err)
			}
			return
		}
		s.did("restarts", 1, began)
	}
}

// progress tells each ten seconds how far it is.
func (s *soak) progress(ctx context.Context, begun time.Time) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(10 * time.Second):
		}
		s.mu.Lock()
		fmt.Printf("%6s  %d edits, %d events, %d notifications, %d reads, %d restarts; %s\n", time.Since(begun).Round(time.Second),
			s.counts["edits"], s.counts["events"], s.counts["notifications"], s.counts["reads"], s.counts["restarts"], s.marks.now())
		s.mu.Unlock()
	}
}
