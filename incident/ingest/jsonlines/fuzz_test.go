package jsonlines_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"incidentd/incident/event"
	"incidentd/incident/ingest/jsonlines"
	"incidentd/incident/ingest/listen"
)

// A body is refused with the line that is wrong, or all of its events are read; then
// they are read alike from their own form.
func FuzzRead(f *testing.F) {
	f.Add([]byte(fmt.Sprintf(line, 1, 1) + "\n" + fmt.Sprintf(line, 2, 2)))
	f.Add([]byte(`{"id":"e","node":"n","alarm-type-id":"t","kind":"kpi","value":1.5,"threshold":"1"}`))
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, body []byte) {
		all, err := jsonlines.Read(bytes.NewReader(body))
		if err != nil {
			var told *listen.Refusal
			if !errors.As(err, &told) || told.Line < 1 || told.Line > bytes.Count(body, []byte("\n"))+1 || all != nil {
				t.Fatalf("%v with %d events", err, len(all))
			}
			return
		}
		var again []byte
		for _, m := range all {
			again = append(event.AppendJSON(again, m.Event), '\n')
		}
		same, err := jsonlines.Read(bytes.NewReader(again))
		if err != nil || len(same) != len(all) {
			t.Fatalf("%v, %d events, want %d:\n%s", err, len(same), len(all), again)
		}
	})
}
