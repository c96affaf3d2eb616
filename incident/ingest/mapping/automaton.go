package mapping

import "slices"

// automaton finds which of many words are in a text, in one pass over it [Aho and
// Corasick, 1975]. The case of ASCII letters does not matter.
type automaton struct {
	class   [256]uint8 // of a byte; 0 is of no word
	classes int
	next    []int32   // state*classes + class to state
	found   [][]int32 // by state: what is found there, sorted
}

// fold is an ASCII letter in lower case, and any other byte as it is.
func fold(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// newAutomaton makes the automaton of words, each with what is found when it is there;
// nil for no words.
func newAutomaton(words map[string][]int32) *automaton {
	if len(words) == 0 {
		return nil
	}
	a := &automaton{classes: 1}
	sorted := make([]string, 0, len(words))
	for w := range words {
		sorted = append(sorted, w)
		for i := range len(w) {
			if c := fold(w[i]); a.class[c] == 0 {
				a.class[c] = uint8(a.classes)
				a.classes++
			}
		}
	}
	slices.Sort(sorted)
	for c := byte('A'); c <= 'Z'; c++ {
		a.class[c] = a.class[c|0x20]
	}
	// The tree of the words; 0 is its root and, as a child, none.
	state := a.state()
	for _, w := range sorted {
		at := state
		for i := range len(w) {
			k := int(at)*a.classes + int(a.class[w[i]])
			if a.next[k] == 0 {
				s := a.state()
				a.next[k] = s
			}
			at = a.next[k]
		}
		a.found[at] = append(a.found[at], words[w]...)
	}
	a.complete()
	for i := range a.found {
		slices.Sort(a.found[i])
		a.found[i] = slices.Compact(a.found[i])
	}
	return a
}

// state adds a state.
func (a *automaton) state() int32 {
	s := int32(len(a.found))
	a.found = append(a.found, nil)
	a.next = append(a.next, make([]int32, a.classes)...)
	return s
}

// complete gives each state its successor for every class: where a word does not go on,
// that of the longest other word whose beginning ends here.
func (a *automaton) complete() {
	shorter := make([]int32, len(a.found))
	queue := make([]int32, 0, len(a.found))
	for c := range a.classes {
		if s := a.next[c]; s != 0 {
			queue = append(queue, s)
		}
	}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		f := shorter[s]
		a.found[s] = append(a.found[s], a.found[f]...)
		for c := range a.classes {
			k := int(s)*a.classes + c
			onward := a.next[int(f)*a.classes+c]
			if t := a.next[k]; t != 0 {
				shorter[t] = onward
				queue = append(queue, t)
			} else {
				a.next[k] = onward
			}
		}
	}
}

// find calls yield with what is found in a text, perhaps again and again.
func (a *automaton) find(text string, yield func([]int32)) {
	state := int32(0)
	for i := range len(text) {
		state = a.next[int(state)*a.classes+int(a.class[text[i]])]
		if f := a.found[state]; f != nil {
			yield(f)
		}
	}
}
