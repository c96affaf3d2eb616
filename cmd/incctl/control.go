package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"github.com/beevik/etree"

	"incidentd/yang"
)

// controlLine is a line that changes a subscription while it runs. Nobody but its own session
// can do so [RFC 8639 section 2.4.3].
type controlLine struct {
	Modify modifyLine `cmd:"" aliases:"modify-subscription" help:"Change what is sent, and when."`
	Resync struct{}   `cmd:"" aliases:"resync-subscription" help:"Send all that is selected of the datastore again."`
	End    struct{}   `cmd:"" aliases:"delete-subscription" help:"End the subscription."`
}

// modifyLine has what modify-subscription has. What is not mentioned stays as it is.
type modifyLine struct {
	What      []string      `arg:"" optional:"" help:"What to be told of, as of incctl subscribe."`
	Subtree   string        `help:"A file with a subtree filter instead." placeholder:"FILE"`
	Filter    string        `help:"A filter that the server has under /filters instead." placeholder:"NAME"`
	Stop      string        `help:"When to end: a time, or in how long, such as 10m." placeholder:"TIME"`
	Period    time.Duration `help:"Send the datastore once in this time." placeholder:"DURATION"`
	Anchor    string        `help:"A time that the periods are counted from." placeholder:"TIME"`
	OnChange  bool          `help:"Send changes of the datastore, not all of it once in a time."`
	Dampening time.Duration `help:"How long changes are gathered." placeholder:"DURATION"`
}

// control changes a subscription by lines.
type control struct {
	app     *app
	schema  *yang.Schema
	id      string
	command subscribeCommand // as it would be for the subscription as it is
}

// linesOf reads a reader line by line, to its end. The goroutine that does so ends with the
// reader or with ctx, at the next line.
func linesOf(ctx context.Context, r io.Reader) <-chan string {
	out := make(chan string)
	go func() {
		defer close(out)
		for in := bufio.NewScanner(r); in.Scan(); {
			select {
			case out <- in.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

// do does what a line says. over tells that the subscription has ended by it. An error of
// the line or of the server leaves it as it was.
func (k *control) do(ctx context.Context, s *session, line string) (over bool, err error) {
	words, _, err := splitWords(line)
	if err != nil || len(words) == 0 || strings.HasPrefix(words[0], "#") {
		return false, err
	}
	l := &controlLine{}
	parser, err := kong.New(l, kong.Name(""), kong.NoDefaultHelp(), kong.Exit(func(int) {}), kong.Writers(io.Discard, io.Discard))
	if err != nil {
		panic(err) // the definition is wrong
	}
	c, err := parser.Parse(words)
	if err != nil {
		return false, fmt.Errorf("%w; a line is modify, resync or end, with options as of incctl subscribe", err)
	}
	switch c.Selected().Name {
	case "modify":
		return false, k.modify(ctx, s, &l.Modify)
	case "resync":
		return false, k.resync(ctx, s)
	}
	if _, err := k.call(ctx, s, k.operation("delete-subscription", nsSubscribed)); err != nil {
		return false, err
	}
	return true, k.told("Ended the subscription.")
}

// modify changes the subscription.
func (k *control) modify(ctx context.Context, s *session, l *modifyLine) error {
	next, err := k.command.modified(l)
	if err != nil {
		return err
	}
	op, err := next.establish(k.app, k.schema, time.Now())
	if err != nil {
		return err
	}
	if _, err := k.call(ctx, s, modification(op, k.id)); err != nil {
		return err
	}
	k.command = next
	return k.told("Modified the subscription.")
}

// modified is the command for the subscription after a change.
func (c subscribeCommand) modified(l *modifyLine) (subscribeCommand, error) {
	if len(l.What) > 0 || l.Subtree != "" || l.Filter != "" {
		c.What, c.Subtree, c.Filter = l.What, l.Subtree, l.Filter
	}
	if l.Period > 0 && (l.OnChange || l.Dampening > 0) {
		return c, errors.New("--period sends all of it, --on-change and --dampening send changes")
	}
	if l.OnChange || l.Dampening > 0 {
		c.Period, c.Anchor = 0, ""
	}
	if l.Period > 0 {
		c.Dampening = 0
	}
	c.Start, c.Stop = "", l.Stop
	c.Period, c.Anchor, c.Dampening = cmp.Or(l.Period, c.Period), cmp.Or(l.Anchor, c.Anchor), cmp.Or(l.Dampening, c.Dampening)
	// These cannot be modified, and do not go together with a period.
	c.NoSync, c.Exclude = false, nil
	if c.Datastore == "" && (l.Period > 0 || l.Anchor != "" || l.OnChange || l.Dampening > 0) {
		return c, errors.New("a stream has neither periods nor changes")
	}
	return c, c.check()
}

// modification makes modify-subscription of an establish-subscription.
func modification(establish *etree.Element, id string) *etree.Element {
	op := establish.Copy()
	op.Tag = "modify-subscription"
	name := etree.NewElement("id")
	name.SetText(id)
	op.InsertChildAt(0, name)
	target := false
	for _, e := range op.ChildElements() {
		switch {
		case e.Tag == "stream" || e.Tag == "encoding":
			op.RemoveChild(e)
		case e.Space == "yp" && e.Tag == "datastore" || strings.HasPrefix(e.Tag, "stream-"):
			target = true
		}
	}
	if !target { // which has to be there; of a stream: all of it
		op.CreateElement("stream-xpath-filter").SetText("true()")
	}
	return op
}

// resync asks for all that is selected.
func (k *control) resync(ctx context.Context, s *session) error {
	if _, err := k.call(ctx, s, k.operation("resync-subscription", nsPush)); err != nil {
		return err
	}
	return k.told("All that is selected comes again.")
}

func (k *control) operation(name, namespace string) *etree.Element {
	op := etree.NewElement(name)
	op.CreateAttr("xmlns", namespace)
	op.CreateElement("id").SetText(k.id)
	return op
}

// call is session.call during a subscription.
func (k *control) call(ctx context.Context, s *session, op *etree.Element) (reply *etree.Element, err error) {
	err = s.meanwhile(func() error {
		reply, err = s.call(ctx, op)
		return err
	})
	return reply, err
}

// told says beside the notifications what was done.
func (k *control) told(text string) error {
	_, err := fmt.Fprintln(k.app.stderr, "incctl: "+text)
	return err
}
