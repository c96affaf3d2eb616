package yang

import (
	"strconv"
	"strings"
)

// PathPattern is a node-instance-identifier [RFC 8341 section 3.5.2]: a way down the
// schema that stands for each instance that passes its tests. It may lead to an
// action or a notification. The one of no steps stands for everything.
type PathPattern []PathStep

// PathStep is a child, and which of its entries are meant; without tests and
// position, all.
type PathStep struct {
	Node  *Node
	Tests []KeyTest
	// Position is the place among the entries of a list without keys, from 1; 0 for
	// any.
	Position int
}

// KeyTest wants a key of an entry, or the value of a leaf-list's, to be a value.
type KeyTest struct {
	Key   *Node
	Value string // canonical
	// User stands for the variable USER: the value is the name of the user.
	User bool
}

// isPathPattern reports whether a typedef is that of a node-instance-identifier, whose
// names have the prefixes of where the value stands, like those of an
// instance-identifier.
func isPathPattern(def *statement) bool {
	return def.arg == "node-instance-identifier" && def.src.module != nil && def.src.module.Name == "ietf-netconf-acm"
}

// PathPattern reads a canonical node-instance-identifier. It answers a *ValueError for a
// text that is none, and for one that leads to what the schema does not have.
func (s *Schema) PathPattern(text string) (PathPattern, error) {
	p := instanceParser{rest: text, schema: s, pattern: true, resolve: s.Module, rename: (*Module).name, at: s.Root}
	if err := p.path(); err != nil {
		return nil, err
	}
	return p.steps, nil
}

// String is the canonical form.
func (p PathPattern) String() string {
	if len(p) == 0 {
		return "/"
	}
	var b strings.Builder
	for _, step := range p {
		b.WriteString("/" + step.Node.QName())
		for _, t := range step.Tests {
			name, value := ".", "'"+t.Value+"'"
			if t.Key != step.Node {
				name = t.Key.QName()
			}
			if t.User {
				value = "$USER"
			} else if strings.Contains(t.Value, "'") {
				value = `"` + t.Value + `"`
			}
			b.WriteString("[" + name + "=" + value + "]")
		}
		if step.Position > 0 {
			b.WriteString("[" + strconv.Itoa(step.Position) + "]")
		}
	}
	return b.String()
}
