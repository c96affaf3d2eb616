package nacm_test

import (
	"testing"

	"incidentd/yang"
	"incidentd/yang/data"
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

// TestPathJSON takes paths through JSON, where names have modules instead of prefixes
// [RFC 7951 section 6.11].
func TestPathJSON(t *testing.T) {
	s := schema(t)
	path := s.Root.Child(s.Module("ietf-netconf-acm"), "nacm").ChildNamed("rule-list").ChildNamed("rule").ChildNamed("path")
	for _, text := range []string{"/", "/acme:interfaces/acme:interface[acme:name=$USER]/acme:mtu", "/acme:interfaces/acme:interface", "/acme:interfaces/acme:interface[acme:name='x']/acme:reset"} {
		rule := data.NewEntry(path.DataParent(), "r").With(data.NewLeaf(path, text))
		json := append(append([]byte("{"), data.AppendChildrenJSON(nil, rule, path.Module)...), '}')
		if json[1] == '{' {
			json = json[1 : len(json)-1]
		}
		p := data.Parser{Schema: s}
		back, err := p.ParseJSON(json, path.DataParent())
		if err != nil || back.Leaf("path") != text {
			t.Errorf("%s is %q after %s: %v", text, back.Leaf("path"), json, err)
		}
	}
}
