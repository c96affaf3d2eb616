package diagnose

import (
	"errors"

	"incidentd/yang"
	"incidentd/yang/data"
)

// schema are the schema nodes of diagnoses.
type schema struct {
	service   *yang.Node // diagnosis-service
	state     *yang.Node
	oam       *yang.Node // oam-service
	tests     *yang.Node // the list oam-unitary-test
	incident  *yang.Node // the list
	diagnosis *yang.Node // in it
}

const ownModule = "incidentd-diagnosis"

func newSchema(s *yang.Schema) (*schema, error) {
	own, tests, types := s.Module(ownModule), s.Module("ietf-oam-unitary-test"), s.Module("incidentd-oam-tests")
	if own == nil || !own.Implemented || tests == nil || types == nil {
		return nil, errors.New("diagnose: the schema does not implement " + ownModule)
	}
	out := &schema{
		service:  s.Root.Child(own, "diagnosis-service"),
		oam:      s.Root.Child(types, "oam-service"),
		tests:    s.Root.Child(tests, "oam-unitary-tests").ChildNamed("oam-unitary-test"),
		incident: s.Root.ChildNamed("incidents").ChildNamed("incident"),
	}
	out.state = out.service.ChildNamed("state")
	out.diagnosis = out.incident.ChildNamed("diagnosis")
	return out, nil
}

// of is a container of a configuration, empty without one.
func of(running *data.Node, container *yang.Node) *data.Node {
	if n := running.Get(container); n != nil {
		return n
	}
	return data.New(container)
}
