package audit

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"incidentd/yang"
	"incidentd/yang/modules"
	"incidentd/yang/xmltext"
)

// What a filter names is the same whether it is remembered or not, and it is remembered
// with its namespaces.
func TestMemo(t *testing.T) {
	schema, err := yang.Compile(modules.FS, yang.Options{Implemented: []string{"ietf-system", "ietf-incident"}})
	if err != nil {
		t.Fatal(err)
	}
	const system, incident = "urn:ietf:params:xml:ns:yang:ietf-system", "urn:ietf:params:xml:ns:yang:ietf-incident"
	m := newMemo()
	for _, test := range []struct {
		filter, space string
		want          []string
		untold        int
	}{
		{`<s:system/>`, system, []string{"/sys:system"}, 0},
		{`<s:system/>`, incident, []string{"/inc:system"}, 0},
		{`<s:system><s:ntp/><s:clock><s:timezone-name/></s:clock></s:system>`, system, []string{"/sys:system/sys:ntp", "/sys:system/sys:clock/sys:timezone-name"}, 0},
		{``, system, nil, 0},
		{`<s:system/>` + strings.Repeat(" ", maxRemembered), system, []string{"/sys:system"}, 0},
		{strings.Repeat(`<s:a/>`, maxTouched+3), system, slices.Repeat([]string{"/sys:a"}, maxTouched), 3},
	} {
		raw := xmltext.Raw{Content: []byte(test.filter), Bindings: []xmltext.Binding{{Prefix: "s", Space: test.space}}}
		for n := range 2 {
			got := m.places(schema, raw)
			if diff := cmp.Diff(test.want, got.paths, cmpopts.EquateEmpty()); diff != "" || got.untold != test.untold {
				t.Errorf("%.40q, time %d: %d untold, want %d; (-want +got):\n%s", test.filter, n, got.untold, test.untold, diff)
			}
		}
	}
	// More filters than it remembers.
	for i := range 1000 {
		raw := xmltext.Raw{Content: fmt.Appendf(nil, `<s:a%d/>`, i), Bindings: []xmltext.Binding{{Prefix: "s", Space: system}}}
		if got, want := m.places(schema, raw).paths, []string{fmt.Sprint("/sys:a", i)}; !cmp.Equal(got, want) {
			t.Fatalf("places = %q, want %q", got, want)
		}
	}
}
