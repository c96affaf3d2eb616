package data

import (
	"encoding/json"
	"strings"

	"incidentd/yang"
	"incidentd/yang/rpcerr"
)

// metadata reads a member whose name begins with @: annotations of the object itself
// ("@" alone), of a leaf or anyxml, or of the entries of a leaf-list [RFC 7952 section
// 5.2]. An annotation has to be one that the schema has, and its value one of its type.
// It says something about data that were sent, such as their origin, and is not kept.
func (r *jsonReader) metadata(at *Loc, n *Node, in *yang.Module, name string) error {
	element := n.schema.Name
	if name == "" {
		return r.annotations(at, element)
	}
	m, local := in, name
	if module, rest, ok := strings.Cut(name, ":"); ok {
		m, local = r.Schema.Module(module), rest
	}
	var s *yang.Node
	if m != nil {
		s = n.schema.Child(m, local)
	}
	switch {
	case s != nil && (s.Kind == yang.Leaf || s.Kind == yang.AnyXML):
		return r.annotations(at, local)
	case s == nil || s.Kind != yang.LeafList:
		if !r.full() {
			r.fail(at.Path(), rpcerr.UnknownAttribute(element, "@"+printable(name)))
		}
		return r.skipNext()
	}
	t, err := r.token()
	if err != nil {
		return err
	}
	if t != json.Delim('[') {
		r.fail(at.ChildPath(s), rpcerr.BadAttribute(local, "@"+local, "the annotations of a leaf-list are an array"))
		return r.skip(t)
	}
	for {
		switch t, err = r.token(); {
		case err != nil || t == json.Delim(']'):
			return err
		case t == nil: // of an entry without any
		default:
			if err := r.annotated(at, local, t); err != nil {
				return err
			}
		}
	}
}

func (r *jsonReader) annotations(at *Loc, element string) error {
	t, err := r.token()
	if err != nil {
		return err
	}
	return r.annotated(at, element, t)
}

// annotated reads the object that t began, whose members are annotations of an
// element.
func (r *jsonReader) annotated(at *Loc, element string, t json.Token) error {
	if t != json.Delim('{') {
		r.fail(at.Path(), rpcerr.BadAttribute(element, "@", "annotations are an object"))
		return r.skip(t)
	}
	for {
		t, err := r.token()
		if err != nil || t == json.Delim('}') {
			return err
		}
		name := t.(string) // a key is a string
		s := r.annotation(name)
		if s == nil {
			if !r.full() {
				r.fail(at.Path(), rpcerr.UnknownAttribute(element, printable(name)))
			}
			if err := r.skipNext(); err != nil {
				return err
			}
			continue
		}
		if t, err = r.token(); err != nil {
			return err
		}
		said := len(r.errs)
		if _, err := r.leaf(at, &Node{schema: s}, t); err != nil {
			return err
		}
		for i, e := range r.errs[said:] {
			r.errs[said+i] = rpcerr.BadAttribute(element, name, e.Message).At(at.Path())
		}
	}
}

// annotation is a leaf in the place of an annotation, nil for an unknown one. That a
// value is the default has no definition in YANG [RFC 8040 section 5.3.2].
func (r *jsonReader) annotation(name string) *yang.Node {
	module, local, _ := strings.Cut(name, ":")
	if a := r.Schema.Annotation(module, local); a != nil {
		return &yang.Node{Kind: yang.Leaf, Name: a.Name, Module: a.Module, Type: a.Type}
	}
	if m := r.Schema.Module("ietf-netconf-with-defaults"); m != nil && name == m.Name+":default" {
		return &yang.Node{Kind: yang.Leaf, Name: local, Module: m, Type: &yang.Type{Base: yang.Boolean}}
	}
	return nil
}
