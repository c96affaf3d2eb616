package correlate

import (
	"strconv"
	"time"

	"incidentd/incident/event"
)

// AppendJSON appends an incident as one JSON object without a line end: the form in
// which a replay writes incidents.
func AppendJSON(b []byte, c *Incident) []byte {
	str := func(key, v string) {
		b = append(b, ',', '"')
		b = append(b, key...)
		b = append(b, '"', ':')
		b = event.AppendString(b, v)
	}
	list := func(key string, n int, item func(int) string) {
		b = append(b, ',', '"')
		b = append(b, key...)
		b = append(b, `":[`...)
		for k := range n {
			if k > 0 {
				b = append(b, ',')
			}
			b = event.AppendString(b, item(k))
		}
		b = append(b, ']')
	}
	moment := func(key string, t time.Time) {
		if t.IsZero() {
			b = append(b, `,"`+key+`":null`...)
			return
		}
		str(key, t.UTC().Format(time.RFC3339Nano))
	}
	b = append(b, `{"incident-id":"inc-`...)
	b = strconv.AppendUint(b, c.No, 10)
	b = append(b, `","csn":`...)
	b = strconv.AppendUint(b, c.No, 10)
	str("name", c.Name)
	str("type", c.Type)
	str("domain", c.Domain)
	str("category", c.Category)
	str("priority", c.Priority)
	str("status", c.Status.String())
	moment("raise-time", c.RaiseTime)
	moment("clear-time", c.ClearTime)
	events := c.Events()
	list("events", len(events), func(k int) string { return events[k].ID })
	b = append(b, `,"root-causes":[`...)
	for k, r := range c.RootCauses {
		if k > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"node":`...)
		b = event.AppendString(b, r.Node)
		str("resource", r.Resource)
		str("cause-name", r.CauseName)
		str("detail", r.Detail)
		b = append(b, '}')
	}
	b = append(b, ']')
	roots := c.RootEvents()
	list("root-events", len(roots), func(k int) string { return roots[k].ID })
	list("service-instances", len(c.ServiceInstances), func(k int) string { return c.ServiceInstances[k] })
	b = append(b, `,"ticket":`...)
	b = strconv.AppendBool(b, c.Ticket)
	list("labels", len(c.Labels), func(k int) string { return c.Labels[k] })
	str("explanation", c.Explanation())
	if c.MergedInto != 0 {
		str("merged-into", "inc-"+strconv.FormatUint(c.MergedInto, 10))
	}
	return append(b, '}')
}
