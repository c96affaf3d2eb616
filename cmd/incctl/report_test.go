package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"

	"incidentd/incident/event"
	"incidentd/yang/rpcerr"
)

// batches answers report-events as a server does, and keeps how many events came when.
type batches struct {
	sizes []int
	at    []time.Duration
	began time.Time
	known map[string]bool
}

func (b *batches) answer(op *etree.Element, _ *peer) string {
	n, dup := 0, 0
	for _, e := range children(op, nsEvents, "event") {
		if id := leaf(e, nsEvents, "id"); b.known[id] {
			dup++
		} else {
			b.known[id] = true
			n++
		}
	}
	b.sizes = append(b.sizes, n+dup)
	b.at = append(b.at, time.Since(b.began))
	return fmt.Sprintf(`<accepted xmlns="%[1]s">%[2]d</accepted><duplicates xmlns="%[1]s">%[3]d</duplicates>`, nsEvents, n, dup)
}

func newBatches() *batches { return &batches{known: map[string]bool{}, began: time.Now()} }

func jsonLine(n int) string {
	return fmt.Sprintf(`{"id":"e%d","time":"2000-01-01T00:00:00Z","node":"P1","resource":"eth1","alarm-type-id":"link-down","severity":"major"}`+"\n", n)
}

func file(t *testing.T, content string) string {
	name := filepath.Join(t.TempDir(), "events.jsonl")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestReportFile(t *testing.T) {
	var lines strings.Builder
	for i := range 11 {
		lines.WriteString(jsonLine(i))
	}
	lines.WriteString("\n" + jsonLine(3) + jsonLine(11))
	for _, tt := range []struct {
		name  string
		args  []string
		sizes []int
		out   string
	}{
		{"one batch", nil, []int{12}, "12 accepted, 0 known already; 1 repeated in the input were skipped.\n"},
		{"small batches", []string{"--batch", "5"}, []int{5, 5, 2}, "12 accepted, 0 known already; 1 repeated in the input were skipped.\n"},
		{"json", []string{"--json"}, []int{12}, `{"incidentd-events:output":{"accepted":12,"duplicates":0}}` + "\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, b := newServer(t), newBatches()
				s.answer = b.answer
				p := s.incctl(t.Context(), nil, 0, append([]string{"report", file(t, lines.String())}, tt.args...)...)
				p.want(t, 0, "")
				if d := cmp.Diff(tt.sizes, b.sizes); d != "" {
					t.Errorf("batches (-want +got):\n%s", d)
				}
				if d := cmp.Diff(tt.out, p.stdout.String()); d != "" {
					t.Error(d)
				}
			})
		})
	}
}

func TestReportRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := newServer(t), newBatches()
		b.known["e2"] = true
		s.answer = b.answer
		p := s.incctl(t.Context(), nil, 0, "report", file(t,
			`{"id":"e1","arrival":"2024-03-04T00:50:40.679Z","time":"2024-03-04T00:50:40.453Z","kind":"kpi","node":"PE1","resource":"cpu/0","alarm-type-id":"CPU_OVERLOAD","alarm-type-qualifier":"q","severity":"major","text":"a < b & c","value":94,"threshold":90}`+"\n"+
				`{"id":"e2","node":"P\u0001","alarm-type-id":"x","trace-id":"0123456789abcdef0123456789abcdef"}`+"\n"))
		p.want(t, 0, "")
		if d := cmp.Diff("1 accepted, 1 known already.\n", p.stdout.String()); d != "" {
			t.Error(d)
		}
		golden(t, "report-request", strings.Join(s.asked(), "\n")+"\n")
	})
}

// A batch holds no more bytes than the limit, whatever its events weigh.
func TestReportBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := newServer(t), newBatches()
		s.answer = b.answer
		var lines strings.Builder
		for i := range 20 {
			fmt.Fprintf(&lines, `{"id":"e%d","node":"P1","alarm-type-id":"x","text":"%s"}`+"\n", i, strings.Repeat("x", 900_000))
		}
		s.incctl(t.Context(), nil, 0, "report", file(t, lines.String())).want(t, 0, "")
		if d := cmp.Diff([]int{9, 9, 2}, b.sizes); d != "" {
			t.Errorf("batches (-want +got):\n%s", d)
		}
	})
}

func TestReportErrors(t *testing.T) {
	bad := rpcerr.InvalidValue("no good").At(rpcerr.Path{
		Expr: "/ide:report-events/ide:event[ide:id='e2']/ide:node", Prefixes: []rpcerr.Prefix{{Prefix: "ide", Namespace: nsEvents}},
	})
	for _, tt := range []struct {
		name, lines string
		args        []string
		refuse      int // the request that is refused, from 1
		err         *rpcerr.Error
		want        string
	}{
		{"bad line", jsonLine(1) + "\n{\"id\":1}\n", nil, 0, nil, "FILE: line 3: \"id\": value is not allowed: a string is wanted\n" +
			"1 event had been accepted before; reporting them again does no harm"},
		{"refused event", jsonLine(1) + jsonLine(2), nil, 1, bad, `FILE: line 2: event "e2": invalid-value: no good [/ide:report-events/ide:event[ide:id='e2']/ide:node]`},
		{"refused batch", jsonLine(1) + jsonLine(2) + jsonLine(3), []string{"--batch", "2"}, 2, rpcerr.ResourceDenied("full"),
			"FILE: lines 3 to 3: resource-denied: full\n2 events had been accepted before; reporting them again does no harm"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, b := newServer(t), newBatches()
				requests := 0
				s.answer = func(op *etree.Element, p *peer) string {
					if requests++; requests == tt.refuse {
						return errorXML(tt.err)
					}
					return b.answer(op, p)
				}
				name := file(t, tt.lines)
				want := strings.ReplaceAll("incctl: "+strings.ReplaceAll(tt.want, "\n", "\nincctl: ")+"\n", "FILE", name)
				s.incctl(t.Context(), nil, 0, append([]string{"report", name}, tt.args...)...).want(t, 1, want)
			})
		})
	}
}

// Standard input is sent when it has been quiet for a moment, when a batch is full, at
// the latest after a second, and at its end.
func TestReportStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := newServer(t), newBatches()
		s.answer = b.answer
		r, w := io.Pipe()
		done := make(chan *program)
		go func() { done <- s.incctl(t.Context(), r, 0, "report", "-", "--batch", "4") }()
		n := 0
		write := func(lines int) {
			for range lines {
				n++
				if _, err := io.WriteString(w, jsonLine(n)); err != nil {
					t.Error(err)
				}
			}
		}
		write(2)
		time.Sleep(time.Second) // the clock of the bubble: quiet
		write(5)
		time.Sleep(time.Second)
		for range 15 { // never quiet, and too slow to fill a batch before patience ends
			write(1)
			time.Sleep(180 * time.Millisecond)
		}
		write(1)
		w.Close()
		(<-done).want(t, 0, "")
		if d := cmp.Diff([]int{2, 4, 1, 4, 4, 4, 4}, b.sizes); d != "" {
			t.Errorf("batches (-want +got):\n%s", d)
		}
		if b.at[0] != quiet {
			t.Errorf("the first batch went after %v of quiet, want %v", b.at[0], quiet)
		}
	})
}

func TestReportStreamNeverStarves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := newServer(t), newBatches()
		s.answer = b.answer
		r, w := io.Pipe()
		done := make(chan *program)
		go func() { done <- s.incctl(t.Context(), r, 0, "report", "-") }()
		for n := range 100 {
			if _, err := io.WriteString(w, jsonLine(n)); err != nil {
				t.Error(err)
			}
			time.Sleep(150 * time.Millisecond)
		}
		w.Close()
		(<-done).want(t, 0, "")
		for i := 1; i < len(b.at); i++ {
			if wait := b.at[i] - b.at[i-1]; wait > patience+quiet {
				t.Errorf("%v between two batches", wait)
			}
		}
		if len(b.at) < 10 {
			t.Errorf("%d batches in 15 seconds", len(b.at))
		}
	})
}

func TestReportInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := newServer(t), newBatches()
		s.answer = b.answer
		ctx, cancel := context.WithCancel(t.Context())
		r, w := io.Pipe()
		done := make(chan *program)
		go func() { done <- s.incctl(ctx, r, 0, "report", "-") }()
		io.WriteString(w, jsonLine(1))
		synctest.Wait()
		cancel()
		p := <-done
		w.Close() // the reader is still in its read
		p.want(t, 0, "")
		if got := p.stdout.String(); got != "1 accepted, 0 known already.\n" {
			t.Errorf("got %q", got)
		}
	})
}

// Whatever an event holds, its XML is well formed and holds it again, but for what XML
// cannot carry.
func FuzzAppendEvent(f *testing.F) {
	f.Add("e1", "P1", "eth1", "x", "text")
	f.Add("<", "&", "]]>", "\x00\uFFFE", "\r\n\t")
	f.Fuzz(func(t *testing.T, id, node, res, typ, text string) {
		e := event.Event{ID: id, Node: node, Resource: res, AlarmTypeID: typ, Text: text, Arrival: time.Unix(0, 0)}
		b := appendEvent(nil, &e)
		doc := etree.NewDocument()
		doc.ReadSettings.ValidateInput = true
		if err := doc.ReadFromBytes(b); err != nil {
			t.Fatalf("%v: %q", err, b)
		}
		if got := len(doc.Root().SelectElements("id")); got != 1 {
			t.Errorf("%d ids in %q", got, b)
		}
		if got := doc.Root().SelectElement("node").Text(); len(node) > 0 && len(got) == 0 {
			t.Errorf("node %q is lost in %q", node, b)
		}
	})
}
