package data

import "incidentd/yang"

// Narrow returns a part of a tree that has all that the filter can select of it, found by
// the names and keys in the filter alone: whoever takes something away from a tree before
// the filter selects need not do so where it will not look. Other values than keys are
// not looked at, so what is left tells nothing about them.
func (f *Filter) Narrow(n *Node) *Node {
	if f == nil || n == nil || f.xpath != nil {
		return n
	}
	if f.top == nil {
		return nil
	}
	return narrow(n, []*filterNode{f.top})
}

// narrow returns what filter nodes of one schema may select of an instance.
func narrow(n *Node, nodes []*filterNode) *Node {
	out := &Node{schema: n.schema, text: n.text}
	kept := map[*yang.Node][]*filterNode{}
	for _, fn := range nodes {
		if !fn.narrow {
			return n
		}
		for _, m := range fn.match {
			for _, l := range m {
				if k := n.kid(l.schema); k != nil {
					out.setKid(k)
				}
			}
		}
		for _, g := range fn.groups {
			kept[g.schema] = append(kept[g.schema], g.nodes...)
		}
	}
	for _, key := range n.schema.Keys {
		if k := n.kid(key); k != nil {
			out.setKid(k)
		}
	}
	for schema, nodes := range kept {
		k := n.kid(schema)
		if k == nil || out.kid(schema) != nil {
			continue
		}
		if k.set == nil {
			if k.interior() {
				k = narrow(k, nodes)
			}
			out.setKid(k)
			continue
		}
		keys, named := filterGroup{schema, nodes}.keys()
		if !named || len(keys) > 1 && k.set.byUser {
			out.setKid(k)
			continue
		}
		o := new(owner)
		for _, key := range keys {
			if e := k.set.get(key); e != nil {
				out.add(o, narrow(e, nodes))
			}
		}
	}
	return out
}
