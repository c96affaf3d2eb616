package netconf

import (
	"fmt"
	"slices"
	"strings"

	"incidentd/yang"
	"incidentd/yang/data"
	"incidentd/yang/rpcerr"
	"incidentd/yang/xmltext"
)

// actionNamespace is that of <action> [RFC 7950 section 7.15.2].
const actionNamespace = "urn:ietf:params:xml:ns:yang:1"

// HandleAction registers the handler of an action of the schema [RFC 7950 section 7.15].
// Its requests have At. It fails for a node that is no action, and for a second handler.
func (s *Server) HandleAction(action *yang.Node, h Handler) error {
	if action == nil || action.Kind != yang.Action {
		return fmt.Errorf("netconf: %v is no action", action)
	}
	if s.handlers[action] != nil {
		return fmt.Errorf("netconf: %s has a handler already", action)
	}
	s.handlers[action] = h
	return nil
}

// action reads the content of an <action>: nodes that lead to an instance, with the keys
// of lists, and there the action with its input.
func (s *Session) action(c *call, d *xmltext.Decoder) error {
	raw, err := d.ReadRaw()
	if err != nil {
		return err
	}
	limits := xmltext.Limits{Depth: s.limits.Depth}
	tops, err := elementsOf(raw.Decoder(limits))
	if err != nil {
		return err
	}
	w := way{schema: s.server.schema, at: &data.Loc{Node: data.New(s.server.schema.Root)}}
	action, err := w.follow(tops)
	if err != nil {
		return err
	}
	if s.server.handlers[action] == nil {
		return rpcerr.OperationNotSupported("the action " + action.Name).At(w.at.Path())
	}
	c.rpc = action
	c.request = &Request{Session: s, RPC: action, At: w.at, Access: s.Access()}
	in := raw.Decoder(limits)
	if err := w.skipTo(in); err != nil {
		return err
	}
	p := data.Parser{Schema: s.server.schema, State: true, Limits: limits}
	c.request.Input, err = p.Parse(in, inputOf(action))
	return below(w.at, err)
}

// below gives the errors in the input of an action the place of its instance, nil for an
// rpc. Their own paths begin at the action.
func below(at *data.Loc, err error) error {
	list, known := rpcerr.List(err)
	if at == nil || err == nil || !known {
		return err
	}
	var errs rpcerr.Errors
	for _, e := range list {
		p := at.Path()
		p.Expr += e.Path.Expr
		for _, x := range e.Path.Prefixes {
			if !slices.Contains(p.Prefixes, x) {
				p.Prefixes = append(p.Prefixes, x)
			}
		}
		errs = append(errs, e.At(p))
	}
	return errs.Err()
}

// elementsOf reads all elements up to the end.
func elementsOf(d *xmltext.Decoder) (list []*xmltext.Element, _ error) {
	for {
		t, err := d.Next()
		if err != nil || t.Kind == xmltext.EOF {
			return list, err
		}
		if t.Kind != xmltext.Start {
			continue
		}
		e, err := d.ReadElement(t)
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
}

// way is the way to an action, as far as it is known.
type way struct {
	schema *yang.Schema
	at     *data.Loc
	names  []*xmltext.Element
}

// follow goes the way that elements lead, down to the action.
func (w *way) follow(list []*xmltext.Element) (*yang.Node, error) {
	for {
		e, err := w.only(list)
		if err != nil {
			return nil, err
		}
		w.names = append(w.names, e)
		m := w.schema.ByNamespace(e.Space)
		if m == nil {
			return nil, rpcerr.UnknownNamespace(e.Local, e.Space).At(w.at.Path())
		}
		for _, a := range e.Attrs {
			return nil, rpcerr.UnknownAttribute(e.Local, a.Local).At(w.at.Path())
		}
		parent := w.at.Node.Schema()
		for _, a := range parent.Operations {
			if a.Kind == yang.Action && a.Module == m && a.Name == e.Local {
				return a, nil
			}
		}
		s := parent.Child(m, e.Local)
		if s == nil || s.Kind != yang.Container && s.Kind != yang.List {
			return nil, rpcerr.UnknownElement(e.Local, "the module %s has no action, list or container %q here", m.Name, e.Local).At(w.at.Path())
		}
		if list, err = w.down(s, e); err != nil {
			return nil, err
		}
	}
}

// only is the one element that leads on.
func (w *way) only(list []*xmltext.Element) (*xmltext.Element, error) {
	switch len(list) {
	case 0:
		return nil, rpcerr.MissingElement("action", "the way ends before an action").At(w.at.Path())
	case 1:
		return list[0], nil
	}
	return nil, rpcerr.BadElement(list[1].Local, "an <action> leads to one action, this leads elsewhere").At(w.at.Path())
}

// down goes to a node, of which an element has the keys, and returns what leads on.
func (w *way) down(s *yang.Node, e *xmltext.Element) (rest []*xmltext.Element, err error) {
	rest = slices.Clone(e.Children)
	if s.Kind == yang.Container {
		w.at = w.at.Down(data.New(s))
		return rest, nil
	}
	var values []string
	for _, k := range s.Keys {
		i := slices.IndexFunc(rest, func(c *xmltext.Element) bool { return c.Local == k.Name && c.Space == k.Module.Namespace })
		if i < 0 {
			return nil, rpcerr.MissingElement(k.Name, "the entry of the list %q lacks its key %q", s.Name, k.Name).At(w.at.ChildPath(s))
		}
		v, bad := k.Type.Canonical(rest[i].Text, w.schema, w.prefixes(rest[i], k))
		if bad != nil {
			return nil, rpcerr.InvalidValue("%s", bad.Message).WithAppTag(bad.AppTag).At(w.at.ChildPath(s)).WithInfo("", "bad-element", k.Name)
		}
		values = append(values, v)
		rest = slices.Delete(rest, i, i+1)
	}
	w.at = w.at.Down(data.NewEntry(s, values...))
	return rest, nil
}

func (w *way) prefixes(e *xmltext.Element, s *yang.Node) yang.Prefixes {
	return func(prefix string) *yang.Module {
		if space, ok := e.Resolve(prefix); ok && space != "" {
			return w.schema.ByNamespace(space)
		}
		if prefix == "" {
			return s.Module
		}
		return nil
	}
}

// skipTo reads up to the start tag of the action.
func (w *way) skipTo(d *xmltext.Decoder) error {
	for i := 0; i < len(w.names); {
		t, err := d.Next()
		if err != nil {
			return err
		}
		if t.Kind != xmltext.Start {
			continue
		}
		if t.Local == w.names[i].Local && t.Space == w.names[i].Space {
			i++
		} else if _, err := d.ReadRaw(); err != nil { // a key
			return err
		}
	}
	return nil
}

// instance finds a place in the operational state. Containers without presence are there
// wherever their parent is [RFC 7950 section 7.5.1].
func (s *Server) instance(at *data.Loc) (*data.Loc, error) {
	var steps []*data.Loc
	for l := at; l.Parent != nil; l = l.Parent {
		steps = append(steps, l)
	}
	slices.Reverse(steps)
	var way *xmltext.Element // the filter that leads to the instance
	for _, l := range slices.Backward(steps) {
		schema := l.Node.Schema()
		e := &xmltext.Element{Space: schema.Module.Namespace, Local: schema.Name}
		for i, k := range l.Node.Keys() {
			e.Children = append(e.Children, &xmltext.Element{Space: schema.Module.Namespace, Local: schema.Keys[i].Name, Text: k})
		}
		if way != nil {
			e.Children = append(e.Children, way)
		}
		way = e
	}
	filter := data.NewFilter(s.schema, s.schema.Root, []*xmltext.Element{way})
	snap := s.store.Snapshot()
	found := &data.Loc{Node: s.store.InUse(snap, filter)}
	for _, l := range steps {
		n, schema := (*data.Node)(nil), l.Node.Schema()
		if schema.Kind == yang.List {
			n = found.Node.Entry(schema, l.Node.Key())
		} else if n = found.Node.Get(schema); n == nil && !schema.Presence {
			n = data.New(schema)
		}
		if n == nil {
			return nil, rpcerr.DataMissing("%s is not there", strings.ToLower(schema.Kind.String())+" "+schema.Name).At(l.Path())
		}
		found = found.Down(n)
	}
	return found, nil
}
