package topology

import (
	"strconv"
	"strings"
)

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
				cards = append(cards, LineCard{Name: "slot/" + slot})
			}
			cards[i].Ports = append(cards[i].Ports, b.ports[p].name)
		}
		for i := range cards {
			b.addCard(NodeID(n), &cards[i])
		}
	}
}

// slotOf reads the slot from the name of a port.
func slotOf(port string) (string, bool) {
	parts := strings.Split(port, "/")
	if len(parts) != 3 && len(parts) != 4 {
		return "", false
	}
	// The type and the first number stand together: GE4, et-2, HundredGigE0.
	kind := strings.TrimRight(parts[0], "0123456789")
	if kind == "" || kind == parts[0] {
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
