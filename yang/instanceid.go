package yang

import (
	"slices"
	"strconv"
	"strings"
)

// rewriteInstanceIdentifier checks an instance-identifier, or the pattern of one, and
// rewrites the prefixes of its names by those of another place, and the values of keys
// as theirs are [RFC 7950 sections 9.13 and 14].
func rewriteInstanceIdentifier(text string, schema *Schema, pattern bool, resolve Prefixes, rename func(*Module) string) (string, *ValueError) {
	p := instanceParser{rest: strings.TrimSpace(text), schema: schema, pattern: pattern, resolve: resolve, rename: rename, at: schema.Root}
	err := p.path()
	return p.out.String(), err
}

// path reads the whole.
func (p *instanceParser) path() *ValueError {
	if !strings.HasPrefix(p.rest, "/") {
		return badValue("an instance-identifier starts with a slash")
	}
	if p.pattern && p.rest == "/" {
		p.take("/")
		return nil
	}
	for p.rest != "" {
		if !p.take("/") {
			return badValue("%q has no place in an instance-identifier", abbreviateValue(p.rest))
		}
		child, err := p.name()
		if err != nil {
			return err
		}
		p.at = child
		p.steps = append(p.steps, PathStep{Node: child})
		var keys []*Node
		positions := 0
		for p.take("[") {
			key, err := p.predicate()
			if err != nil {
				return err
			}
			if key == nil {
				positions++
			} else {
				keys = append(keys, key)
			}
		}
		if err := p.one(keys, positions); err != nil {
			return err
		}
	}
	return nil
}

// instanceParser reads an instance-identifier and writes it anew.
type instanceParser struct {
	rest    string
	out     strings.Builder
	schema  *Schema
	resolve Prefixes
	rename  func(*Module) string
	at      *Node // the data node that the last name led to
	steps   []PathStep
	// pattern accepts a node-instance-identifier [RFC 8341 section 3.5.2]: keys may be
	// left out, actions and notifications named, values be $USER, and a slash
	// stands for all.
	pattern bool
}

// one checks that the predicates select one instance.
func (p *instanceParser) one(keys []*Node, positions int) *ValueError {
	s := p.at
	switch {
	case p.pattern && positions+len(keys) == 0:
	case s.Kind == List && len(s.Keys) > 0:
		if positions > 0 || len(keys) != len(s.Keys) && !p.pattern {
			return badValue("the instance-identifier does not give each key of the list %q", s.Name)
		}
		for i, k := range keys {
			if slices.Contains(keys[:i], k) {
				return badValue("the instance-identifier gives the key %q twice", k.Name)
			}
		}
	case s.Kind == LeafList && s.Config:
		if positions > 0 || len(keys) != 1 {
			return badValue("the instance-identifier does not give the value of %q", s.Name)
		}
	case s.Multiple():
		if positions+len(keys) != 1 {
			return badValue("the instance-identifier does not give the place of %q", s.Name)
		}
	case positions+len(keys) > 0:
		return badValue("the instance-identifier has a predicate on %q, of which there is only one", s.Name)
	}
	return nil
}

func (p *instanceParser) blank() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

func (p *instanceParser) take(s string) bool {
	rest, ok := strings.CutPrefix(p.rest, s)
	if ok {
		p.rest = rest
		p.out.WriteString(s)
	}
	return ok
}

// name reads the name of a child.
func (p *instanceParser) name() (*Node, *ValueError) {
	end := 0
	for end < len(p.rest) && (isNameStart(p.rest[end]) || strings.IndexByte("0123456789-.:", p.rest[end]) >= 0) {
		end++
	}
	prefix, name, ok := strings.Cut(p.rest[:end], ":")
	if !ok || name == "" || !isNameStart(name[0]) || strings.Contains(name, ":") {
		return nil, badValue("%q of the instance-identifier is no name with a prefix", abbreviateValue(p.rest))
	}
	var m *Module
	if p.resolve != nil {
		m = p.resolve(prefix)
	}
	if m == nil {
		return nil, badValue("the name %q of the instance-identifier is of no known module", p.rest[:end])
	}
	child := p.at.Child(m, name)
	if i := slices.IndexFunc(p.at.Operations, func(o *Node) bool { return o.Module == m && o.Name == name }); i >= 0 && p.pattern {
		child = p.at.Operations[i]
	}
	if child == nil {
		return nil, badValue("the instance-identifier leads to %q, which %s does not have", p.rest[:end], p.at.Path())
	}
	p.out.WriteString(p.rename(m) + ":" + name)
	p.rest = p.rest[end:]
	return child, nil
}

// predicate reads what follows a bracket: a key or "." and its value, or a
// position, for which it returns nil.
func (p *instanceParser) predicate() (key *Node, err *ValueError) {
	p.blank()
	step := &p.steps[len(p.steps)-1]
	if end := len(p.rest) - len(strings.TrimLeft(p.rest, "0123456789")); end > 0 && p.rest[0] != '0' {
		step.Position, _ = strconv.Atoi(p.rest[:end]) // one too large is that of no entry
		p.take(p.rest[:end])
	} else {
		if p.take(".") {
			if key = p.at; key.Kind != LeafList {
				return nil, badValue("a predicate of the instance-identifier asks for the value of %q, which is no leaf-list", key.Name)
			}
		} else {
			if key, err = p.name(); err != nil {
				return nil, err
			}
			if !key.IsKey() {
				return nil, badValue("%q in a predicate of the instance-identifier is no key", key.Name)
			}
		}
		p.blank()
		if !p.take("=") {
			return nil, badValue("a predicate of the instance-identifier has no equals sign")
		}
		p.blank()
		test := KeyTest{Key: key}
		if p.pattern && p.take("$USER") {
			test.User = true
		} else if test.Value, err = p.literal(key.Type); err != nil {
			return nil, err
		}
		step.Tests = append(step.Tests, test)
	}
	p.blank()
	if !p.take("]") {
		return nil, badValue("a predicate of the instance-identifier is not closed")
	}
	return key, nil
}

// literal reads a quoted value and writes it as that of a key; one that the key cannot
// have stays as it is.
func (p *instanceParser) literal(t *Type) (string, *ValueError) {
	if p.rest == "" || p.rest[0] != '\'' && p.rest[0] != '"' {
		return "", badValue("a value in the instance-identifier is not quoted")
	}
	end := strings.IndexByte(p.rest[1:], p.rest[0])
	if end < 0 {
		return "", badValue("a literal of the instance-identifier has no closing quote")
	}
	value := p.rest[1 : end+1]
	text := value
	if v, err := t.Canonical(value, p.schema, p.resolve); err == nil {
		value, text = v, t.Resolve(v, p.schema).requalify(v, p.schema, p.rename)
	}
	quote := "'"
	if strings.Contains(text, quote) {
		quote = `"`
	}
	p.out.WriteString(quote + text + quote)
	p.rest = p.rest[end+2:]
	return value, nil
}

func (m *Module) name() string { return m.Name }

func isNameStart(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
