package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/beevik/etree"

	"incidentd/cmd/incctl/internal/show"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/xmltext"
)

const nsNotifications = "urn:incidentd:yang:notifications"

// follower shows the notifications of one subscription.
type follower struct {
	app    *app
	schema *yang.Schema // nil: only lines and XML are possible
	format string
	left   int // how many to show; 0: all

	numbers sequence
	patches patches
}

// follow shows what comes to the end of the subscription, and does what lines say. An end
// that the server has not been asked for is an error.
func (f *follower) follow(ctx context.Context, s *session, k *control, in <-chan string) error {
	for {
		n, line, err := s.nextOr(ctx, in)
		if err != nil {
			return err
		}
		if n.content == nil {
			over, err := k.do(ctx, s, line)
			switch {
			case over:
				return err
			case err != nil && (ctx.Err() != nil || s.c.Err() != nil):
				return err
			case err != nil:
				fmt.Fprintf(f.app.stderr, "incctl: %v\n", err)
			}
			continue
		}
		if missing := f.numbers.take(n); missing > 0 {
			fmt.Fprintf(f.app.stderr, "incctl: %v\n", missingError(missing))
		}
		if err := f.show(n); err != nil {
			return err
		}
		if what := f.patches.take(n.content); what != "" {
			fmt.Fprintf(f.app.stderr, "incctl: %s\n", what)
			if err := k.resync(ctx, s); err != nil {
				fmt.Fprintf(f.app.stderr, "incctl: %v\n", err)
			}
		}
		switch name, reason := ending(n.content); name {
		case "subscription-completed":
			return nil
		case "subscription-terminated":
			return fmt.Errorf("the server has ended the subscription: %s", clean(local(reason)))
		}
		if f.left--; f.left == 0 {
			return nil
		}
	}
}

// ending is the name of a notification that tells of the subscription itself, and the
// reason in it.
func ending(e *etree.Element) (name, reason string) {
	if text := encoded(e); text != "" {
		name, _, _ = strings.Cut(strings.TrimPrefix(text, `{"`), `"`)
		name, ok := strings.CutPrefix(name, "ietf-subscribed-notifications:")
		if !ok {
			return "", ""
		}
		_, reason, _ = strings.Cut(text, `"reason":"`)
		reason, _, _ = strings.Cut(reason, `"`)
		return name, reason
	}
	if e.NamespaceURI() != nsSubscribed {
		return "", ""
	}
	return e.Tag, leaf(e, nsSubscribed, "reason")
}

// encoded is the JSON of an encoded-event, empty for others.
func encoded(e *etree.Element) string {
	if e.Tag != "encoded-event" || e.NamespaceURI() != nsNotifications {
		return ""
	}
	return leaf(e, nsNotifications, "json")
}

func (f *follower) show(n notification) error {
	switch f.format {
	case formatXML:
		text, err := show.XML([]*etree.Element{n.content.Parent()})
		if err != nil {
			return err
		}
		_, err = fmt.Fprint(f.app.stdout, text)
		return err
	case formatJSON:
		event, err := f.json(n.content)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(f.app.stdout, `{"ietf-restconf:notification":{"eventTime":%q,%s}}`+"\n", n.at.Format(time.RFC3339Nano), event)
		return err
	}
	out := f.app.screen()
	line := out.paint(n.at.Local().Format(time.DateTime), dim) + "  "
	if text := encoded(n.content); text != "" {
		line += clean(text)
	} else {
		line += out.paint(clean(n.content.Tag), bold)
		for _, leaf := range leafs(nil, "", n.content) {
			line += "  " + clean(leaf)
		}
	}
	_, err := fmt.Fprintln(out.w, line)
	return err
}

// json is the member of an object that a notification is [RFC 7951].
func (f *follower) json(e *etree.Element) (string, error) {
	if text := encoded(e); text != "" {
		return strings.TrimSuffix(strings.TrimPrefix(text, "{"), "}"), nil
	}
	content := e.Copy()
	inherit(e, content)
	m := f.schema.ByNamespace(e.NamespaceURI())
	if m == nil {
		return "", fmt.Errorf("the server's schema has no namespace %q", e.NamespaceURI())
	}
	n := f.schema.Notification(m.Name, e.Tag)
	if n == nil {
		return "", fmt.Errorf("the server's schema has no notification %s:%s", m.Name, e.Tag)
	}
	d := xmltext.NewDecoder(marshal(content), xmltext.Limits{})
	if _, err := d.Next(); err != nil {
		return "", err
	}
	p := data.Parser{Schema: f.schema, State: true}
	tree, err := p.Parse(d, n)
	if err != nil {
		return "", errors.Join(errors.New("a notification does not fit the server's own schema; --format xml shows it as it came"), err)
	}
	return string(data.AppendJSON(nil, tree, nil)), nil
}

// leafs appends what is in an element as name=value, names with those of the elements
// around them.
func leafs(list []string, prefix string, e *etree.Element) []string {
	for _, c := range e.ChildElements() {
		if len(c.ChildElements()) > 0 {
			list = leafs(list, prefix+c.Tag+"/", c)
			continue
		}
		text := prefix + c.Tag
		if v := strings.TrimSpace(c.Text()); v != "" {
			text += "=" + show.Quote(v)
		}
		list = append(list, text)
	}
	return list
}
