package mapping

import (
	"math/bits"
	"strings"
	"sync"
)

// index finds the rules that a message may fit, so that only those are tried. Each rule
// stands in one of its parts, by what it asks for that few messages have.
type index struct {
	byOID, byID, byApp map[string][]int32
	inText             *automaton
	always             []int32
	sets               sync.Pool // of *[]uint64, all zero, a bit for each rule
}

func newIndex(rules []*rule) *index {
	x := &index{byOID: map[string][]int32{}, byID: map[string][]int32{}, byApp: map[string][]int32{}}
	words := map[string][]int32{}
	file := func(in map[string][]int32, keys []string, i int) {
		for _, k := range keys {
			in[k] = append(in[k], int32(i))
		}
	}
	for i, r := range rules {
		switch m := &r.match; {
		case len(m.oids) > 0:
			file(x.byOID, m.oids, i)
		case len(m.ids) > 0:
			file(x.byID, m.ids, i)
		case len(m.literals) > 0:
			for _, l := range m.literals {
				l = strings.Map(func(r rune) rune {
					if r < 0x80 {
						return rune(fold(byte(r)))
					}
					return r
				}, l)
				words[l] = append(words[l], int32(i))
			}
		case len(m.apps) > 0:
			file(x.byApp, m.apps, i)
		default:
			x.always = append(x.always, int32(i))
		}
	}
	x.inText = newAutomaton(words)
	size := (len(rules) + 63) / 64
	x.sets.New = func() any { s := make([]uint64, size); return &s }
	return x
}

// candidates calls try with the rules that a message may fit, in their order, until it
// returns true.
func (x *index) candidates(m *Message, try func(int) bool) {
	set := x.sets.Get().(*[]uint64)
	add := func(rules []int32) {
		for _, r := range rules {
			(*set)[r>>6] |= 1 << (r & 63)
		}
	}
	add(x.always)
	add(x.byOID[m.OID])
	add(x.byID[m.MsgID])
	if len(x.byApp) > 0 {
		add(x.byApp[strings.ToLower(m.App)])
	}
	if x.inText != nil {
		x.inText.find(m.Text, add)
	}
	done := false
	for i, w := range *set {
		for ; w != 0 && !done; w &= w - 1 {
			done = try(i*64 + bits.TrailingZeros64(w))
		}
		(*set)[i] = 0
	}
	x.sets.Put(set)
}
