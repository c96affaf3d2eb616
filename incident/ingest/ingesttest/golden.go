package ingesttest

import (
	"bytes"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"incidentd/incident/event"
	"incidentd/incident/ingest/mapping"
	"incidentd/netconf/netconftest"
	"incidentd/yang/data"
)

// Mapper is a mapper of the tables that come with the server and of a configuration, the
// container mapping in XML, or none.
func Mapper(t testing.TB, config string) *mapping.Mapper {
	t.Helper()
	s, err := netconftest.Schema()
	if err != nil {
		t.Fatal(err)
	}
	builtin, err := mapping.Builtin(s)
	if err != nil {
		t.Fatal(err)
	}
	var at *data.Loc
	if config != "" {
		root, err := (&data.Parser{Schema: s}).ParseDocument([]byte(config))
		if err != nil {
			t.Fatal(err)
		}
		at = (&data.Loc{Node: root}).Down(root.Child("mapping"))
	}
	m, err := mapping.New(at, builtin)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// AppendExplanation appends what becomes of a message: a line with the outcome and the
// rule, and one with the event.
func AppendExplanation(b []byte, x *mapping.Explanation, fault error) []byte {
	b = append(b, x.Outcome.String()...)
	if x.Rule != "" {
		b = append(b, " "+x.Table+"/"+x.Rule...)
	}
	if fault != nil {
		b = append(b, " ("+fault.Error()+")"...)
	}
	b = append(b, '\n')
	if x.Outcome != mapping.Ignored {
		b = append(event.AppendJSON(b, &x.Event), '\n')
	}
	return b
}

// Golden compares with a file, or writes it.
func Golden(t *testing.T, file string, got []byte, update bool) {
	t.Helper()
	if update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		t.Errorf("%s (-want +got):\n%s", file, cmp.Diff(string(want), string(got)))
	}
}
