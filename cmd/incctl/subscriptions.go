package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/beevik/etree"
)

// streamInfo is a stream that can be subscribed to.
type streamInfo struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	Replay      bool   `json:"replay-support"`
	Created     string `json:"replay-log-creation-time,omitempty"`
	Aged        string `json:"replay-log-aged-time,omitempty"`
}

type streamsCommand struct{}

// Help is shown by `incctl streams --help`.
func (*streamsCommand) Help() string {
	return "Lists the streams that incctl subscribe can name, and how far back each can be replayed."
}

// streams reads them.
func (s *session) streams(ctx context.Context) ([]streamInfo, error) {
	top := etree.NewElement("streams")
	top.CreateAttr("xmlns", nsSubscribed)
	data, err := s.get(ctx, top)
	if err != nil {
		return nil, err
	}
	list := []streamInfo{}
	for _, e := range data.FindElements("./streams/stream") {
		text := func(name string) string { return leaf(e, nsSubscribed, name) }
		list = append(list, streamInfo{text("name"), text("description"), len(children(e, nsSubscribed, "replay-support")) > 0,
			text("replay-log-creation-time"), text("replay-log-aged-time")})
	}
	return list, nil
}

// Run lists.
func (*streamsCommand) Run(ctx context.Context, a *app) error {
	return tabulate(ctx, a, (*session).streams, []column{{title: "STREAM"}, {title: "REPLAY SINCE"}, {title: "WHAT IT HAS", give: true, least: 12}},
		func(out screen, i streamInfo) []cell {
			since := "no"
			switch {
			case i.Aged != "":
				since = out.when(i.Aged)
			case i.Replay:
				since = out.when(i.Created)
			}
			return []cell{{clean(i.Name), bold}, {since, plain}, {clean(i.Description), dim}}
		})
}

// subscriptionInfo is a subscription at one of its receivers.
type subscriptionInfo struct {
	ID         uint32 `json:"id"`
	Stream     string `json:"stream,omitempty"`
	Datastore  string `json:"datastore,omitempty"`
	Encoding   string `json:"encoding,omitempty"`
	Stop       string `json:"stop-time,omitempty"`
	Receiver   string `json:"receiver,omitempty"`
	State      string `json:"state,omitempty"`
	Sent       string `json:"sent-event-records,omitempty"`
	Excluded   string `json:"excluded-event-records,omitempty"`
	Configured string `json:"configured-subscription-state,omitempty"`
}

// subscriptions reads them: one for each receiver, one without for those that have none.
func (s *session) subscriptions(ctx context.Context) ([]subscriptionInfo, error) {
	top := etree.NewElement("subscriptions")
	top.CreateAttr("xmlns", nsSubscribed)
	data, err := s.get(ctx, top)
	if err != nil {
		return nil, err
	}
	list := []subscriptionInfo{}
	for _, e := range data.FindElements("./subscriptions/subscription") {
		text := func(name string) string { return leaf(e, nsSubscribed, name) }
		id, err := strconv.ParseUint(text("id"), 10, 32)
		if err != nil {
			return nil, fmt.Errorf("the server has a subscription with the id %q: %w", text("id"), err)
		}
		i := subscriptionInfo{ID: uint32(id), Stream: text("stream"), Datastore: local(leaf(e, nsPush, "datastore")), Encoding: local(text("encoding")),
			Stop: text("stop-time"), Configured: text("configured-subscription-state")}
		receivers := e.FindElements("./receivers/receiver")
		for _, r := range receivers {
			of := i
			of.Receiver, of.State = leaf(r, nsSubscribed, "name"), leaf(r, nsSubscribed, "state")
			of.Sent, of.Excluded = leaf(r, nsSubscribed, "sent-event-records"), leaf(r, nsSubscribed, "excluded-event-records")
			list = append(list, of)
		}
		if len(receivers) == 0 {
			list = append(list, i)
		}
	}
	return list, nil
}

type subscriptionsCommand struct{}

// Help is shown by `incctl subscriptions --help`.
func (*subscriptionsCommand) Help() string {
	return "Lists the subscriptions of all sessions and those that are configured, and how each of their receivers gets on."
}

// Run lists.
func (*subscriptionsCommand) Run(ctx context.Context, a *app) error {
	return tabulate(ctx, a, (*session).subscriptions,
		[]column{{title: "ID"}, {title: "OF"}, {title: "RECEIVER", give: true, least: 8}, {title: "STATE"}, {title: "SENT"}, {title: "EXCLUDED"}, {title: "UNTIL"}},
		func(out screen, i subscriptionInfo) []cell {
			of, look, stop := i.Stream, plain, ""
			if i.Datastore != "" {
				of = "datastore " + i.Datastore
			}
			if i.State == "suspended" {
				look = yellow
			}
			if i.Stop != "" {
				stop = out.when(i.Stop)
			}
			return []cell{{strconv.FormatUint(uint64(i.ID), 10), bold}, {clean(of), plain}, {clean(i.Receiver), plain}, {clean(i.State), look},
				{clean(i.Sent), plain}, {clean(i.Excluded), plain}, {stop, plain}}
		})
}

type killSubscriptionCommand struct {
	ID uint32 `arg:"" help:"The number of the subscription; incctl subscriptions lists them." complete:"subscription"`
}

// Help is shown by `incctl kill-subscription --help`.
func (*killSubscriptionCommand) Help() string {
	return "Ends a subscription of any session; its receiver is told. One that is configured ends by incctl delete."
}

// Run kills.
func (c *killSubscriptionCommand) Run(ctx context.Context, a *app) error {
	return a.withSession(ctx, func(s *session) error {
		op := etree.NewElement("kill-subscription")
		op.CreateAttr("xmlns", nsSubscribed)
		op.CreateElement("id").SetText(strconv.FormatUint(uint64(c.ID), 10))
		if _, err := s.call(ctx, op); err != nil {
			return err
		}
		return a.done(fmt.Sprintf("Ended subscription %d.", c.ID), "id", strconv.FormatUint(uint64(c.ID), 10))
	})
}
