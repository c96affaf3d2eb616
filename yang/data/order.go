package data

import (
	"slices"
	"strings"

	"incidentd/yang"
	"incidentd/yang/rpcerr"
	"incidentd/yang/xmltext"
)

// move is where an edit wants an entry among those that the user orders [RFC 7950
// sections 7.7.9 and 7.8.6].
type move struct {
	where  string // first, last, before or after
	anchor string // the key or value of the entry to stand before or after
	list   bool   // the anchor was the attribute key, else it was value
}

func (m *move) anchored() bool { return m.where == "before" || m.where == "after" }

func (m *move) attribute() string { return anchorName(m.list) }

func anchorName(list bool) string {
	if list {
		return "key"
	}
	return "value"
}

// orderAttrs are the attributes insert, key and value as they were written.
type orderAttrs struct{ insert, anchor *string }

// take keeps an attribute of the namespace of YANG; ok is false for one that the
// node may not have.
func (o *orderAttrs) take(s *yang.Node, a xmltext.Attr) (ok bool) {
	if !s.Multiple() || !s.UserOrdered {
		return false
	}
	switch a.Local {
	case "insert":
		o.insert = &a.Value
	case anchorName(s.Kind == yang.List):
		o.anchor = &a.Value
	default:
		return false
	}
	return true
}

// move interprets the attributes.
func (o *orderAttrs) move(s *yang.Node, schema *yang.Schema, resolve yang.Prefixes) (*move, *rpcerr.Error) {
	m := &move{list: s.Kind == yang.List}
	if o.insert == nil {
		return nil, rpcerr.MissingAttribute(s.Name, "insert")
	}
	switch m.where = *o.insert; m.where {
	case "first", "last":
		if o.anchor != nil {
			return nil, rpcerr.BadAttribute(s.Name, m.attribute(), "it has a meaning only with insert before or after")
		}
		return m, nil
	case "before", "after":
	default:
		return nil, rpcerr.BadAttribute(s.Name, "insert", quoteShort(m.where)+" is none of first, last, before, after")
	}
	if o.anchor == nil {
		return nil, rpcerr.MissingAttribute(s.Name, m.attribute())
	}
	var why string
	if m.list {
		m.anchor, why = keyPredicates(*o.anchor, s, schema, resolve)
	} else if v, err := s.Type.Canonical(*o.anchor, schema, resolve); err != nil {
		why = err.Message
	} else {
		m.anchor = v
	}
	if why != "" {
		return nil, rpcerr.BadAttribute(s.Name, m.attribute(), why)
	}
	return m, nil
}

// keyPredicates reads the predicates of an instance-identifier that give all keys
// of a list, in any order, as in [e:name='x'][e:type='y']. why says what is wrong.
func keyPredicates(text string, list *yang.Node, schema *yang.Schema, resolve yang.Prefixes) (key, why string) {
	values := make([]string, len(list.Keys))
	given := make([]bool, len(list.Keys))
	const blank = " \t\r\n"
	rest := strings.Trim(text, blank)
	for rest != "" {
		body, ok := strings.CutPrefix(rest, "[")
		name, literal, equals := strings.Cut(body, "=")
		literal = strings.TrimLeft(literal, blank)
		if !ok || !equals || literal == "" || literal[0] != '\'' && literal[0] != '"' {
			return "", quoteShort(rest) + " is not of the form [key='value']"
		}
		value, after, closed := strings.Cut(literal[1:], literal[:1])
		after, ended := strings.CutPrefix(strings.TrimLeft(after, blank), "]")
		if !closed || !ended {
			return "", quoteShort(rest) + " is not of the form [key='value']"
		}
		prefix, local, qualified := strings.Cut(strings.Trim(name, blank), ":")
		m := list.Module
		if qualified {
			if m = resolve(prefix); m == nil {
				return "", "the prefix " + quoteShort(prefix) + " stands for no module here"
			}
		} else {
			local = prefix
		}
		i := slices.IndexFunc(list.Keys, func(k *yang.Node) bool { return k.Module == m && k.Name == local })
		switch {
		case i < 0:
			return "", quoteShort(local) + " is no key of the list"
		case given[i]:
			return "", "it gives the key " + quoteShort(local) + " twice"
		}
		v, err := list.Keys[i].Type.Canonical(value, schema, resolve)
		if err != nil {
			return "", err.Message
		}
		values[i], given[i] = v, true
		rest = strings.TrimLeft(after, blank)
	}
	if i := slices.Index(given, false); i >= 0 {
		return "", "it lacks the key " + quoteShort(list.Keys[i].Name)
	}
	return Key(values...), ""
}

// move returns the sequence with an entry at another place, or itself when it is
// there. The entry is in it, and so is the one to stand next to.
func (s *set) move(o *owner, key string, m *move) *set {
	from := s.find(key)
	e := s.seq[from]
	var to int // in the sequence without the entry
	switch m.where {
	case "first":
	case "last":
		to = len(s.seq) - 1
	default:
		if m.anchor == key {
			return s
		}
		if to = s.find(m.anchor); to > from {
			to--
		}
		if m.where == "after" {
			to++
		}
	}
	if to == from {
		return s
	}
	seq := s.seq
	if s.owner != o {
		seq = slices.Clone(seq)
	}
	seq = slices.Insert(slices.Delete(seq, from, from+1), to, e)
	return &set{byUser: true, owner: o, seq: seq, index: new(seqIndex)}
}
