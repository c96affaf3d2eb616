package netconf

import (
	"slices"
	"strings"
	"testing"

	"incidentd/yang/xmltext"
)

func TestBlank(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{`<filter/>`, `<filter/>`},
		{`<filter type="a"/>`, `<filter         />`},
		{`<filter type = 'a"b' x="type='1'" >`, `<filter              x="type='1'" >`},
		{"<nc:filter\n\tselect='/a[b=\"c>\"]'\ttype=\"xpath\">", "<nc:filter\n\t" + strings.Repeat(" ", 19) + "\t" + strings.Repeat(" ", 12) + ">"},
		{`<filter xmlns:type="urn:t" t:type="a">`, `<filter xmlns:type="urn:t" t:type="a">`},
		{`<filter kind="a" type="b">`, `<filter kind="a"         >`},
	} {
		got := []byte(test.in)
		blank(got, "type", "select")
		if string(got) != test.want {
			t.Errorf("blank(%s) = %q, want %q", test.in, got, test.want)
		}
	}
}

// FuzzHello reads hellos: one that is taken offers what it says, as often as it is
// written anew.
func FuzzHello(f *testing.F) {
	f.Add([]byte(`<hello xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><capabilities><capability> urn:x </capability></capabilities></hello>`))
	f.Add([]byte(`<h:hello xmlns:h="urn:ietf:params:xml:ns:netconf:base:1.0"><h:capabilities/></h:hello>`))
	f.Add(appendHello(nil, []string{Base10, Base11, "a&b"}, 1))
	f.Fuzz(func(t *testing.T, in []byte) {
		list, err := parseHello(in)
		if err != nil {
			return
		}
		b := appendHello(nil, list, 1)
		e, err := xmltext.ParseElement(b, xmltext.Limits{})
		if err != nil {
			t.Fatalf("%v in %s", err, b)
		}
		var again []string
		for _, c := range e.Children[0].Children {
			again = append(again, c.Text)
		}
		if !slices.Equal(list, again) {
			t.Fatalf("%q comes back as %q", list, again)
		}
	})
}
