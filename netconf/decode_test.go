package netconf

import (
	"slices"
	"testing"

	"incidentd/yang/xmltext"
)

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
