package data

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"pgregory.net/rapid"

	"incidentd/yang"
	"incidentd/yang/xpath"
)

// pageModule is of the draft's kind: members with their numbers.
const pageModule = `module m {
  yang-version 1.1; namespace "urn:m"; prefix m;
  container members { list member { key id; leaf id { type string; }
    leaf age { type uint64; }
    leaf level { type enumeration { enum pro; enum standard; enum admin { value -1; } } default standard; }
    container stats { leaf score { type decimal64 { fraction-digits 2; } } }
    leaf-list numbers { type int8; ordered-by user; }
    leaf-list words { type string; }
    list log { config false; leaf text { type string; } } } }
}`

const members = `<members>` +
	`<member><id>bob</id><age>9</age><level>pro</level><stats><score>-1.5</score></stats></member>` +
	`<member><id>alice</id><age>18446744073709551615</age><stats><score>10.25</score></stats><numbers>17</numbers><numbers>-13</numbers><numbers>5</numbers><words>b</words><words>a</words></member>` +
	`<member><id>eric</id><age>10</age><level>admin</level><stats><score>-12.0</score></stats><log><text>one</text></log><log><text>two</text></log></member>` +
	`<member><id>joe</id><level>pro</level><stats><score>9.75</score></stats></member></members>`

func pageTree(t testing.TB) (*yang.Schema, *Node) {
	t.Helper()
	s, err := yang.Compile(fstest.MapFS{"m.yang": {Data: []byte(pageModule)}}, yang.Options{})
	if err != nil {
		t.Fatal(err)
	}
	n, err := (&Parser{Schema: s, State: true}).ParseDocument([]byte(`<data xmlns="urn:m">` + members + `</data>`))
	if err != nil {
		t.Fatal(err)
	}
	return s, n
}

// keysOf are the entries of a page, in its order.
func keysOf(tree *Node, page *Page) string {
	var keys []string
	var walk func(n *Node)
	walk = func(n *Node) {
		for c := range n.Children() {
			if c.schema == page.Target {
				keys = append(keys, c.text)
			} else if c.interior() {
				walk(c)
			}
		}
	}
	if tree != nil {
		walk(tree)
	}
	return strings.Join(keys, " ")
}

func TestPage(t *testing.T) {
	s, n := pageTree(t)
	names := xpath.Namespaces{Default: "urn:m"}
	const all, numbers, words, log = `/members/member`, `/members/member[id='alice']/numbers`, `/members/member[id='alice']/words`, `/members/member[id='eric']/log`
	c := func(key string) string { return base64.StdEncoding.EncodeToString([]byte(key)) }
	for _, tt := range []struct {
		list string
		r    PageRequest
		want string // the entries, then what is left and the cursors; or the parameter that is wrong and its app-tag
	}{
		{all, PageRequest{}, "alice bob eric joe"},
		{all, PageRequest{Limit: 3}, "alice bob eric, 1 left, joe next,  before"},
		{all, PageRequest{Offset: 1, Limit: 1}, "bob, 2 left, eric next, alice before"},
		{all, PageRequest{Cursor: c("bob"), Backwards: true}, "bob alice"},
		{all, PageRequest{Cursor: c("nosuch")}, "cursor cursor-not-found"},
		{all, PageRequest{Offset: 5}, "offset offset-out-of-range"},

		{numbers, PageRequest{}, "17 -13 5"},
		{numbers, PageRequest{Backwards: true}, "5 -13 17"},
		{numbers, PageRequest{SortBy: ".", Limit: 2}, "-13 5, 1 left"},
		{numbers, PageRequest{Where: ". > 0", Backwards: true}, "5 17"},
		{words, PageRequest{}, "a b"},
		{log, PageRequest{Limit: 1, Backwards: true}, ", 1 left"},
		{log, PageRequest{Cursor: c("x")}, "cursor "},

		{all, PageRequest{SortBy: "age"}, "bob eric alice joe"},
		{all, PageRequest{SortBy: "age", Backwards: true, Limit: 1}, "joe, 3 left, alice next,  before"},
		{all, PageRequest{SortBy: "stats/score"}, "eric bob joe alice"},
		{all, PageRequest{SortBy: "m:stats/m:score", Cursor: c("bob"), Limit: 1}, "bob, 2 left, joe next, eric before"},
		{all, PageRequest{SortBy: "level"}, "eric bob joe alice"}, // alice has the default
		{all, PageRequest{SortBy: "stats"}, "sort-by "},
		{all, PageRequest{SortBy: "numbers"}, "sort-by "},
		{all, PageRequest{SortBy: "."}, "sort-by "},
		{all, PageRequest{SortBy: "age", Locale: "POSIX.utf-8"}, "bob eric alice joe"},
		{all, PageRequest{SortBy: "age", Locale: "sv_SE"}, "locale locale-unavailable"},
		{all, PageRequest{Locale: "C"}, "locale "},

		{all, PageRequest{Where: "age"}, "alice bob eric"},
		{all, PageRequest{Where: "level = 'standard'"}, "alice"},
		{all, PageRequest{Where: "../m:member[1]/age = current()/age"}, "alice"},
		{all, PageRequest{Where: "level = 'pro'", Cursor: c("alice")}, "cursor cursor-not-found"},
		{all, PageRequest{Where: "stats/nosuch"}, "where "},
		{all, PageRequest{Where: "x:age"}, "where "},
		{all, PageRequest{Where: "("}, "where "},

		{all + `[level='pro']`, PageRequest{Limit: 1}, "bob, 1 left, joe next,  before"},
		{`members/member`, PageRequest{Limit: 1}, "alice, 3 left, bob next,  before"},
		{`/members/member[id='nosuch']/numbers`, PageRequest{}, ""},
		{`/members/member/numbers | /members/member`, PageRequest{}, "list-pagination "},
		{`/members/member/words`, PageRequest{}, "list-pagination "},
		{`/members`, PageRequest{}, "list-pagination "},
	} {
		f, err := NewXPathFilter(s, tt.list, names)
		if err != nil {
			t.Fatal(err)
		}
		tree, page, err := f.Page(n, s, Explicit, tt.r)
		var wrong *PageError
		got := ""
		switch {
		case errors.As(err, &wrong):
			got = wrong.Parameter + " " + wrong.Err.AppTag
		case err != nil:
			t.Errorf("%s %+v: %v", tt.list, tt.r, err)
			continue
		default:
			got = strings.TrimSpace(keysOf(tree, page))
			if page.Remaining > 0 {
				got += fmt.Sprintf(", %d left", page.Remaining)
			}
			if page.Cursors {
				next, _ := base64.StdEncoding.DecodeString(page.Next)
				before, _ := base64.StdEncoding.DecodeString(page.Previous)
				got += fmt.Sprintf(", %s next, %s before", next, before)
			}
		}
		if got != tt.want {
			t.Errorf("%s %+v:\n got %q\nwant %q", tt.list, tt.r, got, tt.want)
		}
	}
}

// TestPagesCover: going through a list by its cursors, in any size and direction, shows
// each entry once, although others come in between that were passed already.
func TestPagesCover(t *testing.T) {
	schema := testSchema(t)
	list := schema.Root.ChildNamed("l")
	f, err := NewXPathFilter(schema, "/t:l", names)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		n := New(schema.Root)
		var want []string
		for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(1000, 9999), 1, 300, rapid.ID).Draw(t, "keys") {
			want = append(want, fmt.Sprint(i))
			n = n.With(NewEntry(list, fmt.Sprint(i)))
		}
		slices.Sort(want)
		r := PageRequest{Limit: rapid.IntRange(1, 90).Draw(t, "limit"), Backwards: rapid.Bool().Draw(t, "backwards")}
		passed := "0000"
		if r.Backwards {
			slices.Reverse(want)
			passed = "99999"
		}
		var got []string
		for {
			tree, page, err := f.Page(n, schema, Explicit, r)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, strings.Fields(keysOf(tree, page))...)
			if page.Next == "" {
				break
			}
			if r.Cursor = page.Next; page.Remaining == 0 {
				t.Fatalf("%s is next, but nothing remains", page.Next)
			}
			n = n.With(NewEntry(list, fmt.Sprint(passed, len(got))))
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestCompareDecimals(t *testing.T) {
	order := []string{"-100", "-99.5", "-99.25", "-1.0", "0", "0.01", "0.5", "1.0", "9", "10", "10.01", "18446744073709551615"}
	for i, a := range order {
		for j, b := range order {
			if got, want := compareDecimals(a, b), compareInts(i, j); got != want {
				t.Errorf("compareDecimals(%s, %s) = %d, want %d", a, b, got, want)
			}
		}
	}
}

func compareInts(a, b int) int { return rank(a > b) - rank(a < b) }
