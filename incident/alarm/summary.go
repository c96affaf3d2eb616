package alarm

import (
	"strconv"

	"incidentd/incident/event"
	"incidentd/yang/data"
)

// count are the alarms of one severity, by whether they are cleared and closed.
type count [2][2]int

// counts are the alarms of the list by severity: what the summary tells. They are stored
// with the alarms, and change with them.
type counts struct {
	nodes   *nodes
	summary *data.Node // as it was, nil for none
	was, is [event.Critical + 1]count
}

// countLeafs are the leafs of an entry, and what they add up.
var countLeafs = []struct {
	name string
	of   func(c *count) int
}{
	{"total", func(c *count) int { return c[0][0] + c[0][1] + c[1][0] + c[1][1] }},
	{"not-cleared", func(c *count) int { return c[0][0] + c[0][1] }},
	{"cleared", func(c *count) int { return c[1][0] + c[1][1] }},
	{"cleared-not-closed", func(c *count) int { return c[1][0] }},
	{"cleared-closed", func(c *count) int { return c[1][1] }},
	{"not-cleared-closed", func(c *count) int { return c[0][1] }},
	{"not-cleared-not-closed", func(c *count) int { return c[0][0] }},
}

func newCounts(n *nodes, summary *data.Node) *counts {
	c := &counts{nodes: n, summary: summary}
	for e := range summary.Entries("alarm-summary") {
		s, _ := event.ParseSeverity(e.Leaf("severity"))
		number := func(leaf string) int {
			v, _ := strconv.Atoi(e.Leaf(leaf))
			return v
		}
		c.was[s] = count{{number("not-cleared-not-closed"), number("not-cleared-closed")}, {number("cleared-not-closed"), number("cleared-closed")}}
	}
	c.is = c.was
	return c
}

// add counts an alarm of the list, nil for none.
func (c *counts) add(alarm *data.Node, by int) {
	if alarm == nil {
		return
	}
	n := &c.nodes.listed
	s, _ := event.ParseSeverity(value(alarm, n.severity))
	cleared, closed := 0, 0
	if value(alarm, n.isCleared) == "true" {
		cleared = 1
	}
	if stateOf(alarm, n) == Closed {
		closed = 1
	}
	c.is[s][cleared][closed] += by
}

// node is the summary.
func (c *counts) node(shelvesActive bool) *data.Node {
	out := c.summary
	if out == nil {
		out = data.New(c.nodes.summary)
	}
	list := c.nodes.summary.ChildNamed("alarm-summary")
	for s := event.Indeterminate; s <= event.Critical; s++ {
		if c.summary != nil && c.was[s] == c.is[s] {
			continue
		}
		old := out.Entry(list, s.String())
		if old == nil {
			old = data.NewEntry(list, s.String())
		}
		var changed []*data.Node
		for _, l := range countLeafs {
			if v := l.of(&c.is[s]); c.summary == nil || v != l.of(&c.was[s]) {
				changed = append(changed, data.NewLeaf(list.ChildNamed(l.name), strconv.Itoa(v)))
			}
		}
		out = out.With(old.With(changed...))
	}
	hint := c.nodes.summary.ChildNamed("shelves-active")
	switch has := out.Get(hint) != nil; {
	case shelvesActive && !has:
		out = out.With(data.NewLeaf(hint, ""))
	case !shelvesActive && has:
		out = out.Without(hint, "")
	}
	return out
}
