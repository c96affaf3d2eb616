package yang

import (
	"iter"
	"maps"
	"slices"
)

// Annotation is a metadata annotation [RFC 7952 section 3].
type Annotation struct {
	Name        string
	Module      *Module
	Type        *Type
	Units       string
	Status      string
	Description string
}

// QName is the annotation's name with its module's: module:name.
func (a *Annotation) QName() string { return a.Module.Name + ":" + a.Name }

// Structure returns a structure of the implemented modules by module and name, or
// nil: an sx:structure [RFC 8791] or an rc:yang-data template [RFC 8040 section
// 8]. Its node has the kind Structure.
func (s *Schema) Structure(module, name string) *Node { return s.structures[module+":"+name] }

// Structures yields every structure, sorted by qualified name.
func (s *Schema) Structures() iter.Seq[*Node] { return sortedNodes(s.structures) }

// Annotation returns the annotation of a module and name, or nil.
func (s *Schema) Annotation(module, name string) *Annotation { return s.annotations[module+":"+name] }

// Annotations yields every annotation, sorted by qualified name.
func (s *Schema) Annotations() iter.Seq[*Annotation] {
	return func(yield func(*Annotation) bool) {
		for _, name := range slices.Sorted(maps.Keys(s.annotations)) {
			if !yield(s.annotations[name]) {
				return
			}
		}
	}
}

// buildStructure makes the node of an sx:structure or rc:yang-data. What config
// statements say within it has no meaning [RFC 8791 section 4].
func (c *compiler) buildStructure(s *statement, m *Module) {
	if !c.ifFeatures(s) {
		c.off[offKey{nil, childKey{m, s.arg}}] = true
		return
	}
	n := c.newNode(Structure, s, m, nil, true)
	if n == nil {
		return
	}
	if !isIdentifier(s.arg) {
		c.fail(s.errorf("is no identifier"))
		return
	}
	if c.schema.structures[n.QName()] != nil {
		c.fail(s.errorf("the module has a structure of that name already"))
		return
	}
	c.schema.structures[n.QName()] = n
	c.buildChildren(n, s, m)
}

// annotate reads the annotations of a module; those of import-only modules too, as
// they define no data of their own.
func (c *compiler) annotate(m *Module) {
	for s := range m.tops {
		if !s.is(metadataModule, "annotation") || !c.ifFeatures(s) {
			continue
		}
		a := &Annotation{Name: s.arg, Module: m, Units: s.value("units"), Status: s.value("status"), Description: s.text("description")}
		ts := s.sub("type")
		switch {
		case ts == nil:
			c.fail(s.errorf("has no type"))
			continue
		case c.schema.annotations[a.QName()] != nil:
			c.fail(s.errorf("is defined twice"))
			continue
		}
		t, err := c.resolveType(ts, 0)
		if err != nil {
			c.fail(err)
			continue
		}
		if a.Type = t; a.Units == "" {
			a.Units = t.units
		}
		c.schema.annotations[a.QName()] = a
	}
}
