package validate_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/validate"
	"incidentd/yang/xmltext"
)

// conditional has conditions on nodes of all kinds, one hanging on another.
const conditional = `module m { yang-version 1.1; namespace "urn:m"; prefix m;
	container top {
		leaf mode { type string; }
		leaf fast { when "../mode = 'fast'"; type string; }
		leaf faster { when "../fast"; type string; }
		leaf fastest { when "../faster = 'yes'"; type string; }
		leaf slow { when "not(../fast)"; type string; }
		container box { when "../mode = 'box'"; leaf a { type string; } leaf b { type string; } }
		container inner { leaf deep { when "../../mode = 'deep'"; type string; } }
		choice how { when "mode = 'how'"; leaf x { type string; } case y { leaf y1 { type string; } leaf-list y2 { type string; } } }
		list item { key id; leaf id { type string; } leaf kind { type string; }
			leaf only-a { when "../kind = 'a'"; type string; }
			list sub { when "../kind = 'sub'"; key id; leaf id { type string; } }
			leaf global { when "/m:top/m:mode = 'global'"; type string; } }
		leaf odd { when "number(.) mod 2 = 1"; type uint8; }
		uses extra { when "mode = 'extra'"; }
	}
	grouping extra { leaf e1 { type string; } container e2 { leaf e3 { type string; } } }
	augment /top { when "m:mode = 'augmented'"; leaf g { type string; } }
}`

func edited(t *testing.T, s *yang.Schema, old *data.Node, edit string) *data.Node {
	t.Helper()
	d := xmltext.NewDecoder([]byte(`<c xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0">`+document(edit)+`</c>`), xmltext.Limits{})
	if _, err := d.Next(); err != nil {
		t.Fatal(err)
	}
	e, err := (&data.Parser{Schema: s, Edit: true}).Parse(d, s.Root)
	if err != nil {
		t.Fatal(err)
	}
	out, err := data.Apply(old, e, data.MergeOp)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSettle(t *testing.T) {
	s := schema(t, conditional)
	v := validate.New(s)
	const gone = ` nc:operation="remove"/>`
	for _, c := range []struct{ name, old, edit, want, refused string }{
		{"nothing conditional", `<mode>x</mode>`, `<mode>y</mode>`, `<mode>y</mode>`, ""},
		{"still true", `<mode>fast</mode><fast>f</fast>`, `<fast>g</fast>`, `<mode>fast</mode><fast>g</fast>`, ""},
		{"turned false", `<mode>fast</mode><fast>f</fast>`, `<mode>x</mode>`, `<mode>x</mode>`, ""},
		{"its operand is deleted", `<mode>fast</mode><fast>f</fast>`, `<mode` + gone, ``, ""},
		{"in turn", `<mode>fast</mode><fast>f</fast><faster>yes</faster><fastest>f</fastest>`, `<mode>x</mode>`, `<mode>x</mode>`, ""},
		{"half of the chain", `<mode>fast</mode><fast>f</fast><faster>yes</faster><fastest>f</fastest>`, `<faster>no</faster>`, `<mode>fast</mode><fast>f</fast><faster>no</faster>`, ""},
		{"created where it is false", `<mode>x</mode>`, `<fast>f</fast>`, "", "unknown-element /m:top/m:fast"},
		{"created with its condition", ``, `<mode>fast</mode><fast>f</fast>`, `<mode>fast</mode><fast>f</fast>`, ""},
		{"changed and turned false", `<mode>fast</mode><fast>f</fast>`, `<mode>x</mode><fast>g</fast>`, "", "unknown-element /m:top/m:fast"},
		{"set to what it was and turned false", `<mode>fast</mode><fast>f</fast>`, `<mode>x</mode><fast>f</fast>`, `<mode>x</mode>`, ""},
		{"created by grace of what goes", `<mode>fast</mode><fast>f</fast>`, `<mode>x</mode><slow>s</slow>`, `<mode>x</mode><slow>s</slow>`, ""},
		{"created in the way of a removal", `<mode>fast</mode><fast>f</fast>`, `<mode>x</mode><faster>yes</faster>`, "", "unknown-element /m:top/m:faster"},
		{"made true for nobody", `<mode>x</mode><slow>s</slow>`, `<mode>fast</mode><fast>f</fast>`, `<mode>fast</mode><fast>f</fast>`, ""},
		{"a container", `<mode>box</mode><box><a>1</a></box>`, `<mode>x</mode>`, `<mode>x</mode>`, ""},
		{"a container from which something is deleted", `<mode>box</mode><box><a>1</a><b>1</b></box>`, `<mode>x</mode><box><a` + gone + `</box>`, `<mode>x</mode>`, ""},
		{"a container in which something is set", `<mode>box</mode><box><a>1</a></box>`, `<mode>x</mode><box><b>1</b></box>`, "", "unknown-element /m:top/m:box"},
		{"an empty container goes too", `<mode>deep</mode><inner><deep>d</deep></inner>`, `<mode>x</mode>`, `<mode>x</mode>`, ""},
		{"up to the top", `<mode>fast</mode><fast>f</fast>`, `<mode` + gone, ``, ""},
		{"a choice", `<mode>how</mode><y1>1</y1><y2>a</y2><y2>b</y2>`, `<mode>x</mode>`, `<mode>x</mode>`, ""},
		{"a case is created", `<mode>x</mode>`, `<y2>a</y2>`, "", "unknown-element /m:top/m:y2[.='a']"},
		{"an entry's leaf", `<item><id>1</id><kind>a</kind><only-a>x</only-a></item><item><id>2</id><kind>a</kind><only-a>y</only-a></item>`,
			`<item><id>2</id><kind>b</kind></item>`, `<item><id>1</id><kind>a</kind><only-a>x</only-a></item><item><id>2</id><kind>b</kind></item>`, ""},
		{"entries", `<item><id>1</id><kind>sub</kind><sub><id>1</id></sub><sub><id>2</id></sub></item>`, `<item><id>1</id><kind` + gone + `</item>`, `<item><id>1</id></item>`, ""},
		{"an absolute path", `<mode>global</mode><item><id>1</id><global>g</global></item><item><id>2</id><global>g</global></item>`, `<mode>x</mode>`,
			`<mode>x</mode><item><id>1</id></item><item><id>2</id></item>`, ""},
		{"in a new entry", ``, `<item><id>1</id><only-a>x</only-a></item>`, "", "unknown-element /m:top/m:item[m:id='1']/m:only-a"},
		{"its own value", ``, `<odd>3</odd>`, `<odd>3</odd>`, ""},
		{"its own value refused", `<odd>3</odd>`, `<odd>4</odd>`, "", "unknown-element /m:top/m:odd"},
		{"uses", `<mode>extra</mode><e1>1</e1><e2><e3>3</e3></e2>`, `<mode>x</mode>`, `<mode>x</mode>`, ""},
		{"augment", `<mode>augmented</mode><g>1</g>`, `<mode>x</mode>`, `<mode>x</mode>`, ""},
		{"several refusals", ``, `<fast>f</fast><g>1</g><e1>1</e1>`, "", "unknown-element /m:top/m:e1; unknown-element /m:top/m:fast; unknown-element /m:top/m:g"},
	} {
		t.Run(c.name, func(t *testing.T) {
			old := parse(t, s, document(c.old))
			if err := v.Tree(old, true); err != nil {
				t.Fatalf("the old tree: %v", err)
			}
			next := edited(t, s, old, c.edit)
			got, err := v.Settle(old, next)
			if diff := cmp.Diff(c.refused, brief(err)); diff != "" {
				t.Fatalf("refused (-want +got)\n%s", diff)
			}
			if err != nil {
				if got != nil {
					t.Error("a tree comes with the refusal")
				}
				return
			}
			want := ""
			if c.want != "" {
				want = document(c.want)
			}
			if diff := cmp.Diff(want, string(data.AppendChildrenXML(nil, got, ""))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if again, err := v.Settle(old, got); err != nil || again != got {
				t.Errorf("settled once more it is another, %v", err)
			}
			if err := v.Tree(got, true); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestSettleRandomly makes edits at random: whatever is settled has no node whose
// condition is false, lacks nothing that the edit set, and incremental and whole
// validation agree on it.
func TestSettleRandomly(t *testing.T) {
	s := schema(t, conditional)
	v := validate.New(s)
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 2))
	t.Logf("seed %d", seed)
	now := data.New(s.Root)
	modes := []string{"fast", "box", "how", "deep", "global", "extra", "augmented"}
	fragments := []string{
		`<fast%s>f</fast>`, `<faster%s>yes</faster>`, `<fastest%s>f</fastest>`, `<slow%s>s</slow>`, `<box%s><a>1</a></box>`, `<box><b%s>1</b></box>`,
		`<inner><deep%s>d</deep></inner>`, `<x%s>x</x>`, `<y1%s>y</y1>`, `<y2%s>y</y2>`, `<odd%s>3</odd>`, `<e1%s>1</e1>`, `<e2><e3%s>1</e3></e2>`, `<g%s>g</g>`,
		`<item><id>1</id><kind%s>a</kind></item>`, `<item><id>2</id><kind%s>sub</kind></item>`, `<item><id>1</id><only-a%s>x</only-a></item>`,
		`<item><id>2</id><sub%s><id>s</id></sub></item>`, `<item><id>1</id><global%s>g</global></item>`,
	}
	removed, refused := 0, 0
	for range 4000 {
		edit := ""
		if r.IntN(3) == 0 {
			edit = "<mode>" + modes[r.IntN(len(modes))] + "</mode>"
		}
		op := ""
		if r.IntN(4) == 0 {
			op = ` nc:operation="remove"`
		}
		edit += fmt.Sprintf(fragments[r.IntN(len(fragments))], op)
		next := edited(t, s, now, edit)
		got, err := v.Settle(now, next)
		if err != nil {
			refused++
			continue
		}
		if got != next {
			removed++
		}
		if whole, part := brief(v.Tree(got, true)), brief(v.Change(now, got, true)); whole != "" || part != "" {
			t.Fatalf("edit %s of %s\nsettled %s\nwhole  %s\nchange %s", edit, data.AppendChildrenXML(nil, now, ""), data.AppendChildrenXML(nil, got, ""), whole, part)
		}
		now = got
	}
	if removed < 100 || refused < 100 {
		t.Errorf("%d edits took something away, %d were refused: the test proves little", removed, refused)
	}
}
