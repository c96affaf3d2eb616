package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/beevik/etree"

	"incidentd/yang/rpcerr"
)

type ackCommand struct {
	IDs []string `arg:"" name:"id" help:"The incidents, such as inc-12; the numbers alone will do." complete:"incident"`
}

// Help is shown by `incctl ack --help`.
func (*ackCommand) Help() string {
	return "Acknowledges incidents: all of them or, when one cannot be, none."
}

// Run acknowledges the incidents.
func (c *ackCommand) Run(ctx context.Context, a *app) error {
	s, err := a.dial(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	var ids []string
	for _, id := range c.IDs {
		if id = fullID(id); !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	op := etree.NewElement("incident-acknowledge")
	op.CreateAttr("xmlns", nsIncident)
	for _, id := range ids {
		op.CreateElement("incident-id").SetText(id)
	}
	if _, err := s.call(ctx, op); err != nil {
		return c.explain(ctx, s, ids, err)
	}
	if a.json {
		return a.writeJSON(map[string]any{"ietf-incident:incident-acknowledge": map[string]any{"incident-id": ids}})
	}
	filter := etree.NewElement("incidents")
	filter.CreateAttr("xmlns", nsIncident)
	for _, id := range ids {
		filter.AddChild(idFilter(id, "name", "priority", "status").ChildElements()[0])
	}
	names := map[string]incident{}
	// The acknowledgement stands whether or not its names can be read.
	if data, err := s.get(ctx, filter); err == nil {
		for _, i := range decodeIncidents(data) {
			names[i.ID] = i
		}
	}
	out := a.screen()
	for _, id := range ids {
		line := "Acknowledged " + clean(id)
		if i, ok := names[id]; ok {
			line += fmt.Sprintf("  %s  %s", out.paint(clean(i.Priority), priorityStyle(i.Priority)), clean(i.Name))
		}
		fmt.Fprintln(a.stdout, line)
	}
	return nil
}

// explain turns the server's refusal into what is wrong with which id, and what to do.
func (c *ackCommand) explain(ctx context.Context, s *session, ids []string, err error) error {
	var unknown, repeated []string
	list, known := rpcerr.List(err)
	if !known {
		return err
	}
	for _, e := range list {
		id := idIn(e, ids)
		switch {
		case e.AppTag == rpcerr.AppInstanceRequired || e.Tag == rpcerr.TagDataMissing:
			unknown = append(unknown, cmp.Or(id, ids[0]))
		case e.AppTag == rpcerr.AppRepeatedAcknowledge && id != "":
			repeated = append(repeated, id)
		default:
			return err
		}
	}
	var errs []error
	if len(repeated) > 0 {
		errs = append(errs, fmt.Errorf("%s acknowledged already", subject(repeated)))
	}
	if len(unknown) > 0 {
		errs = append(errs, s.unknown(ctx, unknown))
	}
	if rest := len(ids) - len(unknown) - len(repeated); rest > 0 {
		errs = append(errs, errors.New("nothing was acknowledged; leave these out and try again"))
	}
	return errors.Join(errs...)
}

func subject(ids []string) string {
	if len(ids) == 1 {
		return ids[0] + " is"
	}
	return strings.Join(ids, ", ") + " are"
}

var incidentID = regexp.MustCompile(`[A-Za-z]+-[0-9]+`)

// idIn finds which of the ids an error is about: by its path, else by its message.
func idIn(e *rpcerr.Error, ids []string) string {
	if len(ids) == 1 {
		return ids[0]
	}
	for _, text := range []string{e.Path.Expr, e.Message} {
		for _, id := range ids {
			if strings.Contains(text, "'"+id+"'") || strings.Contains(text, `"`+id+`"`) ||
				slices.Contains(incidentID.FindAllString(text, -1), id) {
				return id
			}
		}
	}
	return ""
}

// unknown is the error for ids that the server does not have. It names those that look
// like them.
func (s *session) unknown(ctx context.Context, ids []string) error {
	verb := "there is no incident "
	text := verb + strings.Join(ids, ", ")
	all := etree.NewElement("incidents")
	all.CreateAttr("xmlns", nsIncident)
	all.CreateElement("incident").CreateElement("incident-id")
	data, err := s.get(ctx, all)
	if err != nil {
		return errors.New(text + "; incctl list shows those there are")
	}
	var have []string
	for _, i := range decodeIncidents(data) {
		have = append(have, i.ID)
	}
	var near []string
	for _, id := range ids {
		near = append(near, similar(id, have, 3)...)
	}
	slices.SortFunc(near, compareIDs)
	near = slices.Compact(near)
	switch {
	case len(have) == 0:
		return errors.New(text + "; there are none at all")
	case len(near) > 0:
		return fmt.Errorf("%s; did you mean %s? incctl list --status all shows all", text, strings.Join(near, ", "))
	}
	return errors.New(text + "; incctl list --status all shows those there are")
}

// similar returns at most n of the candidates that are one slip of the finger away from
// id, in order.
func similar(id string, from []string, n int) []string {
	var near []string
	for _, f := range from {
		if distance(id, f) == 1 {
			near = append(near, f)
		}
	}
	slices.SortFunc(near, compareIDs)
	return near[:min(n, len(near))]
}

// distance counts the characters to insert, delete, change or swap with the next to
// turn a into b.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := last[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(change, row[j-1]+1, last[j]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
