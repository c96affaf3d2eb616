package oam

import (
	"cmp"
	"slices"
	"time"

	"incidentd/schedule"
)

// conflict is a rival: a test that is scheduled at the same time although both need a
// resource for themselves.
type conflict struct {
	rival    id
	resource string
	at       time.Time // when both would run for the first time
}

// Bounds of the search for conflicts: how many occurrences of a pair are looked at, for
// one pair and for all of a commit.
const (
	maxOccurrences  = 1000
	minOccurrences  = 16
	occurrencesEach = 2_000_000
)

// conflictsOf finds the rivals of some definitions among themselves and among others. The
// rarer of two schedules is walked, and the other asked what it does then: a conflict that
// is further away than a thousand occurrences, or fewer where there are many rivals, is
// found by a later commit, or when it happens.
func conflictsOf(changed, others []*definition, from time.Time) map[id][]conflict {
	users := map[string][]*definition{} // of each resource
	fresh := map[id]bool{}
	for _, d := range changed {
		fresh[d.id] = true
	}
	for _, d := range slices.Concat(changed, others) {
		for _, r := range d.needs {
			if !d.stop {
				users[r] = append(users[r], d)
			}
		}
	}
	pairs := 0
	for _, ds := range users {
		pairs += len(ds) * len(ds) / 2
	}
	most := min(maxOccurrences, max(minOccurrences, occurrencesEach/max(1, pairs)))
	found := map[id][]conflict{}
	for resource, ds := range users {
		for i, a := range ds {
			for _, b := range ds[i+1:] {
				if !fresh[a.id] && !fresh[b.id] {
					continue
				}
				if at, ok := meet(a, b, from, most); ok {
					found[a.id] = append(found[a.id], conflict{b.id, resource, at})
					found[b.id] = append(found[b.id], conflict{a.id, resource, at})
				}
			}
		}
	}
	for _, list := range found {
		slices.SortFunc(list, func(a, b conflict) int {
			return cmp.Or(cmp.Compare(a.rival.kind, b.rival.kind), cmp.Compare(a.rival.name, b.rival.name), cmp.Compare(a.resource, b.resource))
		})
	}
	return found
}

// meet finds the first time at which runs of both would be under way.
func meet(a, b *definition, from time.Time, most int) (time.Time, bool) {
	if stepOf(a, from) < stepOf(b, from) {
		a, b = b, a
	}
	after := from
	if s, ok := a.plan.Last(from); ok {
		if _, end := a.span(s); end.After(from) {
			after = s.Start.Add(-1)
		}
	}
	for range most {
		s, ok := a.plan.Next(after)
		if !ok {
			return time.Time{}, false
		}
		start, end := a.span(s)
		// The last of b that begins before a ends, and the one before it, which may last.
		if t, ok := b.plan.Last(end.Add(-1 - b.spread)); ok {
			first, last := b.span(t)
			for n := 0; n < minOccurrences; n++ { // the earliest one that meets it
				p, ok := b.plan.Last(t.Start.Add(-1))
				if !ok {
					break
				}
				f, l := b.span(p)
				if !l.After(start) {
					break
				}
				t, first, last = p, f, l
			}
			if last.After(start) {
				at := later(start, first)
				if !at.Before(from) {
					return at, true
				}
			}
		}
		after = s.Start
	}
	return time.Time{}, false
}

// stepOf is how far occurrences are apart, the longest for a schedule with one.
func stepOf(d *definition, from time.Time) time.Duration {
	a, ok := d.plan.Next(from)
	if !ok {
		return 1 << 62
	}
	b, ok := d.plan.Next(a.Start)
	if !ok {
		return 1 << 62
	}
	return b.Start.Sub(a.Start)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// spans are the next occurrences of a plan.
func spans(p *schedule.Plan, after time.Time, limit int) (list []schedule.Span) {
	for len(list) < limit {
		s, ok := p.Next(after)
		if !ok {
			break
		}
		list = append(list, s)
		after = s.Start
	}
	return list
}
