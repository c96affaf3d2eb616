package main

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/beevik/etree"

	"incidentd/netconf/client"
	"incidentd/yang/rpcerr"
)

const (
	links        = 400  // of the ring whose alarms come and go
	nodesEach    = 50   // that an editor works on
	knownReports = 400  // that a reporter says again after a restart
	outage       = 2000 // milliseconds
)

// configure gives the server its network, a test, short memory and its monitoring.
func (s *soak) configure(ctx context.Context) error {
	c, err := s.server.dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	var b strings.Builder
	b.WriteString(`<networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network" xmlns:nt="urn:ietf:params:xml:ns:yang:ietf-network-topology">` +
		`<network><network-id>edited</network-id></network><network><network-id>ip</network-id>`)
	for i := range links {
		fmt.Fprintf(&b, `<node><node-id>N%d</node-id><nt:termination-point><nt:tp-id>e0</nt:tp-id></nt:termination-point><nt:termination-point><nt:tp-id>e1</nt:tp-id></nt:termination-point></node>`, i)
	}
	for i := range links {
		fmt.Fprintf(&b, `<nt:link><nt:link-id>l%d</nt:link-id><nt:source><nt:source-node>N%d</nt:source-node><nt:source-tp>e1</nt:source-tp></nt:source><nt:destination><nt:dest-node>N%d</nt:dest-node><nt:dest-tp>e0</nt:dest-tp></nt:destination></nt:link>`,
			i, i, (i+1)%links)
	}
	b.WriteString(`</network></networks>`)
	parts := []string{
		b.String(),
		fmt.Sprintf(`<server xmlns="urn:incidentd:yang:server"><monitoring><enabled>true</enabled><port>%d</port></monitoring></server>`, port(s.server.monitor)),
		`<incident-management xmlns="urn:incidentd:yang:management"><cleared-retention>60</cleared-retention><history-limit>500</history-limit></incident-management>`,
		fmt.Sprintf(`<oam-unitary-tests xmlns="urn:ietf:params:xml:ns:yang:ietf-oam-unitary-test"><oam-unitary-test><name>self</name>
			<tcp-connect xmlns="urn:incidentd:yang:oam-tests"><target>127.0.0.1</target><destination-port>%d</destination-port></tcp-connect>
			<period-start>2000-01-01T00:00:00Z</period-start><frequency xmlns:s="urn:ietf:params:xml:ns:yang:ietf-schedule">s:secondly</frequency></oam-unitary-test></oam-unitary-tests>`, port(s.server.addr)),
	}
	for _, part := range parts {
		if err := c.EditConfig(ctx, "running", []byte(part), "merge"); err != nil {
			return fmt.Errorf("%.80s…: %w", part, err)
		}
	}
	return nil
}

// lost makes of an error of a call what it means: nil when the server answered, errLost when
// there was no answer.
func lost(err error) error {
	var one *rpcerr.Error
	var many rpcerr.Errors
	if errors.As(err, &one) || errors.As(err, &many) {
		return err
	}
	return fmt.Errorf("%w: %w", errLost, err)
}

// editor changes nodes of its own, and knows what they are to be.
type editor struct {
	*soak
	number int
	nodes  map[string]string // the one termination point of each that is there
	// doubtful is the node whose edit was not acknowledged, and what it would be; "" for
	// not there.
	doubtful, would string
	step            int
}

func newEditor(s *soak, number int) *editor {
	return &editor{soak: s, number: number, nodes: map[string]string{}}
}

func (e *editor) work(ctx context.Context, c *client.Client) error {
	if err := e.compare(ctx, c); err != nil {
		return err
	}
	for ctx.Err() == nil {
		e.step++
		name, value := fmt.Sprintf("E%d-%d", e.number, e.step%nodesEach), fmt.Sprintf("v%d", e.step)
		edit := `<node nc:operation="replace"><node-id>` + name + `</node-id><nt:termination-point><nt:tp-id>` + value + `</nt:tp-id></nt:termination-point></node>`
		if e.step%7 == 0 {
			value, edit = "", `<node nc:operation="remove"><node-id>`+name+`</node-id></node>`
		}
		e.doubtful, e.would = name, value
		began := time.Now()
		if err := e.edit(ctx, c, edit); err != nil {
			return lost(err)
		}
		e.did("edits", 1, began)
		e.settle(value)
		time.Sleep(2 * time.Millisecond)
	}
	return nil
}

// edit changes the network. The first editor goes by way of the candidate each third time,
// and keeps the others away meanwhile: a commit makes running all that the candidate is.
func (e *editor) edit(ctx context.Context, c *client.Client, node string) error {
	config := []byte(`<networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network" xmlns:nt="urn:ietf:params:xml:ns:yang:ietf-network-topology" xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0"><network><network-id>edited</network-id>` +
		node + `</network></networks>`)
	if e.number != 0 || e.step%3 > 0 {
		for {
			err := c.EditConfig(ctx, "running", config, "")
			if refused := new(rpcerr.Error); !errors.As(err, &refused) || refused.Tag != rpcerr.TagInUse {
				return err
			}
			time.Sleep(time.Millisecond)
		}
	}
	if err := errors.Join(c.Lock(ctx, "running"), c.Lock(ctx, "candidate")); err != nil {
		return err
	}
	err := c.EditConfig(ctx, "candidate", config, "")
	if err == nil {
		err = c.Commit(ctx, client.Commit{})
	}
	return errors.Join(err, c.Unlock(ctx, "candidate"), c.Unlock(ctx, "running"))
}

// settle takes a value of the doubtful node for what it is.
func (e *editor) settle(value string) {
	if delete(e.nodes, e.doubtful); value != "" {
		e.nodes[e.doubtful] = value
	}
	e.doubtful = ""
}

// compare reads what the server has of the nodes.
func (e *editor) compare(ctx context.Context, c *client.Client) error {
	r, err := c.GetConfig(ctx, "running", client.Subtree(`<networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network"><network><network-id>edited</network-id></network></networks>`))
	if err != nil {
		return lost(err)
	}
	data, err := r.Data()
	if err != nil {
		return err
	}
	has := map[string]string{}
	for _, n := range data.FindElements("networks/network/node") {
		if name := n.SelectElement("node-id").Text(); strings.HasPrefix(name, fmt.Sprintf("E%d-", e.number)) {
			has[name] = n.FindElement("termination-point/tp-id").Text()
		}
	}
	if e.doubtful != "" && has[e.doubtful] != e.nodes[e.doubtful] && has[e.doubtful] == e.would {
		e.settle(e.would)
	}
	e.doubtful = ""
	if !maps.Equal(has, e.nodes) {
		for _, name := range slices.Sorted(maps.Keys(e.nodes)) {
			if has[name] != e.nodes[name] {
				e.found("node %s was acknowledged as %q and is %q", name, e.nodes[name], has[name])
			}
		}
		for name, v := range has {
			if _, ok := e.nodes[name]; !ok {
				e.found("node %s was acknowledged as removed and is %q", name, v)
			}
		}
		e.nodes = has
	}
	e.did("comparisons", len(has), time.Now())
	return nil
}

// reporter lets links fail and come back, and says what it knows to be taken again after a
// restart.
type reporter struct {
	*soak
	number, id, link int
	down             []struct {
		link int
		at   time.Time
	}
	pending []string // a batch that was not acknowledged
	taken   []string // events that were, the last ones
}

func newReporter(s *soak, number int) *reporter { return &reporter{soak: s, number: number} }

func (r *reporter) work(ctx context.Context, c *client.Client) error {
	if len(r.taken) > 0 {
		reply, err := r.report(ctx, c, r.taken)
		if err != nil {
			return err
		}
		if reply != [2]int{0, len(r.taken)} {
			r.found("of %d events that were acknowledged %d are new after a restart", len(r.taken), reply[0])
		}
		r.did("events said again", len(r.taken), time.Now())
	}
	for ctx.Err() == nil {
		if r.pending == nil {
			r.pending = r.next()
		}
		began := time.Now()
		reply, err := r.report(ctx, c, r.pending)
		if err != nil {
			return err
		}
		if got := reply[0] + reply[1]; got != len(r.pending) {
			r.found("of %d events %d were accounted for", len(r.pending), got)
		}
		r.did("events", len(r.pending), began)
		r.taken = append(r.taken, r.pending...)
		r.taken = slices.Clone(r.taken[max(0, len(r.taken)-knownReports):])
		r.pending = nil
		time.Sleep(20 * time.Millisecond)
	}
	return nil
}

// next is a batch: a link fails, and the ends of one that failed a while ago clear.
func (r *reporter) next() (batch []string) {
	event := func(link, end int, kind, severity string) {
		r.id++
		batch = append(batch, fmt.Sprintf(`<event><id>r%d-%d</id><node>N%d</node><resource>e%d</resource><alarm-type-id>%s</alarm-type-id><severity>%s</severity><text>Interface e%d</text></event>`,
			r.number, r.id, (link+end)%links, 1-end, kind, severity, 1-end))
	}
	both := func(link int, severity string) {
		for k := range 4 {
			event(link, k%2, []string{"link-down", "isis-adjacency-down"}[k/2], severity)
		}
	}
	for len(r.down) > 0 && time.Since(r.down[0].at) > outage*time.Millisecond {
		both(r.down[0].link, "cleared")
		r.down = r.down[1:]
	}
	if len(r.down) < 4 || len(batch) == 0 {
		r.link = (r.link + 7) % links
		link := r.link/reporters*reporters + r.number // its own
		both(link, "major")
		r.down = append(r.down, struct {
			link int
			at   time.Time
		}{link, time.Now()})
	}
	return batch
}

// report sends events, and tells how many were new and how many known.
func (r *reporter) report(ctx context.Context, c *client.Client, events []string) (counts [2]int, _ error) {
	reply, err := c.Call(ctx, []byte(`<report-events xmlns="urn:incidentd:yang:events">`+strings.Join(events, "")+`</report-events>`))
	if err != nil {
		return counts, lost(err)
	}
	doc, err := reply.Doc()
	if err != nil {
		return counts, err
	}
	for i, name := range []string{"accepted", "duplicates"} {
		e := doc.FindElement("//" + name)
		if e == nil {
			return counts, fmt.Errorf("report-events answers without %s: %s", name, reply.Raw)
		}
		if counts[i], err = strconv.Atoi(e.Text()); err != nil {
			return counts, err
		}
	}
	return counts, nil
}

// reader reads what people and controllers look at.
type reader struct {
	*soak
	next int
}

func (r *reader) work(ctx context.Context, c *client.Client) error {
	for ctx.Err() == nil {
		began := time.Now()
		var err error
		switch r.next++; r.next % 4 {
		case 0:
			_, err = c.Get(ctx, client.Subtree(`<incidents xmlns="urn:ietf:params:xml:ns:yang:ietf-incident"/>`))
		case 1:
			_, err = c.GetConfig(ctx, "running", client.Subtree(`<networks xmlns="urn:ietf:params:xml:ns:yang:ietf-network"><network><network-id>ip</network-id><node><node-id>N3</node-id></node></network></networks>`))
		case 2:
			_, err = c.GetData(ctx, "operational", client.Subtree(`<alarms xmlns="urn:ietf:params:xml:ns:yang:ietf-alarms"><summary/></alarms>`))
		case 3:
			_, err = c.Get(ctx, client.Subtree(`<netconf-state xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"><sessions/><statistics/></netconf-state>`))
		}
		if err != nil {
			return lost(err)
		}
		r.did("reads", 1, began)
		time.Sleep(20 * time.Millisecond)
	}
	return nil
}

// feed is a subscriber to incidents, which asks after each restart for what it has missed.
type feed struct {
	*soak
	mu   sync.Mutex
	last time.Time // of the last notification
	has  map[uint64]time.Time
}

func newFeed(s *soak, begun time.Time) *feed {
	return &feed{soak: s, last: begun, has: map[uint64]time.Time{}}
}

func (f *feed) work(ctx context.Context, c *client.Client) error {
	// The time of an event is that of its transaction: those of one moment may be divided
	// by the end of a session.
	if err := c.CreateSubscription(ctx, "incidents", client.Filter{}, f.last.Add(-2*time.Second), time.Time{}); err != nil {
		return lost(err)
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case n, ok := <-c.Notifications():
			if !ok {
				return fmt.Errorf("%w: %w", errLost, c.Err())
			}
			key, err := contentOf(n)
			if err != nil {
				return err
			}
			if key == 0 {
				continue
			}
			f.mu.Lock()
			if _, known := f.has[key]; !known {
				f.did("notifications", 1, time.Now())
			}
			f.has[key] = n.EventTime
			f.last = n.EventTime
			f.mu.Unlock()
		}
	}
}

var seed = maphash.MakeSeed()

// contentOf stands for what a notification says of an incident; 0 for other notifications.
func contentOf(n *client.Notification) (uint64, error) {
	e, err := n.Event()
	if err != nil {
		return 0, err
	}
	if e.Tag != "incident-notification" {
		return 0, nil
	}
	doc := etree.NewDocumentWithRoot(e.Copy())
	text, err := doc.WriteToString()
	if err != nil {
		return 0, err
	}
	return maphash.String(seed, n.EventTime.Format(time.RFC3339Nano)+text), nil
}
