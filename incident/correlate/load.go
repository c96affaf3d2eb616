package correlate

import (
	"encoding/json"
	"fmt"
	"io"
)

// ReadAlarmTypes reads an alarm inventory in the form {"alarm-type":[…]}.
func ReadAlarmTypes(r io.Reader) ([]AlarmType, error) {
	var f struct {
		Types []AlarmType `json:"alarm-type"`
	}
	if err := json.NewDecoder(r).Decode(&f); err != nil {
		return nil, fmt.Errorf("alarm types: %w", err)
	}
	for i, t := range f.Types {
		if t.ID == "" {
			return nil, fmt.Errorf("alarm types: entry %d has no alarm-type-id", i+1)
		}
	}
	return f.Types, nil
}

// ReadMarks reads maintenance marks in the form {"mark":[…]}.
func ReadMarks(r io.Reader) ([]Mark, error) {
	var f struct {
		Marks []Mark `json:"mark"`
	}
	if err := json.NewDecoder(r).Decode(&f); err != nil {
		return nil, fmt.Errorf("marks: %w", err)
	}
	for i, m := range f.Marks {
		switch {
		case m.ID == "":
			return nil, fmt.Errorf("marks: entry %d has no mark-id", i+1)
		case m.Object.Node == "" && (m.Object.Network == "" || m.Object.Link == ""):
			return nil, fmt.Errorf("mark %s: its object is neither a link of a network nor a node", m.ID)
		case m.End.Before(m.Start):
			return nil, fmt.Errorf("mark %s: it ends before it starts", m.ID)
		}
	}
	return f.Marks, nil
}
