package topology

import (
	"encoding/json"
	"fmt"
	"io"
)

// Inventory is what is known of nodes besides their topology. Its file form is one
// JSON object {"node":[…]}.
type Inventory struct {
	Nodes []InventoryNode `json:"node"`
}

// InventoryNode is one node of the inventory. Every field but the id may be empty.
type InventoryNode struct {
	ID string `json:"node-id"`
	// Site is the place whose power and air the node shares with others.
	Site string `json:"site"`
	// Domain is the administrative domain.
	Domain    string     `json:"domain"`
	Role      string     `json:"role"`
	Vendor    string     `json:"vendor"`
	LineCards []LineCard `json:"line-cards"`
}

// LineCard is a component that fails with all of its ports.
type LineCard struct {
	Name  string   `json:"name"`
	Ports []string `json:"ports"`
}

// ReadInventory reads the file form. Unknown keys are ignored.
func ReadInventory(r io.Reader) (*Inventory, error) {
	var inv Inventory
	if err := json.NewDecoder(r).Decode(&inv); err != nil {
		return nil, fmt.Errorf("inventory: %w", err)
	}
	for i, n := range inv.Nodes {
		if n.ID == "" {
			return nil, fmt.Errorf("inventory: node %d has no node-id", i+1)
		}
	}
	return &inv, nil
}
