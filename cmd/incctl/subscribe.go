package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/beevik/etree"

	"incidentd/yang"
	"incidentd/yang/xmltext"
)

const (
	nsSubscribed = "urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications"
	nsPush       = "urn:ietf:params:xml:ns:yang:ietf-yang-push"
	nsDatastores = "urn:ietf:params:xml:ns:yang:ietf-datastores"
)

// subscribeCommand has what establish-subscription has [RFC 8639, RFC 8641].
type subscribeCommand struct {
	What []string `arg:"" optional:"" help:"What to be told of: notifications as MODULE:NAME, paths of a datastore, or one XPath expression. Everything by default." complete:"path"`

	Subtree  string `help:"A file with a subtree filter instead; - reads standard input." placeholder:"FILE"`
	Filter   string `help:"A filter that the server has under /filters instead." placeholder:"NAME"`
	Stop     string `help:"When to end: a time, or in how long, such as 10m." placeholder:"TIME"`
	Encoding string `help:"How the server writes the notifications: xml or json." enum:",xml,json" default:"" placeholder:"NAME"`
	Format   string `short:"f" help:"How to show them: lines, xml or json. Lines by default." enum:",lines,xml,json" default:"" placeholder:"FORMAT"`
	Count    int    `short:"n" help:"End after so many." placeholder:"N"`
	Control  bool   `help:"Read lines from standard input meanwhile: modify, resync and end, with options as here."`

	Stream string `help:"The stream, by default NETCONF; incctl streams lists them." placeholder:"NAME" group:"Streams"`
	Start  string `help:"Begin in the past: a time, or how long ago, such as 2h." placeholder:"TIME" group:"Streams"`

	Datastore string        `help:"A datastore instead of a stream: running, candidate, startup, intended or operational." enum:",running,candidate,startup,intended,operational" default:"" placeholder:"NAME" group:"Datastores"`
	Period    time.Duration `help:"Send it once in this time, to a hundredth of a second. Without it changes are sent." placeholder:"DURATION" group:"Datastores"`
	Anchor    string        `help:"A time that the periods are counted from." placeholder:"TIME" group:"Datastores"`
	Dampening time.Duration `help:"How long changes are gathered." placeholder:"DURATION" group:"Datastores"`
	NoSync    bool          `help:"Do not begin with all that there is." group:"Datastores"`
	Exclude   []string      `help:"A kind of changes to leave out: create, delete, insert, move or replace; may be repeated." enum:"create,delete,insert,move,replace" placeholder:"CHANGE" group:"Datastores"`
}

// Help is shown by `incctl subscribe --help`.
func (*subscribeCommand) Help() string {
	return `Subscribes and shows each notification as it comes, until interrupted or the subscription has ended.
When notifications or changes are missing, it says so; a datastore is then asked for as a whole.
With --control it is changed while it runs, by lines such as "modify --period 10s", "modify /system", "resync" and "end".

  incctl subscribe --stream incidents --start 2h
  incctl subscribe ietf-alarms:alarm-notification ietf-incident:incident-notification
  incctl subscribe "/ietf-incident:incident-notification[ietf-incident:priority='critical']" -f json
  incctl subscribe --start 2026-11-01T00:00:00Z --stop 2026-11-02T00:00:00Z --encoding json
  incctl subscribe /networks --datastore running
  incctl subscribe /incidents --datastore operational --period 30s`
}

// check refuses options that do not go together.
func (c *subscribeCommand) check() error {
	filters := 0
	for _, given := range []bool{len(c.What) > 0, c.Subtree != "", c.Filter != ""} {
		if given {
			filters++
		}
	}
	ofPush := c.Period != 0 || c.Anchor != "" || c.Dampening != 0 || c.NoSync || len(c.Exclude) > 0
	switch {
	case c.Control && c.Subtree == "-":
		return errors.New("standard input is either the subtree filter or the lines of --control")
	case filters > 1:
		return errors.New("what to be told of is said once: as arguments, by --subtree or by --filter")
	case c.Datastore != "" && (c.Stream != "" || c.Start != ""):
		return errors.New("--stream and --start are of streams, and --datastore is none")
	case c.Datastore == "" && ofPush:
		return errors.New("--period, --anchor, --dampening, --no-sync and --exclude are of datastores: which --datastore?")
	case c.Period != 0 && (c.Dampening != 0 || c.NoSync || len(c.Exclude) > 0):
		return errors.New("--dampening, --no-sync and --exclude are of changes, and with --period no changes are sent")
	case c.Anchor != "" && c.Period == 0:
		return errors.New("--anchor is of a --period")
	case c.Period < 0 || c.Dampening < 0 || c.Count < 0:
		return errors.New("--period, --dampening and --count cannot be less than 0")
	}
	return nil
}

// Run subscribes and shows what comes. An interruption is no error.
func (c *subscribeCommand) Run(ctx context.Context, a *app) error {
	if err := c.check(); err != nil {
		return err
	}
	return a.withSession(ctx, func(s *session) error {
		f := &follower{app: a, format: c.Format, left: c.Count}
		if a.json {
			f.format = formatJSON
		}
		var err error
		if f.schema, err = a.schema(ctx, s); err != nil && (f.format == formatJSON || len(c.What) > 0) {
			return fmt.Errorf("%w; without the server's schema there are neither paths, names nor --format json", err)
		}
		op, err := c.establish(a, f.schema, time.Now())
		if err != nil {
			return err
		}
		var reply *etree.Element
		if err := s.meanwhile(func() error {
			reply, err = s.call(ctx, op)
			return err
		}); err != nil {
			return err
		}
		if revised := leaf(reply, nsSubscribed, "replay-start-time-revision"); revised != "" {
			fmt.Fprintf(a.stderr, "incctl: the server has nothing from before %s\n", a.screen().when(revised))
		}
		k := &control{app: a, schema: f.schema, id: leaf(reply, nsSubscribed, "id"), command: *c}
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		var in <-chan string
		if c.Control {
			in = linesOf(ctx, a.stdin)
		}
		err = f.follow(ctx, s, k, in)
		if ctx.Err() != nil {
			return nil
		}
		return err
	})
}

// establish makes the operation.
func (c *subscribeCommand) establish(a *app, schema *yang.Schema, now time.Time) (*etree.Element, error) {
	op := etree.NewElement("establish-subscription")
	op.CreateAttr("xmlns", nsSubscribed)
	names := subscriptionNames{filter: "stream-filter-name", subtree: "stream-subtree-filter", xpath: "stream-xpath-filter"}
	if c.Datastore == "" {
		stream := c.Stream
		if stream == "" {
			stream = "NETCONF"
		}
		op.CreateElement("stream").SetText(stream)
	} else {
		op.CreateAttr("xmlns:yp", nsPush)
		op.CreateAttr("xmlns:ds", nsDatastores)
		op.CreateElement("yp:datastore").SetText("ds:" + c.Datastore)
		names = subscriptionNames{filter: "yp:selection-filter-ref", subtree: "yp:datastore-subtree-filter", xpath: "yp:datastore-xpath-filter"}
	}
	if err := c.filter(op, a, schema, names); err != nil {
		return nil, err
	}
	for _, t := range []struct {
		name, text string
		sign       time.Duration
	}{{"replay-start-time", c.Start, -1}, {"stop-time", c.Stop, 1}} {
		if t.text == "" {
			continue
		}
		at, err := moment(t.text, now, t.sign)
		if err != nil {
			return nil, err
		}
		op.CreateElement(t.name).SetText(at.UTC().Format(time.RFC3339Nano))
	}
	if c.Encoding != "" {
		op.CreateElement("encoding").SetText("encode-" + c.Encoding)
	}
	if c.Datastore == "" {
		return op, nil
	}
	return op, c.trigger(op, now)
}

// trigger says when a datastore is sent.
func (c *subscribeCommand) trigger(op *etree.Element, now time.Time) error {
	if c.Period > 0 {
		periodic := op.CreateElement("yp:periodic")
		periodic.CreateElement("yp:period").SetText(centiseconds(c.Period))
		if c.Anchor != "" {
			at, err := moment(c.Anchor, now, -1)
			if err != nil {
				return err
			}
			periodic.CreateElement("yp:anchor-time").SetText(at.UTC().Format(time.RFC3339Nano))
		}
		return nil
	}
	change := op.CreateElement("yp:on-change")
	if c.Dampening > 0 {
		change.CreateElement("yp:dampening-period").SetText(centiseconds(c.Dampening))
	}
	if c.NoSync {
		change.CreateElement("yp:sync-on-start").SetText("false")
	}
	for _, kind := range c.Exclude {
		change.CreateElement("yp:excluded-change").SetText(kind)
	}
	return nil
}

// centiseconds is how YANG-Push counts.
func centiseconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+5*time.Millisecond)/(10*time.Millisecond)), 10)
}

// subscriptionNames are those of the nodes of a filter.
type subscriptionNames struct{ filter, subtree, xpath string }

// filter says what to be told of.
func (c *subscribeCommand) filter(op *etree.Element, a *app, schema *yang.Schema, names subscriptionNames) error {
	switch {
	case c.Filter != "":
		op.CreateElement(names.filter).SetText(c.Filter)
		return nil
	case c.Subtree != "":
		name, text, err := a.read(c.Subtree)
		if err != nil {
			return err
		}
		wrapped := "<filter>" + string(text) + "</filter>"
		if _, err := xmltext.ParseElement([]byte(wrapped), xmltext.Limits{}); err != nil {
			return newDocument(name, text).locate(err)
		}
		return addFilter(op, names.subtree, wrapped)
	case len(c.What) == 0:
		return nil
	case isXPath(c.What[0]) || c.Datastore == "" && strings.HasPrefix(c.What[0], "/"):
		if len(c.What) > 1 {
			return fmt.Errorf("%s is an XPath expression, which cannot be joined with others; a | in it can", c.What[0])
		}
		if _, err := a.path(schema, c.What[0]); c.Datastore == "" && err == nil {
			return fmt.Errorf("%s is no notification but data: of which --datastore?", c.What[0])
		}
		e := op.CreateElement(names.xpath)
		e.SetText(c.What[0])
		for prefix, namespace := range namespaces(schema, c.What[0]) {
			e.CreateAttr("xmlns:"+prefix, namespace)
		}
		e.SortAttrs()
		return nil
	}
	var elements strings.Builder
	for _, text := range c.What {
		if c.Datastore == "" {
			module, name, _ := strings.Cut(text, ":")
			n := schema.Notification(module, name)
			if n == nil {
				return fmt.Errorf("the server has no notification %s; incctl schema MODULE shows those of a module", text)
			}
			fmt.Fprintf(&elements, `<%s xmlns="%s"/>`, n.Name, n.Module.Namespace)
			continue
		}
		p, err := a.path(schema, text)
		if err != nil {
			return err
		}
		if len(p.Steps) == 0 {
			return nil // everything
		}
		elements.WriteString(p.Filter())
	}
	return addFilter(op, names.subtree, "<filter>"+elements.String()+"</filter>")
}

// addFilter puts the content of an element under another name.
func addFilter(op *etree.Element, name, wrapped string) error {
	doc := etree.NewDocument()
	if err := doc.ReadFromString(wrapped); err != nil {
		return err
	}
	into := op.CreateElement(name)
	for _, e := range doc.Root().ChildElements() {
		into.AddChild(e)
	}
	return nil
}
