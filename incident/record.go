package incident

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"incidentd/incident/correlate"
	"incidentd/yang/data"
)

// mostSteps and mostComments bound what is recorded of one incident. Of the steps the
// oldest but the first give way; comments are refused.
const (
	mostSteps    = 100
	mostComments = 1000
)

// step is an entry of an incident's history.
type step struct {
	at     time.Time
	action string
	user   string // "" for the server
	detail string
}

// withStep is an incident's entry with one more step in its history.
func (s *schema) withStep(inc *data.Node, st step) *data.Node {
	list := s.list.ChildNamed("history")
	n, count := uint64(0), 0
	var second *data.Node
	for h := range inc.EntriesOf(list) {
		n = serialOf(h.Leaf("number"))
		if count++; count == 2 {
			second = h
		}
	}
	if count >= mostSteps && second != nil {
		inc = inc.Without(list, second.Key())
	}
	b := data.BuildEntry(list, strconv.FormatUint(n+1, 10))
	return inc.With(b.Time("time", st.at).Leaf("action", st.action).Text("user", sanitize(st.user)).Text("detail", st.detail).Node())
}

// withComment is an incident's entry with one more comment.
func (s *schema) withComment(inc *data.Node, at time.Time, user, text string) *data.Node {
	list := s.list.ChildNamed("comment")
	n := uint64(0)
	for c := range inc.EntriesOf(list) {
		n = serialOf(c.Leaf("number"))
	}
	b := data.BuildEntry(list, strconv.FormatUint(n+1, 10))
	return inc.With(b.Time("time", at).Leaf("user", sanitize(user)).Leaf("text", text).Node())
}

// recorded takes over what was recorded in an incident's entry so far.
func (s *schema) recorded(inc, old *data.Node) *data.Node {
	var kept []*data.Node
	for _, name := range []string{"history", "comment"} {
		kept = slices.AppendSeq(kept, old.EntriesOf(s.list.ChildNamed(name)))
	}
	if d := old.Child("diagnosis"); d != nil {
		kept = append(kept, d)
	}
	if len(kept) == 0 {
		return inc
	}
	return s.diagnosed(inc.With(kept...))
}

// stepOf is the step that a decision of the correlator is in the history of its
// incident; false for an update that changes nothing people look at.
func stepOf(op correlate.Op, at time.Time, old, fresh *data.Node) (step, bool) {
	st := step{at: at, action: op.String()}
	if old == nil {
		st.action = correlate.Raised.String()
		if op == correlate.Cleared {
			st.action = op.String()
		}
		return st, true
	}
	st.detail = changed(old, fresh)
	return st, op != correlate.Updated || st.detail != ""
}

// changed tells what people look at and what differs in it; "" if nothing does.
func changed(old, fresh *data.Node) string {
	var parts []string
	for _, x := range []struct{ leaf, before, after string }{
		{"priority", old.Leaf("priority"), fresh.Leaf("priority")},
		{"name", old.Leaf("name"), fresh.Leaf("name")},
		{"root cause", rootPlace(old), rootPlace(fresh)},
		{"ticket", old.Leaf("ticket"), fresh.Leaf("ticket")},
		{"labels", strings.Join(old.Values("label"), " "), strings.Join(fresh.Values("label"), " ")},
	} {
		if x.before != x.after {
			parts = append(parts, x.leaf+": "+orNone(x.before)+" to "+orNone(x.after))
		}
	}
	if more, less := apart(old.Values("service-instance"), fresh.Values("service-instance")); more+less > 0 {
		parts = append(parts, "services: "+strconv.Itoa(more)+" more, "+strconv.Itoa(less)+" less")
	}
	return strings.Join(parts, "; ")
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// rootPlace is the place of an entry's first root cause.
func rootPlace(inc *data.Node) string {
	for c := range inc.Child("root-causes").Entries("root-cause") {
		for r := range c.Entries("resource") {
			return c.Leaf("node") + " " + r.Leaf("name")
		}
		return c.Leaf("node")
	}
	return ""
}

// apart counts what each of two sorted lists has that the other has not: of the second,
// then of the first.
func apart(old, fresh []string) (more, less int) {
	was := make(map[string]bool, len(old))
	for _, s := range old {
		was[s] = true
	}
	for _, s := range fresh {
		if !was[s] {
			more++
		}
		delete(was, s)
	}
	return more, len(was)
}

// serialOf reads a number that the schema has checked.
func serialOf(text string) uint64 {
	n, _ := strconv.ParseUint(text, 10, 64)
	return n
}
