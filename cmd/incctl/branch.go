package main

import "strings"

// branch is a node of a tree that is drawn with lines: what it says, its leaves, and the
// branches from it in the order in which they came.
type branch struct {
	text     string
	leaves   []string
	branches []*branch
}

// to is the branch of a text, a new one if there is none.
func (b *branch) to(text string) *branch {
	for _, c := range b.branches {
		if c.text == text {
			return c
		}
	}
	c := &branch{text: text}
	b.branches = append(b.branches, c)
	return c
}

// draw writes the branch and what is on it. first stands before its own line, rest before
// those below.
func (b *branch) draw(out *strings.Builder, first, rest string) {
	out.WriteString(first + b.text + "\n")
	n := len(b.leaves) + len(b.branches)
	lines := func() (string, string) {
		if n--; n == 0 {
			return rest + "└─ ", rest + "   "
		}
		return rest + "├─ ", rest + "│  "
	}
	for _, l := range b.leaves {
		own, _ := lines()
		out.WriteString(own + l + "\n")
	}
	for _, c := range b.branches {
		own, below := lines()
		c.draw(out, own, below)
	}
}
