package datapath

import (
	"iter"
	"slices"
	"strings"

	"incidentd/yang"
)

// Candidate is one way to go on.
type Candidate struct {
	// Text replaces the word that is completed.
	Text string
	// Description tells what it is, in a few words.
	Description string
	// Open is true when more may follow at once: the word is not at its end.
	Open bool
}

// Options of Complete.
type Options struct {
	// Config leaves out state, for paths that are to be edited.
	Config bool
	// Keys asks the server for the entries of a list, as their key values; nil, or no
	// answer, gives no candidates for keys.
	Keys func(list Path) [][]string
	// Targets asks it for the values that a leafref may have; nil as for Keys.
	Targets func(leaf *yang.Node) []string
}

// Complete returns how a path that is being typed can go on.
func Complete(from Path, text string, o Options) (out []Candidate) {
	head, tail := cutTail(text)
	at, err := Parse(from, head)
	if err != nil {
		return nil
	}
	if name, typed, ok := strings.Cut(tail, "="); ok {
		return completeKeys(at, head+name, name, typed, o)
	}
	n := at.Node()
	for _, c := range n.Data {
		if o.Config && !c.Config {
			continue
		}
		name := NameIn(n, c)
		if !strings.HasPrefix(name, tail) {
			if name = c.QName(); !strings.HasPrefix(name, tail) || tail == "" {
				continue
			}
		}
		out = append(out, candidate(head+name, c))
	}
	return out
}

// candidate is a child with what has to follow its name.
func candidate(text string, n *yang.Node) Candidate {
	switch {
	case n.Kind == yang.List && len(n.Keys) > 0:
		return Candidate{text + "=", Brief(n), true}
	case n.Kind == yang.Container || n.Kind == yang.List:
		return Candidate{text + "/", Brief(n), true}
	}
	return Candidate{text, Brief(n), false}
}

// completeKeys completes the values behind an equals sign.
func completeKeys(at Path, head, name, typed string, o Options) (out []Candidate) {
	n, err := at.child(name)
	if err != nil || !n.Multiple() {
		return nil
	}
	done, last := "", typed
	if i := strings.LastIndexByte(typed, ','); i >= 0 {
		done, last = typed[:i+1], typed[i+1:]
	}
	var have []string
	if done != "" {
		if have, err = listed(strings.TrimSuffix(done, ",")); err != nil {
			return nil
		}
	}
	leaf := n
	if n.Kind == yang.List {
		if len(have) >= len(n.Keys) {
			return nil
		}
		leaf = n.Keys[len(have)]
	}
	seen := map[string]bool{}
	add := func(value, description string) {
		text := escape(value)
		if seen[text] || !strings.HasPrefix(text, last) {
			return
		}
		seen[text] = true
		c := Candidate{Text: head + "=" + done + text, Description: description, Open: n.Kind == yang.List}
		if n.Kind == yang.List && len(have)+1 < len(n.Keys) {
			c.Text += ","
		}
		out = append(out, c)
	}
	if o.Keys != nil {
		for _, entry := range o.Keys(at.Down(n)) {
			if len(entry) > len(have) && slices.Equal(entry[:len(have)], have) {
				add(entry[len(have)], "")
			}
		}
	}
	for _, v := range Values(at.Schema, leaf, "") {
		add(v.Text, v.Description)
	}
	if o.Targets != nil {
		for _, v := range o.Targets(leaf) {
			add(v, "")
		}
	}
	return out
}

// cutTail splits a path behind its last slash outside brackets.
func cutTail(text string) (head, tail string) {
	start := 0
	for {
		i := slash(text[start:])
		if start+i == len(text) {
			return text[:start], text[start:]
		}
		start += i + 1
	}
}

// Values are those that a leaf's type names: enumeration values, identities, bits and
// booleans that begin with what is typed.
func Values(s *yang.Schema, leaf *yang.Node, typed string) (out []Candidate) {
	seen := map[string]bool{}
	add := func(text, description string) {
		if strings.HasPrefix(text, typed) && !seen[text] {
			seen[text] = true
			out = append(out, Candidate{Text: text, Description: description})
		}
	}
	var of func(t *yang.Type)
	of = func(t *yang.Type) {
		switch t.Base {
		case yang.Boolean:
			add("true", "")
			add("false", "")
		case yang.Enumeration:
			for _, e := range t.Enums {
				add(e.Name, "")
			}
		case yang.Bits:
			for _, e := range t.BitNames {
				add(e.Name, "bit")
			}
		case yang.IdentityRef:
			for id := range identities(s, t) {
				add(id.QName(), "")
			}
		case yang.Leafref:
			if t.Path != nil && t.Path.Target != nil {
				of(t.Path.Target.Type)
			}
		case yang.Union:
			for _, m := range t.Members {
				of(m)
			}
		}
	}
	of(leaf.Type)
	return out
}

// identities yields those that an identityref may be, also within a union.
func identities(s *yang.Schema, t *yang.Type) iter.Seq[*yang.Identity] {
	return func(yield func(*yang.Identity) bool) {
		if t.Base == yang.Union {
			for _, m := range t.Members {
				for id := range identities(s, m) {
					if !yield(id) {
						return
					}
				}
			}
			return
		}
		if t.Base != yang.IdentityRef {
			return
		}
		for id := range s.Identities() {
			derived := func(base *yang.Identity) bool { return id.DerivedFrom(base) }
			all := !slices.ContainsFunc(t.Identities, func(base *yang.Identity) bool { return !derived(base) })
			if all && id.Module.Implemented && !yield(id) {
				return
			}
		}
	}
}

// Brief is the first sentence of a node's description, cut to a line.
func Brief(n *yang.Node) string {
	text := strings.Join(strings.Fields(n.Description), " ")
	if i := strings.Index(text, ". "); i > 0 {
		text = text[:i]
	}
	text = strings.TrimSuffix(text, ".")
	if r := []rune(text); len(r) > 60 {
		text = strings.TrimRight(string(r[:59]), " ") + "…"
	}
	return text
}
