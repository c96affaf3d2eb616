package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"incidentd/incident/event"
	"incidentd/yang/rpcerr"
)

// Limits of a batch, and the quiet after which a stream's events are sent.
const (
	maxBatch   = 5000
	batchBytes = 8 << 20
	quiet      = 200 * time.Millisecond
	// patience is the longest that an event of a stream without pauses waits.
	patience = time.Second
	// remembered is how many ids are kept to find repeated ones; older ones are
	// forgotten, and then it is the server that finds them.
	remembered = 1 << 20
)

type reportCommand struct {
	File  string `arg:"" help:"JSON Lines, one event a line; - reads standard input, event by event."`
	Batch int    `help:"Events in one request, at most." default:"5000" placeholder:"N"`
}

// Help is shown by `incctl report --help`.
func (*reportCommand) Help() string {
	return "Hands events to the server. The ids of events make it safe to report a file twice. " +
		`A line is such as {"id":"e1","time":"2026-03-04T00:50:40Z","node":"P1","resource":"eth1",` +
		`"alarm-type-id":"link-down","severity":"major","text":"…"}.`
}

// Validate is called by the parser.
func (c *reportCommand) Validate() error {
	if c.Batch < 1 || c.Batch > maxBatch {
		return fmt.Errorf("--batch must be from 1 to %d", maxBatch)
	}
	return nil
}

// Run reports the events.
func (c *reportCommand) Run(ctx context.Context, a *app) error {
	in, name, stream := io.Reader(a.stdin), "standard input", true
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer f.Close()
		in, name, stream = f, c.File, false
	}
	s, err := a.dial(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	r := &reporter{app: a, session: s, name: name, most: c.Batch, progress: !stream, began: time.Now(), told: time.Now()}
	if stream {
		err = r.follow(ctx, in)
	} else {
		err = r.file(ctx, in)
	}
	if err != nil && r.accepted+r.duplicates > 0 {
		err = fmt.Errorf("%w\n%s had been accepted before; reporting them again does no harm", err, plural(int(r.accepted), "event"))
	}
	if err != nil {
		return err
	}
	return r.finish()
}

// reporter sends events in batches.
type reporter struct {
	app     *app
	session *session
	name    string
	most    int
	// progress is told on stderr of work that takes its time.
	progress bool

	batch []byte // the event elements that wait
	ids   []string
	lines []int
	since time.Time // the first of them was added

	seen, older          map[string]struct{} // ids, in two generations
	accepted, duplicates uint64
	repeated             uint64
	began, told          time.Time
}

// file sends all of a file.
func (r *reporter) file(ctx context.Context, in io.Reader) error {
	scan := event.NewScanner(in)
	for scan.Scan() {
		e := scan.Event()
		if err := r.add(ctx, &e, scan.Line()); err != nil {
			return err
		}
	}
	if err := r.send(ctx); err != nil {
		return err
	}
	if err := scan.Err(); err != nil {
		return fmt.Errorf("%s: %w", r.name, err)
	}
	return ctx.Err()
}

// line is an event on its way from the reading goroutine.
type line struct {
	event  event.Event
	number int
}

// follow sends what comes, at the latest when it has been quiet for a moment. The
// goroutine that reads ends with the input; on an error of the server or when ctx is
// done it is left behind in its read, which nothing can interrupt, as the program ends.
func (r *reporter) follow(ctx context.Context, in io.Reader) error {
	lines := make(chan line, r.most) // closed by the reader at the end
	stop := make(chan struct{})      // closed when nobody receives any more
	defer close(stop)
	var bad error // set before lines is closed
	go func() {
		defer close(lines)
		scan := event.NewScanner(in)
		for scan.Scan() {
			select {
			case lines <- line{scan.Event(), scan.Line()}:
			case <-stop:
				return
			}
		}
		bad = scan.Err()
	}()
	timer := time.NewTimer(quiet)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return r.send(context.WithoutCancel(ctx))
		case l, ok := <-lines:
			if !ok {
				if err := r.send(ctx); err != nil {
					return err
				}
				if bad != nil {
					return fmt.Errorf("%s: %w", r.name, bad)
				}
				return nil
			}
			if err := r.add(ctx, &l.event, l.number); err != nil {
				return err
			}
			if len(r.ids) > 0 && time.Since(r.since) > patience {
				if err := r.send(ctx); err != nil {
					return err
				}
			}
			timer.Reset(quiet)
		case <-timer.C:
			if err := r.send(ctx); err != nil {
				return err
			}
		}
	}
}

// add puts an event into the batch and sends the batch when it is full.
func (r *reporter) add(ctx context.Context, e *event.Event, number int) error {
	if r.known(e.ID) {
		r.repeated++
		return nil
	}
	before := len(r.batch)
	r.batch = appendEvent(r.batch, e)
	if before > 0 && len(r.batch) > batchBytes {
		last := append([]byte(nil), r.batch[before:]...)
		r.batch = r.batch[:before]
		if err := r.send(ctx); err != nil {
			return err
		}
		r.batch = append(r.batch, last...)
	}
	if len(r.ids) == 0 {
		r.since = time.Now()
	}
	r.ids, r.lines = append(r.ids, e.ID), append(r.lines, number)
	if len(r.ids) >= r.most {
		return r.send(ctx)
	}
	return nil
}

// known remembers an id and reports whether it was there.
func (r *reporter) known(id string) bool {
	if _, ok := r.seen[id]; ok {
		return true
	}
	if _, ok := r.older[id]; ok {
		return true
	}
	if r.seen == nil || len(r.seen) >= remembered {
		r.seen, r.older = map[string]struct{}{}, r.seen
	}
	r.seen[id] = struct{}{}
	return false
}

// send reports the batch. It blocks until the server has it on disk.
func (r *reporter) send(ctx context.Context) error {
	if len(r.ids) == 0 {
		return nil
	}
	reply, err := r.session.callRaw(ctx, fmt.Appendf(nil, `<report-events xmlns="%s">%s</report-events>`, nsEvents, r.batch))
	if err != nil {
		return r.locate(err)
	}
	accepted, err1 := strconv.ParseUint(leaf(reply, nsEvents, "accepted"), 10, 32)
	duplicates, err2 := strconv.ParseUint(leaf(reply, nsEvents, "duplicates"), 10, 32)
	if err := errors.Join(err1, err2); err != nil {
		return fmt.Errorf("the server's reply to report-events has no counts: %w", err)
	}
	r.accepted += accepted
	r.duplicates += duplicates
	r.batch, r.ids, r.lines = r.batch[:0], r.ids[:0], r.lines[:0]
	if r.progress && time.Since(r.told) >= time.Second {
		r.told = time.Now()
		fmt.Fprintf(r.app.stderr, "incctl: %d events reported, %.0f/s\n", r.accepted+r.duplicates, r.rate())
	}
	return nil
}

func (r *reporter) rate() float64 {
	return float64(r.accepted+r.duplicates) / max(time.Since(r.began).Seconds(), 0.001)
}

var eventKey = regexp.MustCompile(`event\[[^\]]*?id\s*=\s*(?:'([^']*)'|"([^"]*)")`)

// locate says which lines the server's errors are about.
func (r *reporter) locate(err error) error {
	list, known := rpcerr.List(err)
	if !known {
		return err
	}
	var errs []error
	for _, e := range list {
		m := eventKey.FindStringSubmatch(e.Path.Expr)
		at := -1
		for i, id := range r.ids {
			if m != nil && (id == m[1] || id == m[2]) {
				at = i
				break
			}
		}
		if at < 0 {
			errs = append(errs, fmt.Errorf("%s: lines %d to %d: %w", r.name, r.lines[0], r.lines[len(r.lines)-1], e))
		} else {
			errs = append(errs, fmt.Errorf("%s: line %d: event %q: %w", r.name, r.lines[at], r.ids[at], e))
		}
	}
	return errors.Join(errs...)
}

// finish tells what became of the events.
func (r *reporter) finish() error {
	if r.app.json {
		return r.app.writeJSON(map[string]any{"incidentd-events:output": map[string]any{"accepted": r.accepted, "duplicates": r.duplicates}})
	}
	text := fmt.Sprintf("%d accepted, %d known already", r.accepted, r.duplicates)
	if r.repeated > 0 {
		text += fmt.Sprintf("; %d repeated in the input were skipped", r.repeated)
	}
	_, err := fmt.Fprintf(r.app.stdout, "%s.\n", text)
	return err
}

var xmlText = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#13;")

// appendEvent appends an event as the list entry of report-events. Characters that XML
// cannot carry become U+FFFD.
func appendEvent(b []byte, e *event.Event) []byte {
	b = append(b, "<event>"...)
	b = appendLeaf(b, "id", e.ID)
	if !e.Time.IsZero() {
		b = appendLeaf(b, "time", e.Time.UTC().Format(time.RFC3339Nano))
	}
	b = appendLeaf(b, "kind", e.Kind.String())
	b = appendLeaf(b, "node", e.Node)
	b = appendLeaf(b, "resource", e.Resource)
	b = appendLeaf(b, "alarm-type-id", e.AlarmTypeID)
	b = appendLeaf(b, "alarm-type-qualifier", e.AlarmTypeQualifier)
	b = appendLeaf(b, "severity", e.Severity.String())
	for _, l := range [...][2]string{{"text", e.Text}, {"value", e.Value}, {"threshold", e.Threshold}, {"trace-id", e.TraceID}} {
		if l[1] != "" {
			b = appendLeaf(b, l[0], l[1])
		}
	}
	if !e.Arrival.IsZero() {
		b = fmt.Appendf(b, `<arrival xmlns="%s">%s</arrival>`, nsCollector, e.Arrival.UTC().Format(time.RFC3339Nano))
	}
	return append(b, "</event>"...)
}

func appendLeaf(b []byte, name, value string) []byte {
	b = append(append(append(b, '<'), name...), '>')
	value = strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(value, "\uFFFD"))
	b = append(b, xmlText.Replace(value)...)
	return append(append(append(b, "</"...), name...), '>')
}
