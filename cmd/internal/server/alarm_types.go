package server

import (
	"incidentd/incident/alarm"
	"incidentd/incident/ingest/mapping"
	"incidentd/yang"
	"incidentd/yang/data"
)

// mappedTypes makes the alarm types that mapping tables know a source of the alarm inventory. Whether
// alarms of an identity end by themselves no table can say, since other sources report them too.
func mappedTypes(s *yang.Schema) (alarm.Source, error) {
	builtin, err := mapping.Builtin(s)
	if err != nil {
		return alarm.Source{}, err
	}
	return alarm.Source{
		Of: func(running *data.Node) *data.Node { return running.Child("mapping") },
		Types: func(part *data.Node) (out []alarm.Type) {
			for _, t := range mapping.Types(part, builtin) {
				identity := s.Identity(t.ID) != nil || s.Identity("incidentd-alarm-types:"+t.ID) != nil
				x := alarm.Type{ID: t.ID, Qualifier: t.Qualifier, NoClear: !t.Clears && !identity, Description: t.Description}
				if identity && t.Qualifier == "" {
					x.Description = "" // that of the identity is better
				}
				out = append(out, x)
			}
			return out
		},
	}, nil
}
