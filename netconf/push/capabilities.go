package push

import (
	"slices"

	"incidentd/datastore"
	"incidentd/yang"
	"incidentd/yang/data"
)

// all is the value of notification-support for nodes of every kind.
const all = "config-changes state-changes"

// capabilities are those of RFC 9196 for subscriptions to datastores.
func (p *publisher) capabilities(*datastore.Snapshot) *data.Node {
	b := data.Build(p.nodes.capabilities)
	b.Container("subscription-capabilities").
		Uint("max-nodes-per-update", uint64(p.config.MaxNodes)).
		Leaf("periodic-notifications-supported", all).
		Uint("minimum-update-period", uint64(p.config.MinPeriod/centisecond)).
		Leaf("on-change-supported", all).
		Uint("minimum-dampening-period", 0).
		Leaf("supported-excluded-change-type", "all").
		Bool("yang-push-observation-time-supported", true)
	none := b.Entry("datastore-capabilities", "ietf-factory-default:factory-default").Entry("per-node-capabilities")
	none.Leaf("node-selector", "/").Container("subscription-capabilities").
		Leaf("periodic-notifications-supported", "").Leaf("on-change-supported", "").Leaf("supported-excluded-change-type", "none")
	nodes := b.Entry("datastore-capabilities", "ietf-datastores:"+string(datastore.Operational))
	for _, path := range p.unchanging() {
		nodes.Entry("per-node-capabilities").Leaf("node-selector", path).Container("subscription-capabilities").
			Leaf("on-change-supported", "").Leaf("supported-excluded-change-type", "none")
	}
	// Entries of others may follow, for which the default would say none otherwise.
	nodes.Entry("per-node-capabilities").Leaf("node-selector", "/").Container("subscription-capabilities").
		Leaf("on-change-supported", all).Leaf("supported-excluded-change-type", "all")
	return b.Node()
}

// unchanging are the topmost nodes of the operational datastore that have no changes, as
// canonical node-instance-identifiers, sorted.
func (p *publisher) unchanging() []string {
	var paths []string
	silent := p.provided()
	for n := range silent {
		for up := n.Parent; up != nil; up = up.Parent {
			if silent[up] {
				n = up
			}
		}
		path := ""
		for at := n; at != nil; at = at.Parent {
			if at.Kind != yang.Choice && at.Kind != yang.Case {
				path = "/" + at.QName() + path
			}
		}
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}
