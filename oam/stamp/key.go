package stamp

import (
	"strconv"

	"incidentd/oam"
)

// key finds the key of a name; nil for none.
func (n *Node) key(name string) ([]byte, error) {
	if name == "" {
		return nil, nil
	}
	if n.keys == nil {
		return nil, oam.Faultf(oam.NotPermitted, "there is no key %s", name)
	}
	key, err := n.keys(name)
	if err != nil {
		return nil, oam.Faultf(oam.NotPermitted, "key %s: %w", name, err)
	}
	return key, nil
}

func portName(port uint16) string { return strconv.Itoa(int(port)) }
