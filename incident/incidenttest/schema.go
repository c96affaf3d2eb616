// Package incidenttest has what tests of alarms and of incidents share: the schema of their
// dialogues.
package incidenttest

import (
	"maps"

	"incidentd/netconf/ops"
	"incidentd/netconf/push"
	"incidentd/netconf/subscribe"
	"incidentd/yang"
	"incidentd/yang/modules"
)

// common are the modules that all of these dialogues take: alarms, events, and what every
// server has.
var common = []string{
	"ietf-alarms", "ietf-alarms-x733", "incidentd-alarms", "incidentd-alarm-types", "incidentd-correlation", "incidentd-events", "incidentd-collector",
	"ietf-datastores", "ietf-factory-default", "ietf-list-pagination", "ietf-list-pagination-nc", "ietf-netconf", "ietf-netconf-acm",
	"ietf-netconf-monitoring", "ietf-netconf-nmda", "ietf-netconf-notifications", "ietf-netconf-partial-lock", "ietf-netconf-with-defaults",
	"ietf-notification-capabilities", "ietf-origin", "ietf-subscribed-notif-receivers", "ietf-subscribed-notifications", "ietf-system",
	"ietf-system-capabilities", "ietf-yang-library", "ietf-yang-push", "ietf-yp-observation", "incidentd-access", "incidentd-audit", "incidentd-call-home",
	"incidentd-history", "incidentd-notifications", "nc-notifications", "notifications",
}

// Schema is the schema of a server with those modules and more, with the features of NETCONF
// and those given.
func Schema(features map[string][]string, more ...string) (*yang.Schema, error) {
	all := map[string][]string{}
	for _, f := range []map[string][]string{features, ops.Features(), subscribe.Features(), push.Features()} {
		maps.Copy(all, f)
	}
	return yang.Compile(modules.FS, yang.Options{Features: all, Implemented: append(more, common...)})
}
