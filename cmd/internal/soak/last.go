package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"

	"incidentd/netconf/client"
)

// The figures that must not grow, and by how much they may: a share and an amount.
var bounds = []struct {
	metric, name string
	share, more  float64
	unit         float64
}{
	// The resident memory has the pages of the mapped store, which the system takes back.
	{"go_memstats_heap_inuse_bytes", "MiB of heap", 1.35, 32 << 20, 1 << 20},
	{"go_goroutines", "goroutines", 1.2, 20, 1},
	{"process_open_fds", "files", 1.2, 12, 1},
}

// sample are the bounded figures at a moment.
type sample [3]float64

// figures are the samples of each life of the server.
type figures struct {
	mu    sync.Mutex
	lives [][]sample
	ended bool // the last life
}

func (f *figures) add(x sample) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.lives) == 0 || f.ended {
		f.lives, f.ended = append(f.lives, nil), false
	}
	last := len(f.lives) - 1
	f.lives[last] = append(f.lives[last], x)
}

func (f *figures) endLife() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
}

// now is the last sample, for people.
func (f *figures) now() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.lives) == 0 {
		return "no figures yet"
	}
	life := f.lives[len(f.lives)-1]
	text := ""
	for i, b := range bounds {
		text += fmt.Sprintf("%.0f %s ", life[len(life)-1][i]/b.unit, b.name)
	}
	return text
}

// grown compares the ends of the lives after the first sixth of the time: those of the
// first half with those of the second.
func (f *figures) grown() (all []string, told string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	lives := f.lives[min(len(f.lives)-1, max(1, len(f.lives)/6)):]
	for i, b := range bounds {
		var ends []float64
		for _, life := range lives {
			var end []float64
			for _, x := range life[len(life)*3/4:] {
				end = append(end, x[i])
			}
			slices.Sort(end)
			ends = append(ends, end[len(end)/2])
		}
		first, last := mean(ends[:(len(ends)+1)/2]), mean(ends[len(ends)/2:])
		told += fmt.Sprintf("  %s at the end of a life: %.0f in the first half, %.0f in the second\n", b.name, first/b.unit, last/b.unit)
		if last > first*b.share+b.more {
			all = append(all, fmt.Sprintf("%s grew from %.0f to %.0f", b.name, first/b.unit, last/b.unit))
		}
	}
	return all, told
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(max(1, len(x)))
}

// watch takes a sample each second.
func (s *soak) watch(ctx context.Context) {
	for ctx.Err() == nil {
		if x, ok := scrape(ctx, "http://"+s.server.monitor+"/metrics"); ok {
			s.marks.add(x)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// scrape reads the bounded figures; a server that is being started has none.
func scrape(ctx context.Context, url string) (x sample, ok bool) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return x, false
	}
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		return x, false
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		return x, false
	}
	for i, b := range bounds {
		m := regexp.MustCompile(`(?m)^` + b.metric + ` (.*)$`).FindSubmatch(text)
		if m == nil {
			return x, false
		}
		if x[i], err = strconv.ParseFloat(string(m[1]), 64); err != nil {
			return x, false
		}
	}
	return x, true
}

// last compares what subscribers have with the whole stream, looks at the test, ends the
// server and has its directory checked.
func (s *soak) last(ctx context.Context, begun time.Time, feeds []*feed) {
	c, err := s.server.dial(ctx)
	if err != nil {
		s.found("the last session: %v", err)
		return
	}
	until := time.Now()
	all, err := replay(ctx, c, begun.Add(-2*time.Second), until)
	if err != nil {
		s.found("the replay of all: %v", err)
	}
	for k, f := range feeds {
		missing := 0
		for key, at := range all {
			// What came while the subscriber was being ended it need not have.
			if _, has := f.has[key]; !has && at.Before(f.last) {
				missing++
			}
		}
		if missing > 0 {
			s.found("subscriber %d has not got %d of %d notifications", k, missing, len(all))
		}
		for key := range f.has {
			if _, stored := all[key]; !stored {
				s.found("subscriber %d has got a notification that is not in the stream", k)
				break
			}
		}
	}
	s.did("notifications compared", len(all)*len(feeds), until)
	r, err := c.Get(ctx, client.Subtree(`<oam-unitary-tests xmlns="urn:ietf:params:xml:ns:yang:ietf-oam-unitary-test"><oam-unitary-test><name>self</name><run-state xmlns="urn:incidentd:yang:oam-tests"/></oam-unitary-test></oam-unitary-tests>`))
	if err != nil {
		s.found("the test: %v", err)
	} else if m := regexp.MustCompile(`<last-occurrence>(.*)</last-occurrence>`).FindSubmatch(r.Raw); m == nil {
		s.found("the test has never run: %s", r.Raw)
	} else if at, err := time.Parse(time.RFC3339, string(m[1])); err != nil || time.Since(at) > 30*time.Second {
		s.found("the test ran at %s for the last time", m[1])
	}
	c.Close()
	if err := s.server.end(); err != nil {
		s.found("the server's end: %v", err)
	}
	if out, err := exec.CommandContext(ctx, s.server.bin, "check", "--data", s.server.data).CombinedOutput(); err != nil {
		s.found("incidentd check: %v, %s", err, out)
	}
	faults, err := s.server.faults()
	if err != nil {
		s.found("the log: %v", err)
	}
	for _, f := range faults {
		s.found("the log: %s", f)
	}
}

// replay is all that the stream has of a time.
func replay(ctx context.Context, c *client.Client, start, stop time.Time) (map[uint64]time.Time, error) {
	if err := c.CreateSubscription(ctx, "incidents", client.Filter{}, start, stop); err != nil {
		return nil, err
	}
	all := map[uint64]time.Time{}
	for n := range c.Notifications() {
		e, err := n.Event()
		if err != nil {
			return nil, err
		}
		if e.Tag == "notificationComplete" {
			return all, nil
		}
		key, err := contentOf(n)
		if err != nil {
			return nil, err
		}
		if key != 0 {
			all[key] = n.EventTime
		}
	}
	return nil, fmt.Errorf("it broke off: %w", c.Err())
}

// verdict tells what was done and what was found.
func (s *soak) verdict(took time.Duration) error {
	grown, told := s.marks.grown()
	for _, text := range grown {
		s.found("%s", text)
	}
	fmt.Printf("\nin %s:\n", took.Round(time.Second))
	for _, what := range slices.Sorted(maps.Keys(s.counts)) {
		fmt.Printf("  %8d %s", s.counts[what], what)
		if w := s.waits[what]; w > time.Millisecond {
			fmt.Printf(", the longest took %s", w.Round(time.Millisecond))
		}
		fmt.Println()
	}
	fmt.Print(told)
	if n := s.counts["edits"] * s.counts["events"] * s.counts["notifications"] * s.counts["reads"]; n == 0 || len(s.marks.lives) < 2 {
		s.found("too little was done to show anything")
	}
	if len(s.findings) > 0 {
		return fmt.Errorf("%d findings, the first: %s", len(s.findings), s.findings[0])
	}
	fmt.Println("nothing was lost, and nothing grew")
	return nil
}
