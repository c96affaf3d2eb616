package nacm_test

import (
	"testing"

	"incidentd/yang"
)

// FuzzPath reads node-instance-identifiers: one that is accepted has a canonical form,
// which is a pattern and its own canonical form.
func FuzzPath(f *testing.F) {
	s := schema(f)
	for _, text := range []string{"/", "/acme:interfaces/acme:interface", "/acme:interfaces/acme:interface[acme:name='x']/acme:mtu", "/acme:interfaces/acme:interface[ acme:name = $USER ]",
		`/nacm:nacm/nacm:groups/nacm:group[nacm:name="a'b"]/nacm:user-name[.='c']`, "/acme:interfaces/acme:interface[1]", "//", "/acme:", "/acme:acme-netconf/acme:step[acme:name='']", "/ncm:netconf-state"} {
		f.Add(text)
	}
	m := s.Module("ietf-netconf-acm")
	path := s.Root.Child(m, "nacm").ChildNamed("rule-list").ChildNamed("rule").ChildNamed("path").Type
	byPrefix := func(prefix string) *yang.Module {
		for _, m := range s.Modules {
			if m.Prefix == prefix {
				return m
			}
		}
		return nil
	}
	f.Fuzz(func(t *testing.T, text string) {
		canonical, bad := path.Canonical(text, s, byPrefix)
		if bad != nil {
			return
		}
		again, bad := path.Canonical(canonical, s, s.Module)
		if bad != nil || again != canonical {
			t.Errorf("%q is %q, which is %q: %v", text, canonical, again, bad)
		}
		steps, err := s.PathPattern(canonical)
		if err != nil {
			t.Fatalf("%q: %v", canonical, err)
		}
		at := s.Root
		for _, step := range steps {
			if step.Node.DataParent() != at && !(at == s.Root && step.Node.DataParent() == nil) {
				t.Fatalf("%q: %v is no child of %v", canonical, step.Node, at)
			}
			at = step.Node
		}
	})
}
