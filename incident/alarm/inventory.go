package alarm

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"incidentd/incident/event"
	"incidentd/yang/data"
)

// Type is an alarm type that is known before any alarm of it was reported: from
// configuration, such as a mapping of a source's words.
type Type struct {
	// ID and Qualifier are as a reporter says them: see Alarms.KeyFor.
	ID, Qualifier string
	// NoClear is true when its alarms do not end by themselves.
	NoClear bool
	// Description is for people: what it means, what may cause it, what to do.
	Description string
}

// Source is a part of the configuration that says which alarm types there are.
type Source struct {
	// Of finds the part in running, nil without it.
	Of func(running *data.Node) *data.Node
	// Types are those that it says. It is called again when the part is another.
	Types func(part *data.Node) []Type
}

// correlation is what incidentd-correlation says of alarm types.
var correlation = Source{
	Of: func(running *data.Node) *data.Node { return running.Child("correlation") },
	Types: func(part *data.Node) (out []Type) {
		for n := range part.Entries("alarm-type") {
			out = append(out, Type{ID: n.Leaf("alarm-type-id"), NoClear: n.Leaf("will-clear") == "false", Description: n.Leaf("description")})
		}
		return out
	},
}

// mostReported is how many types the inventory takes that are known from reports alone.
const mostReported = 10_000

type typeKey struct{ id, qualifier string }

// catalogue are the alarm types that the schema and a configuration know. It never changes.
type catalogue struct {
	of    []*data.Node // the parts of the configuration, one for each source
	types map[typeKey]knownType
}

type knownType struct {
	willClear   bool
	description string
}

// catalogueOf are the types that are known with a configuration.
func (a *Alarms) catalogueOf(running *data.Node) *catalogue {
	var parts []*data.Node
	for _, s := range a.sources {
		parts = append(parts, s.Of(running))
	}
	if c := a.known.Load(); c != nil && slices.Equal(c.of, parts) {
		return c
	}
	c := &catalogue{of: parts, types: map[typeKey]knownType{}}
	base := a.schema.Identity("ietf-alarms:alarm-type-id")
	for id := range a.schema.Identities() {
		if id.DerivedFrom(base) && !id.Abstract() && id.QName() != reported {
			c.types[typeKey{id.QName(), ""}] = knownType{willClear: true, description: oneLine(id.Description(), id.Name)}
		}
	}
	add := func(t Type) {
		id, qualifier := a.typeOf(t.ID, t.Qualifier)
		old := c.types[typeKey{id, qualifier}]
		k := knownType{willClear: !t.NoClear, description: oneLine(t.Description, old.description)}
		if k.description == "" {
			k.description = "Configured as " + t.ID + "."
		}
		c.types[typeKey{id, qualifier}] = k
	}
	for i, source := range a.sources {
		for _, t := range source.Types(parts[i]) {
			add(t)
		}
	}
	a.known.Store(c)
	return c
}

// refreshInventory brings the inventory to what the schema and the configuration know,
// with what was reported besides, and reports whether it changed.
func (e *Edit) refreshInventory() bool {
	known := e.a.catalogueOf(e.tx.Running())
	list := e.a.nodes.inventory.ChildNamed("alarm-type")
	c := e.inventoryNode()
	var put []*data.Node
	for n := range c.EntriesOf(list) {
		k := typeKey{n.Leaf("alarm-type-id"), n.Leaf("alarm-type-qualifier")}
		if _, ok := known.types[k]; ok {
			continue
		}
		if !n.Has("severity-level") { // it was known from what is not configured any more
			c = c.Without(list, n.Key())
			continue
		}
		if fresh := e.inventoryEntry(k, knownFromReports(k), severitiesOf(n)); !data.Equal(n, fresh) {
			put = append(put, fresh)
		}
	}
	for k, t := range known.types {
		old := c.Entry(list, data.Key(k.id, k.qualifier))
		if fresh := e.inventoryEntry(k, t, severitiesOf(old)); old == nil || !data.Equal(old, fresh) {
			put = append(put, fresh)
		}
	}
	if c = c.With(put...); c.Count(list) == e.inventoryNode().Count(list) && len(put) == 0 {
		return false
	}
	e.inventory = c
	return true
}

func (e *Edit) inventoryNode() *data.Node {
	if e.inventory != nil {
		return e.inventory
	}
	if c := e.base.Get(e.a.nodes.inventory); c != nil {
		return c
	}
	return data.New(e.a.nodes.inventory)
}

// inventoryEntry is the entry of a type.
func (e *Edit) inventoryEntry(k typeKey, t knownType, levels []event.Severity) *data.Node {
	s := e.a.nodes.inventory.ChildNamed("alarm-type")
	b := data.BuildEntry(s, k.id, k.qualifier).Bool("will-clear", t.willClear)
	for _, l := range levels {
		b.Leaf("severity-level", l.String())
	}
	b.Leaf("description", t.description)
	e.rules.x733Of(e.a.schema, k).into(b)
	return b.Node()
}

// knownFromReports is what is known of a type that was reported and nothing else.
func knownFromReports(k typeKey) knownType {
	return knownType{willClear: true, description: fmt.Sprintf("Reported as %q; nothing more is known of it.", k.qualifier)}
}

// severitiesOf are the severities that an entry of the inventory lists, in rising order. The
// store does not keep that of values of state.
func severitiesOf(n *data.Node) (out []event.Severity) {
	for _, v := range n.Values("severity-level") {
		s, _ := event.ParseSeverity(v)
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

// see takes a reported severity of a type into the inventory, and returns those that the
// type is known to have, in rising order.
func (e *Edit) see(k Key, s event.Severity) []event.Severity {
	list := e.a.nodes.inventory.ChildNamed("alarm-type")
	c, key := e.inventoryNode(), typeKey{k.TypeID, k.Qualifier}
	old := c.Entry(list, data.Key(k.TypeID, k.Qualifier))
	levels := severitiesOf(old)
	at, found := slices.BinarySearch(levels, s)
	if found {
		return levels
	}
	levels = slices.Insert(levels, at, s)
	t := knownFromReports(key)
	if known, ok := e.a.catalogueOf(e.tx.Running()).types[key]; ok {
		t = known
	} else if old == nil && c.Count(list) >= mostReported+len(e.a.catalogueOf(e.tx.Running()).types) {
		leaf := e.a.nodes.inventory.ChildNamed("types-left-out")
		n, _ := strconv.ParseUint(c.Leaf(leaf.Name), 10, 32)
		e.inventory = c.With(data.NewLeaf(leaf, strconv.FormatUint(uint64(uint32(n+1)), 10)))
		return levels
	}
	e.inventory = c.With(e.inventoryEntry(key, t, levels))
	e.inventoryChanged = true
	return levels
}

// oneLine is a description without the line breaks of a module, or else another.
func oneLine(text, otherwise string) string {
	if text = strings.Join(strings.Fields(text), " "); text == "" {
		return otherwise
	}
	return text
}
