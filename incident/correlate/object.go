package correlate

import (
	"strings"

	"incidentd/incident/topology"
)

// object is a managed object that events have named: a node, or a resource of one, in
// the present epoch of the topology. Where it is never changes; a new epoch makes new
// objects.
type object struct {
	node, name string

	nodeID  topology.NodeID
	port    topology.PortID
	card    topology.CardID
	service topology.ServiceID
	peer    topology.NodeID // the other end of a session

	state  *nodeState
	alarms []*alarm
	byType map[*alarmType]*alarm // only where there are many
	cands  []classCands

	scored  uint64 // the score that looked at it last
	classes classSet
}

type classCands struct {
	class Class
	cands []cand
}

type objKey struct{ node, name string }

// plain returns the name that an instance-identifier ends with; other resources as
// they are.
func plain(resource string) string {
	if resource == "" || resource[len(resource)-1] != ']' {
		return resource
	}
	i := strings.LastIndexAny(resource[:len(resource)-1], `'"`)
	if i < 1 {
		return resource
	}
	j := strings.LastIndexByte(resource[:i], resource[i])
	if j < 0 {
		return resource
	}
	return resource[j+1 : i]
}

// manyTypes is from how many alarms on they are found by a table.
const manyTypes = 16

// alarm returns the alarm of a type; nil if there is none.
func (o *object) alarm(t *alarmType) *alarm {
	if o.byType != nil {
		return o.byType[t]
	}
	for _, a := range o.alarms {
		if a.typ == t {
			return a
		}
	}
	return nil
}

// add enters an alarm, which is the last of alarms.
func (o *object) add(a *alarm, alarms []*alarm) {
	o.alarms = alarms
	switch {
	case o.byType != nil:
		o.byType[a.typ] = a
	case len(o.alarms) > manyTypes:
		o.byType = make(map[*alarmType]*alarm, len(o.alarms))
		for _, b := range o.alarms {
			o.byType[b.typ] = b
		}
	}
}

func (o *object) drop(a *alarm) {
	o.alarms = drop(o.alarms, a)
	if o.byType != nil {
		delete(o.byType, a.typ)
	}
}

// object returns the object of a node and a resource as reported.
func (e *Engine) object(node, resource string) *object {
	k := objKey{node, resource}
	if o, ok := e.objects[k]; ok {
		return o
	}
	name := plain(resource)
	if n, ok := e.x.Node(node); ok {
		if p, ok := e.x.Port(n, name); ok {
			name = e.x.PortName(p) // a protocol's name of a port is that port
		}
	}
	o, ok := e.objects[objKey{node, name}]
	if !ok {
		o = e.newObject(node, name)
		e.objects[objKey{node, name}] = o
	}
	if name != resource {
		e.objects[k] = o
	}
	return o
}

// subservice places an object that is about a port, whose name its own ends with: an
// assurance agent calls one "interface/eth1" or "tunnel/te7" [RFC 9417 section 3.1].
func (e *Engine) subservice(o *object, tail string) {
	switch kind, _, _ := strings.Cut(o.name, "/"); kind {
	case "interface", "tunnel", "subservice", "port", "lsp", "link":
		if p, ok := e.x.Port(o.nodeID, tail); ok {
			o.port = p
		}
	}
}

// newObject places an object in the present epoch.
func (e *Engine) newObject(node, name string) *object {
	const no = topology.None
	o := &object{node: node, name: name, nodeID: no, port: no, card: no, service: no, peer: no, state: e.nodeOf(node)}
	n, ok := e.x.Node(o.node)
	if o.name == "" && ok {
		e.nodeObjects[n] = o
	}
	tail := o.name[strings.LastIndexByte(o.name, '/')+1:]
	if s, ok := e.x.Service(o.name); ok {
		o.service = s
	} else if len(tail) < len(o.name) {
		if s, ok := e.x.Service(tail); ok {
			o.service = s
		}
	}
	if !ok {
		return o
	}
	o.nodeID = n
	if o.name == "" {
		return o
	}
	if p, ok := e.x.Port(n, o.name); ok {
		o.port = p
		e.portObjects[p] = o
		for _, ed := range e.x.PortEdges(p) {
			if e.x.Edge(ed).Kind == topology.SessionEdge {
				o.peer, _ = e.x.Far(ed, n)
			}
		}
	}
	if c, ok := e.x.Card(n, o.name); ok {
		o.card = c
	}
	if o.port == topology.None && o.service == topology.None && tail != o.name {
		e.subservice(o, tail)
	}
	if o.peer == topology.None && o.port == topology.None && tail != o.name {
		if p, ok := e.x.Node(tail); ok {
			o.peer = p
		}
	}
	return o
}
