package alarm

import (
	"strconv"

	"incidentd/yang"
	"incidentd/yang/data"
)

// x733 are the X.733 parameters of an alarm type [RFC 8632 section 7].
type x733 struct {
	eventType   string
	cause       uint32 // 0 for none
	causeString string
}

// x733Of reads an entry of x733-mapping.
func x733Of(n *data.Node) x733 {
	cause, _ := strconv.ParseUint(n.Leaf("probable-cause"), 10, 32)
	return x733{n.Leaf("event-type"), uint32(cause), n.Leaf("probable-cause-string")}
}

// into writes the parameters that there are.
func (x x733) into(b *data.Builder) {
	b.Text("event-type", x.eventType)
	if x.cause != 0 {
		b.Uint("probable-cause", uint64(x.cause))
	}
	b.Text("probable-cause-string", x.causeString)
}

// x733Of are the parameters of an alarm type: those of the configuration, or else those of
// the identity or of what it derives from.
func (r *rules) x733Of(schema *yang.Schema, k typeKey) x733 {
	if i := r.mapping.find(Key{TypeID: k.id, Qualifier: k.qualifier}, nil); i >= 0 {
		return r.mapped[i]
	}
	id := schema.Identity(k.id)
	if id == nil || id.Module.Name != "incidentd-alarm-types" {
		return x733{}
	}
	c := probableCauses[id.Name]
	x := x733{cause: c, causeString: causeNames[c]}
	for _, base := range id.Bases {
		x.eventType = eventTypes[base.Name]
	}
	return x
}

// eventTypes are the event types of the groups of incidentd-alarm-types.
var eventTypes = map[string]string{
	"communications":     "communications-alarm",
	"quality-of-service": "quality-of-service-alarm",
	"equipment":          "equipment-alarm",
	"environment":        "environmental-alarm",
	"processing":         "processing-error-alarm",
	"service":            "quality-of-service-alarm",
	"management":         "processing-error-alarm",
}

// probableCauses are those of the types of incidentd-alarm-types, as X.721 numbers them.
var probableCauses = map[string]uint32{
	"link-down": 6, "loss-of-signal": 29, "server-signal-fail": 56, "igp-down": 5, "igp-peer-abnormal": 5,
	"igp-adjacency-down": 5, "bfd-session-down": 5, "bgp-peer-down": 5, "ldp-session-down": 5, "tunnel-down": 6,
	"packet-loss": 34, "path-delay": 44, "interface-errors": 13, "queue-drops": 39, "utilisation-high": 43,
	"transceiver-fault": 15, "line-card-failure": 15, "process-restart": 47,
	"power-failure": 35, "battery-low": 35, "temperature-high": 50, "cpu-high": 10, "memory-high": 32,
	"service-connectivity-lost": 6, "service-degraded": 34, "node-unreachable": 42, "configuration-changed": 7,
}

// causeNames are the names of X.721.
var causeNames = map[uint32]string{
	5: "communicationsProtocolError", 6: "communicationsSubsystemFailure", 7: "configurationOrCustomizationError",
	10: "cpuCyclesLimitExceeded", 13: "degradedSignal", 15: "equipmentMalfunction", 29: "lossOfSignal", 32: "outOfMemory",
	34: "performanceDegraded", 35: "powerProblem", 39: "queueSizeExceeded", 42: "remoteNodeTransmissionError",
	43: "resourceAtOrNearingCapacity", 44: "responseTimeExcessive", 47: "softwareProgramAbnormallyTerminated",
	50: "temperatureUnacceptable", 56: "underlyingResourceUnavailable",
}
