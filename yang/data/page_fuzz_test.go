package data

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"incidentd/yang/xpath"
)

// Whatever the parameters of a page are, they are refused with the name of the one that
// is wrong, or the page is a part of the list without a limit, in its order, and says
// how much of it is left.
func FuzzPage(f *testing.F) {
	s, n := pageTree(f)
	for _, seed := range []struct {
		list, where, sortBy, locale, cursor string
		offset, limit                       uint8
		backwards                           bool
	}{
		{list: "/members/member", limit: 2},
		{list: "/members/member", where: "level = 'pro'", sortBy: "stats/score", locale: "C", limit: 1, backwards: true},
		{list: "/members/member[level='pro']", cursor: "Ym9i", offset: 1},
		{list: "/members/member[id='alice']/numbers", where: ". > 0", sortBy: "."},
		{list: "/members/member[id='eric']/log", offset: 1},
		{list: "/members/member", where: "../m:member[1]/age = current()/age", sortBy: "m:age"},
	} {
		f.Add(seed.list, seed.where, seed.sortBy, seed.locale, seed.cursor, seed.offset, seed.limit, seed.backwards)
	}
	names := xpath.Namespaces{Default: "urn:m"}
	parameters := []string{"list-pagination", "where", "sort-by", "locale", "cursor", "offset"}
	f.Fuzz(func(t *testing.T, list, where, sortBy, locale, cursor string, offset, limit uint8, backwards bool) {
		filter, err := NewXPathFilter(s, list, names)
		if err != nil {
			return
		}
		r := PageRequest{Where: where, SortBy: sortBy, Locale: locale, Cursor: cursor, Offset: int(offset), Backwards: backwards}
		tree, whole, err := filter.Page(n, s, Explicit, r)
		var wrong *PageError
		if errors.As(err, &wrong) {
			if !slices.Contains(parameters, wrong.Parameter) || wrong.Err == nil {
				t.Fatalf("the parameter %q is wrong: %v", wrong.Parameter, wrong.Err)
			}
			return
		}
		if err != nil || whole == nil {
			return // the filter's own
		}
		if whole.Remaining != 0 {
			t.Fatalf("%d entries are left of all", whole.Remaining)
		}
		if whole.Target == nil { // the filter finds nothing that would tell
			if tree != nil {
				t.Fatalf("the page of nothing is %v", tree)
			}
			return
		}
		all := strings.Fields(keysOf(tree, whole))
		r.Limit = int(limit)
		if tree, page, err := filter.Page(n, s, Explicit, r); err != nil {
			t.Fatalf("with the limit %d: %v", limit, err)
		} else if part := strings.Fields(keysOf(tree, page)); whole.Target.Name != "log" {
			want := all
			if limit > 0 {
				want = all[:min(int(limit), len(all))]
			}

			if !slices.Equal(part, want) || page.Remaining != len(all)-len(want) {
				t.Fatalf("the limit %d: %q and %d left, of %q", limit, part, page.Remaining, all)
			}
		}
	})
}
