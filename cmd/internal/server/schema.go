package server

import (
	"maps"
	"sync"

	"incidentd/incident/alarm"
	"incidentd/netconf/ops"
	"incidentd/netconf/push"
	"incidentd/netconf/subscribe"
	"incidentd/yang"
	"incidentd/yang/modules"
)

// implemented are the modules whose data, operations, notifications or identities
// the server has. All others are there for what these import of them.
//
// Not among them although it is at hand: ietf-yang-metadata, which has only the
// statement by which ietf-origin defines its annotation.
var implemented = []string{
	// RFC 7317 announces the hashes that a server knows as features of this one.
	"iana-crypt-hash",
	"ietf-alarms",
	"ietf-alarms-x733",
	// Its identities name the datastores; values of identityrefs come from
	// implemented modules alone [RFC 7950 section 9.10.2].
	"ietf-datastores",
	"ietf-factory-default",
	"ietf-incident",
	"ietf-incident-types",
	"ietf-list-pagination",
	"ietf-list-pagination-nc",
	"ietf-netconf",
	"ietf-netconf-acm",
	"ietf-netconf-monitoring",
	"ietf-netconf-nmda",
	"ietf-netconf-notifications",
	"ietf-netconf-partial-lock",
	"ietf-netconf-with-defaults",
	"ietf-network",
	"ietf-network-topology",
	"ietf-notification-capabilities",
	"ietf-oam-test-sequence",
	"ietf-oam-unitary-test",
	// Its identities are the origins of with-origin.
	"ietf-origin",
	// Its identities are frequencies, and values as those of ietf-datastores are.
	"ietf-schedule",
	"ietf-subscribed-notif-receivers",
	"ietf-subscribed-notifications",
	"ietf-system",
	"ietf-system-capabilities",
	"ietf-yang-library",
	"ietf-yang-push",
	"ietf-yp-observation",
	"incidentd-access",
	"incidentd-admission",
	"incidentd-alarm-types",
	"incidentd-alarms",
	"incidentd-audit",
	"incidentd-call-home",
	"incidentd-collector",
	"incidentd-correlation",
	"incidentd-diagnosis",
	"incidentd-events",
	"incidentd-history",
	"incidentd-incident",
	"incidentd-inventory",
	"incidentd-link-metrics",
	"incidentd-maintenance",
	"incidentd-management",
	"incidentd-mapping",
	"incidentd-notifications",
	"incidentd-oam-tests",
	"incidentd-resolution",
	"incidentd-server",
	"incidentd-sources",
	"nc-notifications",
	"notifications",
}

// features are those that are supported. Every implemented module that defines
// features has an entry, because one without would be taken to support all. Those
// of the protocol's modules are for packages ops, subscribe and push to know.
var features = sync.OnceValue(func() map[string][]string {
	all := maps.Clone(ownFeatures)
	maps.Copy(all, alarm.Features())
	maps.Copy(all, ops.Features())
	maps.Copy(all, subscribe.Features())
	maps.Copy(all, push.Features())
	return all
})

var ownFeatures = map[string][]string{
	// $5$ and $6$ are checked, $6$ is stored; MD5 is refused.
	"iana-crypt-hash": {"crypt-hash-sha-256", "crypt-hash-sha-512"},
	// Plain recurrences; no by-rules of iCalendar.
	"ietf-schedule": {"basic-recurrence-supported"},
	// Local users are who may log in; no RADIUS, NTP, time zone names or DNS ports.
	"ietf-system": {"authentication", "local-users"},
	// Each comes with the engine, or what else it is about.
	"incidentd-oam-tests": {
		"bfd-liveness",
		"birth-certificate",
		"ethernet-cfm",
		"maintenance-points",
		"service-activation",
		"stamp-reflector",
		"udp-echo-responder",
	},
}

// Schema returns the schema of the server, compiled once. The error would be one of
// the embedded modules.
var Schema = sync.OnceValues(func() (*yang.Schema, error) {
	s, err := yang.Compile(modules.FS, yang.Options{Implemented: implemented, Features: features()})
	if err != nil {
		return nil, err
	}
	hidePasswords(s)
	// It changes devices and runs programs, which not everybody who may log in is to bring
	// about. The module of the draft does not say so.
	s.RPC("ietf-incident", "incident-resolve").Deny = "all"
	return s, nil
})

// hidePasswords gives the hashes of passwords a default of access control that the module
// of RFC 7317 does not have: everybody who may read at all could try to guess what was
// hashed. A rule may permit them.
func hidePasswords(s *yang.Schema) {
	n := s.Root.Child(s.Module("ietf-system"), "system")
	for _, name := range []string{"authentication", "user", "password"} {
		n = n.ChildNamed(name)
	}
	n.Deny = "all"
}
