package push_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"incidentd/yang"
	"incidentd/yang/xmltext"
)

// receiver keeps a copy of what a subscription selects, by what it is sent. It knows the
// schema only for the names of keys, and for which entries the user orders.
type receiver struct {
	schema  *yang.Schema
	content *xmltext.Element
	patches uint32 // the id of the next patch
	synced  bool
}

// take applies a push-update or push-change-update.
func (r *receiver) take(n *xmltext.Element) error {
	switch n.Local {
	case "push-update":
		r.content, r.patches, r.synced = child(n, "datastore-contents"), 0, true
	case "push-change-update":
		patch := child(child(n, "datastore-changes"), "yang-patch")
		if got := text(patch, "patch-id"); got != fmt.Sprint(r.patches) || !r.synced {
			return fmt.Errorf("patch-id %s, want %d", got, r.patches)
		}
		r.patches++
		for _, e := range patch.Children {
			if e.Local != "edit" {
				continue
			}
			if err := r.edit(e); err != nil {
				return fmt.Errorf("%s %s: %w", text(e, "operation"), text(e, "target"), err)
			}
		}
	}
	return nil
}

// spot is where a target is or would be.
type spot struct {
	parent *xmltext.Element
	index  int // -1: it is not there
	schema *yang.Node
}

// edit applies one edit [RFC 8072 section 2.5], with the licence of RFC 8641 section 3.7.
func (r *receiver) edit(e *xmltext.Element) error {
	if text(e, "target") == "/" {
		r.content = child(e, "value")
		return nil
	}
	at, err := r.find(text(e, "target"))
	if err != nil {
		return err
	}
	var value *xmltext.Element
	if v := child(e, "value"); v != nil {
		if len(v.Children) != 1 {
			return fmt.Errorf("a value of %d elements", len(v.Children))
		}
		value = v.Children[0]
	}
	switch op := text(e, "operation"); op {
	case "create", "replace":
		if at.index >= 0 {
			at.parent.Children[at.index] = value
		} else {
			at.parent.Children = append(at.parent.Children, value)
		}
	case "delete":
		if at.index >= 0 {
			at.parent.Children = slices.Delete(at.parent.Children, at.index, at.index+1)
		}
	case "insert", "move":
		if op == "move" && at.index < 0 {
			return fmt.Errorf("it is not there")
		}
		if at.index >= 0 {
			if op == "move" {
				value = at.parent.Children[at.index]
			}
			at.parent.Children = slices.Delete(at.parent.Children, at.index, at.index+1)
		}
		to := slices.IndexFunc(at.parent.Children, func(c *xmltext.Element) bool { return is(c, at.schema) })
		if text(e, "where") == "after" {
			point, err := r.find(text(e, "point"))
			if err != nil || point.index < 0 {
				return fmt.Errorf("the point %s is not there: %v", text(e, "point"), err)
			}
			to = point.index + 1
		}
		at.parent.Children = slices.Insert(at.parent.Children, max(to, 0), value)
	default:
		return fmt.Errorf("no such operation")
	}
	return nil
}

// find finds a target.
func (r *receiver) find(target string) (at spot, err error) {
	at = spot{schema: r.schema.Root}
	in, module := r.content, ""
	for _, step := range strings.Split(target, "/")[1:] {
		if in == nil {
			return at, fmt.Errorf("what it is in is not there")
		}
		name, keys, _ := strings.Cut(step, "=")
		if m, local, ok := strings.Cut(name, ":"); ok {
			module, name = m, local
		}
		schema := at.schema.Child(r.schema.Module(module), name)
		if schema == nil {
			return at, fmt.Errorf("the schema has no %s", step)
		}
		at = spot{parent: in, schema: schema}
		at.index = slices.IndexFunc(in.Children, func(c *xmltext.Element) bool { return is(c, schema) && hasKeys(c, schema, keys) })
		if in = nil; at.index >= 0 {
			in = at.parent.Children[at.index]
		}
	}
	return at, nil
}

func is(e *xmltext.Element, s *yang.Node) bool {
	return e.Local == s.Name && e.Space == s.Module.Namespace
}

// hasKeys reports whether an entry has the keys of a step.
func hasKeys(e *xmltext.Element, s *yang.Node, keys string) bool {
	if !s.Multiple() {
		return true
	}
	for i, k := range strings.Split(keys, ",") {
		want, _ := url.PathUnescape(k)
		have := e.Text
		if s.Kind == yang.List {
			have = text(e, s.Keys[i].Name)
		}
		if have != want {
			return false
		}
	}
	return true
}

func child(e *xmltext.Element, name string) *xmltext.Element {
	for _, c := range e.Children {
		if c.Local == name {
			return c
		}
	}
	return nil
}

func text(e *xmltext.Element, name string) string {
	if c := child(e, name); c != nil {
		return c.Text
	}
	return ""
}

// canonical is what is in an element, a line for each node, without the order of what
// the system orders.
func canonical(e *xmltext.Element, s *yang.Node, schema *yang.Schema) string {
	var lines []string
	count := map[*yang.Node]int{}
	for _, c := range e.Children {
		n := s.Child(schema.ByNamespace(c.Space), c.Local)
		if n == nil {
			return "unknown " + c.Local
		}
		line := c.Local
		if n.UserOrdered {
			count[n]++
			line += fmt.Sprintf("#%03d", count[n])
		}
		lines = append(lines, line+" "+c.Text+"\n"+indent(canonical(c, n, schema)))
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

func indent(s string) string {
	if s == "" {
		return ""
	}
	return "  " + strings.ReplaceAll(strings.TrimSuffix(s, "\n"), "\n", "\n  ") + "\n"
}
