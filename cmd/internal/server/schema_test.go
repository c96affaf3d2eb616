package server

import (
	"slices"
	"testing"

	"incidentd/yang"
	"incidentd/yang/modules"
)

func compiled(t testing.TB) *yang.Schema {
	t.Helper()
	s, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A module with features that is forgotten in the table would support them all.
func TestFeaturesAreChosen(t *testing.T) {
	all, err := yang.Compile(modules.FS, yang.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range implemented {
		m := all.Module(name)
		if m == nil {
			t.Errorf("%s is not embedded", name)
			continue
		}
		chosen, ok := features()[name]
		if len(m.Features) > 0 && !ok {
			t.Errorf("%s has the features %v, and none was chosen", name, m.Features)
		}
		for _, f := range chosen {
			if !slices.Contains(m.Features, f) {
				t.Errorf("%s has no feature %s", name, f)
			}
		}
	}
	for name := range features() {
		if !slices.Contains(implemented, name) {
			t.Errorf("features of %s are chosen, which is not implemented", name)
		}
	}
}

func TestSchema(t *testing.T) {
	s := compiled(t)
	for _, name := range implemented {
		if m := s.Module(name); m == nil || !m.Implemented {
			t.Errorf("%s is not implemented", name)
		}
	}
}
