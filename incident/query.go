package incident

import (
	"bytes"
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"incidentd/netconf"
	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
)

// query is what get-incident-history asks for.
type query struct {
	since, until    time.Time // zero for no bound
	services, nodes []string
	id              string
	before          uint64
	limit           int
	events          bool
}

// queryOf reads the input of get-incident-history.
func queryOf(input *data.Node) (q query, err error) {
	q = query{services: input.Values("service-instance"), nodes: input.Values("node"), id: input.Leaf("incident-id"),
		before: math.MaxUint64, limit: 100, events: input.Leaf("with-events") == "true"}
	for _, x := range []struct {
		leaf string
		to   *time.Time
	}{{"since", &q.since}, {"until", &q.until}} {
		if v := input.Leaf(x.leaf); v != "" {
			t, ok := parseTime(v)
			if !ok {
				return q, rpcerr.InvalidValue("%q is no time of the calendar", v).At(at(input, x.leaf))
			}
			*x.to = t
		}
	}
	if !q.since.IsZero() && !q.until.IsZero() && q.until.Before(q.since) {
		return q, rpcerr.InvalidValue("until is before since").At(at(input, "until"))
	}
	if v := input.Leaf("before"); v != "" {
		q.before = serialOf(v)
	}
	if v := input.Leaf("limit"); v != "" {
		q.limit = int(serialOf(v))
	}
	return q, nil
}

// wants reports whether an incident is asked for; cleared is zero while it is open.
func (q *query) wants(p *past) bool {
	return (q.since.IsZero() || p.cleared.IsZero() || !p.cleared.Before(q.since)) &&
		(q.until.IsZero() || !p.raised.After(q.until)) && shares(q.services, p.services) && shares(q.nodes, p.nodes)
}

// shares reports whether two lists have a value in common; no values match any.
func shares(wanted, have []string) bool {
	return len(wanted) == 0 || slices.ContainsFunc(have, func(s string) bool { return slices.Contains(wanted, s) })
}

// getHistory answers get-incident-history of incidentd-management: open incidents from
// the state, cleared ones from the history, which has them as soon as they are cleared.
func (m *Manager) getHistory(ctx context.Context, r *netconf.Request) (*netconf.Reply, error) {
	q, err := queryOf(r.Input)
	if err != nil {
		return nil, err
	}
	found, err := m.pasts(ctx, r, q)
	if err != nil {
		return nil, err
	}
	found = append(found, m.present(r, q)...)
	slices.SortFunc(found, func(a, b *data.Node) int { return cmp.Compare(serialOf(b.Leaf("csn")), serialOf(a.Leaf("csn"))) })
	list := data.New(m.schema.incidents)
	for _, inc := range found[:min(len(found), q.limit)] {
		if !q.events {
			inc = inc.Without(m.schema.list.ChildNamed("events"), "").Without(m.schema.list.ChildNamed("root-events"), "")
		}
		list = list.With(inc)
	}
	tree := data.New(m.schema.root)
	if !list.Empty() {
		tree = tree.With(list)
	}
	// It is what was, so that nothing of now is to be added by default.
	nothing := func(*data.Loc, *yang.Node) bool { return false }
	return netconf.DataReply(r.Access.Read(tree), &data.View{Readable: nothing}), nil
}

// present are the open incidents that are asked for.
func (m *Manager) present(r *netconf.Request, q query) (found []*data.Node) {
	state := m.store.Snapshot().State
	for inc := range state.Get(m.schema.incidents).EntriesOf(m.schema.list) {
		if inc.Leaf("status") == "cleared" || serialOf(inc.Leaf("csn")) >= q.before || q.id != "" && inc.Leaf("incident-id") != q.id {
			continue
		}
		p := past{services: inc.Values("service-instance"), nodes: m.schema.nodesIn(inc)}
		p.raised, _ = parseTime(inc.Leaf("raise-time"))
		if q.wants(&p) && m.mayRead(r.Access, inc) {
			found = append(found, inc)
		}
	}
	return found
}

// pasts are the incidents of the history that are asked for, the newest first, as many
// as the limit. It walks the history piece by piece.
func (m *Manager) pasts(ctx context.Context, r *netconf.Request, q query) (found []*data.Node, err error) {
	const piece = 1000
	from, to := []byte(nil), place(q.before)
	if q.id != "" {
		no, ok := numberOf(q.id)
		if !ok || no >= q.before {
			return nil, nil
		}
		from, to = place(no), place(no+1)
	}
	for len(found) < q.limit {
		var rows []past
		n, fault := 0, error(nil)
		err := m.store.ReadBack(tableHistory, from, to, func(k, v []byte) bool {
			var p past
			if p, fault = parsePast(v); fault != nil {
				return false
			}
			n++
			to = bytes.Clone(k)
			if q.wants(&p) {
				p.entry, p.explanation = bytes.Clone(p.entry), nil
				rows = append(rows, p)
			}
			return n < piece && len(rows) < q.limit
		})
		if err = cmp.Or(err, fault, ctx.Err()); err != nil {
			return nil, err
		}
		for k := range rows {
			inc, err := m.remembered(&rows[k])
			if err != nil {
				return nil, err
			}
			if m.mayRead(r.Access, inc) {
				found = append(found, inc)
			}
		}
		if n == 0 || q.id != "" {
			break
		}
	}
	return found, nil
}
