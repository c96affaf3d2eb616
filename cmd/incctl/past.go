package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/beevik/etree"
)

// past reports whether the list is one of the history.
func (c *listCommand) past() bool { return c.All || c.Since+c.Until != "" || len(c.Node) > 0 }

// fetchPast asks for incidents of the history, page by page until there are as many as are
// wanted: the server selects by time, service and node, status and priority are compared
// here.
func (c *listCommand) fetchPast(ctx context.Context, s *session) (list []incident, err error) {
	if c.Limit < 1 {
		return nil, fmt.Errorf("--limit must be 1 or more, not %d", c.Limit)
	}
	var q parameters
	for _, x := range [][2]string{{"since", c.Since}, {"until", c.Until}} {
		if x[1] == "" {
			continue
		}
		at, err := moment(x[1], time.Now(), -1)
		if err != nil {
			return nil, fmt.Errorf("--%s: %w", x[0], err)
		}
		q = append(q, [2]string{x[0], at.UTC().Format(time.RFC3339Nano)})
	}
	if slices.Equal(c.Status, []string{"open"}) {
		c.Status = []string{"all"} // the flag was not given
	}
	const page = 200
	before := ""
	for {
		more := slices.Concat(elements("service-instance", c.Service), elements("node", c.Node))
		reply, err := s.manage(ctx, "get-incident-history", append(q, [][2]string{{"before", before}, {"limit", strconv.Itoa(page)}}...), more...)
		if err != nil {
			return nil, err
		}
		var data *etree.Element
		for _, e := range children(reply, nsManagement, "data") {
			data = e
		}
		got := decodeIncidents(data)
		slices.SortFunc(got, func(x, y incident) int { return compareIDs(y.CSN, x.CSN) })
		for _, i := range got {
			if c.wanted(&i) {
				list = append(list, i)
			}
		}
		if len(got) < page || len(list) >= c.Limit {
			break
		}
		before = got[len(got)-1].CSN
	}
	newestFirst(list)
	return list[:min(len(list), c.Limit)], nil
}
