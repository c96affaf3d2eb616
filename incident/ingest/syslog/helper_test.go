package syslog_test

import (
	"testing"

	"incidentd/yang"
	"incidentd/yang/data"
)

// parse reads the container mapping of a document, nil for none.
func parse(t testing.TB, s *yang.Schema, config string) *data.Loc {
	t.Helper()
	if config == "" {
		return nil
	}
	root, err := (&data.Parser{Schema: s}).ParseDocument([]byte(config))
	if err != nil {
		t.Fatal(err)
	}
	return (&data.Loc{Node: root}).Down(root.Child("mapping"))
}
