package data

// StateOf returns the nodes of config false of a tree, with the configuration
// nodes that lead to them; nil when there are none. What is wholly state is
// shared.
func StateOf(n *Node) *Node {
	if n == nil || !n.schema.Config {
		return n
	}
	if !n.interior() {
		return nil
	}
	var out *Node
	o := new(owner)
	start := func() {
		if out == nil {
			out = &Node{schema: n.schema, text: n.text}
			for _, k := range n.schema.Keys {
				if leaf := n.Get(k); leaf != nil {
					out.setKid(leaf)
				}
			}
		}
	}
	put := func(c *Node) {
		start()
		out.add(o, c)
	}
	for _, k := range n.below() {
		if k.set == nil {
			if c := StateOf(k); c != nil {
				put(c)
			}
			continue
		}
		if !k.schema.Config {
			start()
			out.setKid(k)
			continue
		}
		k.set.each(func(e *Node) bool {
			if c := StateOf(e); c != nil {
				put(c)
			}
			return true
		})
	}
	return out
}
