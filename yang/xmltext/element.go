package xmltext

import (
	"bytes"
	"slices"
)

// Element is a generic element: what a filter or an anyxml holds before a schema
// is applied.
type Element struct {
	Space, Local string
	Attrs        []Attr
	Text         string // the text of an element without child elements, as written
	Children     []*Element
	// Bindings are the declarations in scope, innermost last, for values that
	// hold prefixes. Elements share them: they are read-only.
	Bindings []Binding
}

// Resolve returns the namespace of a prefix in the element's scope.
func (e *Element) Resolve(prefix string) (string, bool) {
	for i := len(e.Bindings) - 1; i >= 0; i-- {
		if e.Bindings[i].Prefix == prefix {
			return e.Bindings[i].Space, true
		}
	}
	return "", prefix == ""
}

// Attr returns the value of an attribute.
func (e *Element) Attr(space, local string) (string, bool) {
	for _, a := range e.Attrs {
		if a.Space == space && a.Local == local {
			return a.Value, true
		}
	}
	return "", false
}

// Child returns the first child of a name, or nil.
func (e *Element) Child(space, local string) *Element {
	for _, c := range e.Children {
		if c.Space == space && c.Local == local {
			return c
		}
	}
	return nil
}

// ReadElement reads the element that the Start token began, to its end.
func (d *Decoder) ReadElement(start Token) (*Element, error) {
	if d.made++; d.limits.Elements > 0 && d.made > d.limits.Elements {
		return nil, ErrManyElements
	}
	bindings, err := d.keep()
	if err != nil {
		return nil, err
	}
	e := &Element{Space: start.Space, Local: start.Local, Attrs: slices.Clone(start.Attrs), Bindings: bindings}
	for {
		t, err := d.Next()
		if err != nil {
			return nil, err
		}
		switch t.Kind {
		case Start:
			c, err := d.ReadElement(t)
			if err != nil {
				return nil, err
			}
			e.Text = ""
			e.Children = append(e.Children, c)
		case Text:
			if len(e.Children) == 0 {
				e.Text = string(t.Text)
			}
		case End:
			return e, nil
		}
	}
}

// ParseElement reads a whole document as one element.
func ParseElement(in []byte, l Limits) (*Element, error) {
	d := NewDecoder(in, l)
	t, err := d.Next()
	if err != nil {
		return nil, err
	}
	e, err := d.ReadElement(t)
	if err != nil {
		return nil, err
	}
	if _, err := d.Next(); err != nil {
		return nil, err
	}
	return e, nil
}

// ParseRawElement reads the content of a Raw as the children of an element without
// a name. Text beside them is an error.
func ParseRawElement(r Raw, l Limits) (*Element, error) {
	d := r.Decoder(l)
	root := &Element{Bindings: r.Bindings}
	for {
		t, err := d.Next()
		if err != nil {
			return nil, err
		}
		switch t.Kind {
		case EOF:
			return root, nil
		case Text:
			if len(bytes.TrimSpace(t.Text)) > 0 {
				return nil, d.fail(t.Offset, "text beside elements")
			}
		case Start:
			e, err := d.ReadElement(t)
			if err != nil {
				return nil, err
			}
			root.Children = append(root.Children, e)
		}
	}
}

// Raw is the content of an element, kept as it was written with the namespace
// declarations in scope there. Content is a part of the decoder's input, and
// Raws share Bindings: both are read-only.
type Raw struct {
	Content  []byte
	Bindings []Binding
}

// ReadRaw skips to the end of the element that was just started, checking that
// it is well formed, and returns its content.
func (d *Decoder) ReadRaw() (Raw, error) {
	bindings, err := d.keep()
	if err != nil {
		return Raw{}, err
	}
	r := Raw{Bindings: bindings}
	begin, depth := d.pos, len(d.stack)
	for {
		t, err := d.Next()
		if err != nil {
			return Raw{}, err
		}
		if t.Kind == End && len(d.stack) < depth {
			r.Content = d.in[begin:max(begin, t.Offset)]
			return r, nil
		}
	}
}

// Decoder reads the content of a Raw, which may be any text and elements: Next
// returns EOF at its end.
func (r Raw) Decoder(l Limits) *Decoder {
	d := NewDecoder(r.Content, l)
	d.bindings = slices.Clone(r.Bindings)
	if len(d.bindings) == 0 {
		d.bindings = append(d.bindings, Binding{"xml", xmlSpace})
	}
	d.space, _ = d.Resolve("")
	d.fragment = true
	return d
}
