package topology

import (
	"strconv"
	"strings"
)

// inferredCard begins the names of inferred cards.
const inferredCard = "slot/"

// slotNamed reads the slot from the name of a card: a word for a card and a number, or
// rack/slot/CPU.
func slotNamed(name string) (string, bool) {
	if rack, cpu := strings.IndexByte(name, '/'), strings.LastIndexByte(name, '/'); rack < cpu && hasPrefixFold(name[cpu+1:], "cpu") {
		return number(name[rack+1 : cpu]) // no number where there are more parts
	}
	head := strings.TrimRight(name, "0123456789")
	if head == name {
		return "", false
	}
	other := func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }
	word := strings.TrimRightFunc(head, other)
	word = word[strings.LastIndexFunc(word, other)+1:]
	switch strings.ToLower(word) {
	case "slot", "card", "linecard", "lc", "board", "module", "fpc", "mpc", "dpc", "iom", "xcm", "imm", "lpu", "npu":
		return number(name[len(head):])
	}
	return "", false
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// number returns a decimal number as ports have it; false if it is none.
func number(s string) (string, bool) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		return "", false
	}
	return strconv.FormatUint(n, 10), true
}

// inferCards puts the ports of nodes whose inventory names no line cards on the
// cards that their names tell: TYPEslot/subslot/port, or TYPErack/slot/subslot/port,
// as the large vendors call them. The cards are named "slot/N".
func (b *builder) inferCards() {
	known := make(map[NodeID]bool, len(b.cards))
	for i := range b.cards {
		known[b.cards[i].node] = true
	}
	for n := range b.nodes {
		if known[NodeID(n)] {
			continue
		}
		var cards []LineCard
		at := map[string]int{}
		for _, p := range b.nodes[n].ports {
			slot, ok := slotOf(b.ports[p].name)
			if !ok || len(b.ports[p].edges) == 0 {
				continue
			}
			i, seen := at[slot]
			if !seen {
				i = len(cards)
				at[slot] = i
				cards = append(cards, LineCard{Name: inferredCard + slot})
			}
			cards[i].Ports = append(cards[i].Ports, b.ports[p].name)
		}
		for i := range cards {
			b.addCard(NodeID(n), &cards[i])
			b.cards[len(b.cards)-1].inferred = true
		}
	}
}

// slotOf reads the slot from the name of a port.
func slotOf(port string) (string, bool) {
	parts := strings.Split(port, "/")
	if len(parts) != 3 && len(parts) != 4 {
		return "", false
	}
	// The type and the first number stand together: GE4, et-2, HundredGigE0; some have none.
	kind := strings.TrimRight(parts[0], "0123456789")
	if kind == parts[0] {
		return "", false
	}
	parts[0] = parts[0][len(kind):]
	for i, s := range parts {
		s, _, _ = strings.Cut(s, ".") // a subinterface
		s, _, _ = strings.Cut(s, ":") // a lane
		if i < len(parts)-1 && s != parts[i] {
			return "", false
		}
		if _, err := strconv.ParseUint(s, 10, 16); err != nil {
			return "", false
		}
	}
	return parts[len(parts)-3], true
}
