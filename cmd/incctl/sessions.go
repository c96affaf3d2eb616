package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/beevik/etree"
)

const nsMonitoring = "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"

// peerSession is a session at the server.
type peerSession struct {
	ID     uint32   `json:"session-id"`
	User   string   `json:"username,omitempty"`
	Host   string   `json:"source-host,omitempty"`
	Since  string   `json:"login-time,omitempty"`
	RPCs   string   `json:"in-rpcs,omitempty"`
	Errors string   `json:"out-rpc-errors,omitempty"`
	Locks  []string `json:"locks,omitempty"`
	Own    bool     `json:"own,omitempty"`
}

// sessions reads the sessions and the locks that they hold [RFC 6022].
func (s *session) sessions(ctx context.Context) ([]peerSession, error) {
	top := etree.NewElement("netconf-state")
	top.CreateAttr("xmlns", nsMonitoring)
	top.CreateElement("sessions")
	top.CreateElement("datastores")
	data, err := s.get(ctx, top)
	if err != nil {
		return nil, err
	}
	number := func(text string) uint32 {
		n, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return 0 // which no session has
		}
		return uint32(n)
	}
	locks := map[uint32][]string{}
	for _, d := range data.FindElements("./netconf-state/datastores/datastore") {
		name := leaf(d, nsMonitoring, "name")
		for _, l := range d.FindElements("./locks/global-lock") {
			id := number(leaf(l, nsMonitoring, "locked-by-session"))
			locks[id] = append(locks[id], name)
		}
		for _, l := range d.FindElements("./locks/partial-lock") {
			id := number(leaf(l, nsMonitoring, "locked-by-session"))
			locks[id] = append(locks[id], name+" in part")
		}
	}
	list := []peerSession{}
	for _, e := range data.FindElements("./netconf-state/sessions/session") {
		text := func(name string) string { return leaf(e, nsMonitoring, name) }
		id := number(text("session-id"))
		list = append(list, peerSession{
			id, text("username"), text("source-host"), text("login-time"), text("in-rpcs"), text("out-rpc-errors"),
			slices.Compact(locks[id]), id == s.c.SessionID(),
		})
	}
	return list, nil
}

type sessionsCommand struct{}

// Help is shown by `incctl sessions --help`.
func (*sessionsCommand) Help() string {
	return "Lists who is connected, since when, from where, and which locks they hold. The star is this session."
}

// Run lists.
func (*sessionsCommand) Run(ctx context.Context, a *app) error {
	return tabulate(ctx, a, (*session).sessions,
		[]column{{title: "SESSION"}, {title: "USER"}, {title: "FROM"}, {title: "SINCE"}, {title: "RPCS"}, {title: "ERRORS"}, {title: "LOCKS", give: true, least: 8}},
		func(out screen, p peerSession) []cell {
			id, look := strconv.FormatUint(uint64(p.ID), 10), plain
			if p.Own {
				id, look = id+"*", dim
			}
			return []cell{{id, bold}, {clean(p.User), look}, {clean(p.Host), look}, {out.when(p.Since), look}, {clean(p.RPCs), look}, {clean(p.Errors), look},
				{clean(strings.Join(p.Locks, ", ")), yellow}}
		})
}

type killSessionCommand struct {
	ID uint32 `arg:"" help:"The number of the session; incctl sessions lists them." complete:"session"`
}

// Help is shown by `incctl kill-session --help`.
func (*killSessionCommand) Help() string {
	return "Ends the session of somebody else: its locks are released, and what it was about to change is not."
}

// Run kills.
func (c *killSessionCommand) Run(ctx context.Context, a *app) error {
	return a.with(ctx, func(ctx context.Context, s *session) error {
		if err := s.c.KillSession(ctx, c.ID); err != nil {
			return err
		}
		return a.done(fmt.Sprintf("Ended session %d.", c.ID), "session-id", strconv.FormatUint(uint64(c.ID), 10))
	})
}

type capabilitiesCommand struct{}

// Help is shown by `incctl capabilities --help`.
func (*capabilitiesCommand) Help() string { return "Lists what the server has offered in its hello." }

// Run lists.
func (*capabilitiesCommand) Run(ctx context.Context, a *app) error {
	return a.withSession(ctx, func(s *session) error {
		list := slices.Clone(s.c.Capabilities())
		slices.Sort(list)
		if a.json {
			return a.writeJSON(list)
		}
		for _, c := range list {
			fmt.Fprintln(a.stdout, clean(c))
		}
		return nil
	})
}
