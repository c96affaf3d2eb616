package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/beevik/etree"
)

type watchCommand struct {
	Verbose bool          `short:"v" help:"Show the whole incident at each change."`
	Since   time.Duration `help:"Begin with what happened in this time, such as 2h, from the replay log." placeholder:"DURATION"`
}

// Help is shown by `incctl watch --help`.
func (*watchCommand) Help() string {
	return "Shows the open incidents, then each change as it comes, until interrupted. " +
		"A lost connection is made again, and nothing that happened meanwhile is left out or shown twice. " +
		"So it is when the server's sequence numbers tell that something is missing."
}

// The waits between attempts to connect again.
const (
	firstWait = time.Second
	longWait  = 30 * time.Second
)

// overlap is how far before the last notification a resumed subscription begins: time
// stamps of several may be the same, and a transaction's are written together.
const overlap = 2 * time.Second

// Run shows incidents until ctx is done, which is no error.
func (c *watchCommand) Run(ctx context.Context, a *app) error {
	w := &watcher{app: a, verbose: c.Verbose, seen: map[digest]sight{}, listed: map[string]time.Time{}}
	if c.Since > 0 {
		w.start = time.Now().Add(-c.Since)
	}
	wait := firstWait
	for {
		before := w.connected
		err := w.session(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && (!w.listedOnce || !temporary(err)) {
			return err
		}
		if w.connected > before {
			wait = firstWait
		}
		if missing := missingError(0); errors.As(err, &missing) {
			fmt.Fprintf(a.stderr, "incctl: %v; asking for what happened since in a new session in %s\n", err, wait)
		} else {
			fmt.Fprintf(a.stderr, "incctl: connection lost: %v; trying again in %s\n", err, wait)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		wait = min(2*wait, longWait)
	}
}

// temporary reports whether it makes sense to try again: not when the server has
// answered that it does not want us.
func temporary(err error) bool {
	return !refused(err) && !errors.Is(err, errLogin) && !errors.Is(err, errHostKey)
}

type digest [sha256.Size]byte

// sight is when a notification happened, and how often it was shown.
type sight struct {
	at    time.Time
	times int
}

// watcher is what lives longer than a connection.
type watcher struct {
	app        *app
	verbose    bool
	connected  int       // sessions so far
	listedOnce bool      // the open incidents were shown
	start      time.Time // of the replay; zero means none
	// last is the time of the newest notification, and seen those that a subscription
	// which begins overlap before it will bring again. again is what is left of these in
	// the session.
	last  time.Time
	seen  map[digest]sight
	again map[digest]int
	// numbers are those of the session.
	numbers sequence
	// listed is when each incident of the first list changed last: notifications up to
	// then tell nothing new.
	listed map[string]time.Time
}

// session subscribes and shows what comes until the connection is lost.
func (w *watcher) session(ctx context.Context) error {
	s, err := w.app.dial(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	start := w.start
	w.numbers, w.again = sequence{}, map[digest]int{}
	if !w.last.IsZero() {
		start = w.last.Add(-overlap)
		for sum, s := range w.seen {
			w.again[sum] = s.times
		}
	}
	if w.listedOnce || s.interleaves() {
		if err := w.subscribe(ctx, s, start); err != nil {
			return err
		}
	}
	w.connected++
	if !w.listedOnce {
		if err := w.list(ctx, s); err != nil {
			return err
		}
		w.listedOnce = true
		if !s.interleaves() {
			if err := w.subscribe(ctx, s, start); err != nil {
				return err
			}
		}
		if w.start.IsZero() {
			// Until a notification has told the server's clock, a resumed
			// subscription begins here.
			w.start = s.opened.Add(-overlap)
		}
	} else {
		fmt.Fprintln(w.app.stderr, "incctl: connected again")
	}
	for {
		n, err := s.next(ctx)
		if err != nil {
			return err
		}
		if err := w.take(n); err != nil {
			return err
		}
	}
}

// subscribe subscribes from start on. When the server refuses to resume there, a gap is
// better than nothing, and is told.
func (w *watcher) subscribe(ctx context.Context, s *session, start time.Time) error {
	err := s.subscribe(ctx, start)
	if !refused(err) || !w.listedOnce {
		return err
	}
	fmt.Fprintf(w.app.stderr, "incctl: the server does not replay from %s (%v); changes since then may be missing\n", start.Local().Format(time.DateTime), err)
	return s.subscribe(ctx, time.Time{})
}

// list shows the open incidents, oldest first, as the changes after it come.
func (w *watcher) list(ctx context.Context, s *session) error {
	statuses := []string{"raised", "updated"}
	filter := listFilter(statuses, nil)
	if w.verbose || w.app.json {
		filter = wholeFilter(statuses)
	}
	get := s.get
	if s.interleaves() {
		get = s.getMeanwhile
	}
	data, err := get(ctx, filter)
	if err != nil {
		return err
	}
	return w.showList(decodeIncidents(data))
}

// wholeFilter selects whole incidents by their status.
func wholeFilter(statuses []string) *etree.Element {
	top := etree.NewElement("incidents")
	top.CreateAttr("xmlns", nsIncident)
	for _, status := range statuses {
		top.CreateElement("incident").CreateElement("status").SetText(status)
	}
	return top
}

func (w *watcher) showList(list []incident) error {
	newestFirst(list)
	if len(list) == 0 && !w.app.json {
		fmt.Fprintln(w.app.stdout, "No open incidents.")
	}
	for n := len(list) - 1; n >= 0; n-- {
		i := &list[n]
		if w.start.IsZero() {
			w.listed[i.ID] = i.changed()
		}
		if w.app.json {
			if err := w.app.writeJSON(incidentsJSON(list[n : n+1])); err != nil {
				return err
			}
			continue
		}
		if err := w.show("open", parseTime(i.RaiseTime), i); err != nil {
			return err
		}
	}
	return nil
}

// take shows a notification unless it was shown before.
func (w *watcher) take(n notification) error {
	if missing := w.numbers.take(n); missing > 0 {
		return missingError(missing)
	}
	sum := digest(sha256.Sum256(fmt.Appendf(nil, "%d %s", n.at.UnixNano(), marshal(n.content))))
	if w.again[sum] > 0 {
		w.again[sum]--
		return nil
	}
	if n.at.After(w.last) {
		w.last = n.at
		for k, s := range w.seen {
			if s.at.Before(n.at.Add(-overlap)) {
				delete(w.seen, k)
			}
		}
	}
	w.seen[sum] = sight{n.at, w.seen[sum].times + 1}
	if n.content.Tag != "incident-notification" || n.content.NamespaceURI() != nsIncident {
		return nil
	}
	i := decodeIncident(n.content)
	if t, ok := w.listed[i.ID]; ok {
		if !i.changed().After(t) {
			return nil
		}
		delete(w.listed, i.ID)
	}
	if w.app.json {
		return w.app.writeJSON(notificationJSON(n.at, &i))
	}
	return w.show(i.Status, n.at, &i)
}

// show writes one line, or the whole incident.
func (w *watcher) show(what string, at time.Time, i *incident) error {
	out := w.app.screen()
	if w.verbose {
		rule := strings.Repeat("─", 20)
		fmt.Fprintf(out.w, "%s %s %s %s\n", rule, at.Local().Format("2006-01-02 15:04:05"), what, rule)
		if err := out.incident(i); err != nil {
			return err
		}
		_, err := fmt.Fprintln(out.w)
		return err
	}
	line := []cell{
		{at.Local().Format("2006-01-02 15:04:05"), plain}, {fmt.Sprintf("%-7s", clean(what)), statusStyle(what)},
		{fmt.Sprintf("%-8s", clean(i.Priority)), ifOpen(i, priorityStyle(i.Priority))}, {fmt.Sprintf("%-8s", clean(i.ID)), plain},
		{clean(i.Name), ifOpen(i, bold)},
	}
	if c := i.rootCauses(); len(c) > 0 {
		line = append(line, cell{"cause: " + clean(first(c)), plain})
	}
	if len(i.ServiceInstances) > 0 {
		line = append(line, cell{"services: " + clean(strings.Join(i.ServiceInstances, ", ")), plain})
	}
	if i.MergedInto != "" {
		line = append(line, cell{"merged into " + clean(i.MergedInto), plain})
	}
	var b strings.Builder
	for n, c := range line {
		if n > 0 {
			b.WriteString("  ")
		}
		b.WriteString(out.paint(c.text, c.with))
	}
	_, err := fmt.Fprintln(out.w, b.String())
	return err
}
