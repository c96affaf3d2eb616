package correlate

import (
	"testing"

	"incidentd/incident/correlate/internal/simulation"
	"incidentd/incident/event"
)

func TestMeaning(t *testing.T) {
	for _, c := range []struct {
		name string
		want Class
	}{
		{"interface-down", LinkDown}, {"link-down", LinkDown}, {"ietf-if-alarms:link-down", LinkDown}, {"if-down", LinkDown}, {"ifDown", LinkDown}, {"linkDown", LinkDown},
		{"ETH_LINK_DOWN", LinkDown}, {"Interface xe-4/0/0 operational state changed to down", LinkDown},
		{"igp-down", Adjacency}, {"igp-peer-abnormal", Adjacency}, {"ospf-neighbor-down", Adjacency}, {"hwIsisAdjChange", Adjacency}, {"IS-IS adjacency to P on e0 lost", Adjacency},
		{"isis-alarms:authentication-failure", IGPAuth}, {"packet-loss", PacketLoss}, {"packet_loss", PacketLoss}, {"PKT_LOSS_EXC", PacketLoss},
		{"path-delay", PathDelay}, {"te-pm:path_delay", PathDelay}, {"TUNNEL_LOSS_EXC", PathLoss}, {"hwTunnelDown", TunnelDown}, {"hwTunnelInUseFrr", Reroute},
		{"bgp-alarms:peer-down", BGP}, {"bgp-alarms:prefix-threshold", Info}, {"BFD_DOWN", BFD}, {"R_LOS", LossOfSignal}, {"R_LOS_CLIENT", ClientLoss}, {"OCH_SSF", ServerFail},
		{"OCH_PS", Protection}, {"IN_PWR_LOW", OpticalPower}, {"Pre-FEC bit error ratio 3e-5 above 1e-5", OpticalQuality}, {"BOARD_FAIL", Card}, {"Line card in slot/0 failed", Card},
		{"POWER_AC_FAIL", Mains}, {"Mains supply lost, running on battery", Mains}, {"BATTERY_LOW", Battery}, {"DYING_GASP", Gasp}, {"CPU_OVERLOAD", CPU},
		{"Memory utilisation 94 % above 90 %", Memory}, {"Output utilisation 98 % above 90 %", Utilisation}, {"QOS_DROP", QueueDrop}, {"CRC_ERR_EXC", Errors},
		{"nms:node-unreachable", Unreachable}, {"nms:ce-unreachable", EdgeUnreachable}, {"Customer edge does not answer", EdgeUnreachable}, {"Managed node does not answer", Unreachable},
		{"sain:service-connectivity-lost", ServiceLost}, {"sain:service-degraded", ServiceDegraded}, {"CFG_COMMIT", Commit}, {"sys-trace:edit-config-error", ConfigError}, {"trace:span-error", Span},
		{"TASK_RESTART", Restart}, {"sync-alarms:clock-holdover", Sync}, {"sys-log:ntp-unsynchronised", Info}, {"Clock not synchronised", Info}, {"OPTICAL_MODULE_FAULT", Module},
		{"vc:0x1101", Other}, {"", Other}, {"blossom", Other},
	} {
		if got := meaning(c.name); got != c.want {
			t.Errorf("meaning(%q) = %v, want %v", c.name, got, c.want)
		}
	}
	for c := Other; c < classes; c++ {
		if got, ok := ParseClass(c.String()); !ok || got != c {
			t.Errorf("ParseClass(%q) = %v, %v", c, got, ok)
		}
	}
}

// TestVendorsWords has every vendor mean the same, by the id of a type or by its text.
func TestVendorsWords(t *testing.T) {
	n := 0
	simulation.Phrases(func(vendor, id, text, plain string) {
		got, want := meaning(id), meaning(plain)
		if got == Other {
			got = meaning(text)
		}
		if n++; got != want {
			t.Errorf("%s: %q, %q means %v, want %v", vendor, id, text, got, want)
		}
	})
	if n < 200 {
		t.Errorf("only %d phrases", n)
	}
	for name, want := range map[string]Class{
		"LINEPROTO-5-UPDOWN": LinkDown, "CLNS-5-ADJCHANGE": Adjacency, "OSPF-5-ADJCHG": Adjacency, "LDP-5-NBRCHG": LDP, "SYS-3-CPUHOG": CPU, "SYS-2-MALLOCFAIL": Memory,
		"OIR-6-REMCARD": Card, "jnxFruFailed": Card, "hwBoardFail": Card, "isisAuthenticationFailure": IGPAuth, "mplsTunnelDown": TunnelDown, "bgpBackwardTransition": BGP,
		"IN_PWR_ABN": OpticalPower, "MUT_LOS": LossOfSignal, "CLK_LOCK_FAIL": Sync, "device is not responding": Unreachable, "process bgpd crashed": Restart,
	} {
		if got := meaning(name); got != want {
			t.Errorf("meaning(%q) = %v, want %v", name, got, want)
		}
	}
}

func TestClassOf(t *testing.T) {
	e := New(Config{AlarmTypes: []AlarmType{{ID: "vc:0x2001", Description: "Interface ... operational state changed to down"}}})
	for _, c := range []struct {
		name string
		ev   event.Event
		want Class
	}{
		{"by the type", event.Event{AlarmTypeID: "los", Text: "BFD down"}, LossOfSignal},
		{"by the inventory", event.Event{AlarmTypeID: "vc:0x2001", Text: "BFD down"}, LinkDown},
		{"by the text", event.Event{AlarmTypeID: "vc:0x3001", Text: "BFD session went down"}, BFD},
		{"a log", event.Event{AlarmTypeID: "los", Kind: event.Log, Severity: event.Warning}, Info},
		{"a commit", event.Event{AlarmTypeID: "config-commit", Kind: event.Log, Severity: event.Indeterminate}, Commit},
	} {
		if got := e.classOf(e.typeOf(c.ev.AlarmTypeID, c.ev.AlarmTypeQualifier), &c.ev); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestKnowledge checks that every class that is no context leads somewhere, and that
// every cause has a name.
func TestKnowledge(t *testing.T) {
	k := DefaultKnowledge()
	seen := map[Class]bool{}
	keys := map[[3]uint8]bool{}
	for _, r := range k.Rules {
		seen[r.Class] = true
		key := [3]uint8{uint8(r.Class), uint8(r.Via), uint8(r.Cause)}
		if keys[key] {
			t.Errorf("two rules for %v %v %v", r.Class, r.Via, r.Cause)
		}
		keys[key] = true
		if r.ID == "" || r.Weight <= 0 || r.Cause >= causes {
			t.Errorf("bad rule %+v", r)
		}
	}
	for c := Other; c < classes; c++ {
		if !seen[c] && c != Commit && c != Info {
			t.Errorf("no rule for %v", c)
		}
	}
	for c := EdgeFailure; c < causes; c++ {
		if c.String() == "" || causeTexts[c].name == "" || causeTexts[c].category == "" {
			t.Errorf("cause %d has no name", c)
		}
	}
}

func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "eth0": "eth0", "slot/3": "slot/3", "odd]": "odd]", `a='b']`: "b",
		"/if:interfaces/if:interface[if:name='et-0/0/0']": "et-0/0/0", `/x[name="y z"]`: "y z", "/x[1]": "/x[1]", "']": "']",
	} {
		if got := plain(in); got != want {
			t.Errorf("plain(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestMentions(t *testing.T) {
	for _, c := range []struct {
		text, name string
		want       bool
	}{{" adjacency to P1 on e0 ", "P1", true}, {" adjacency to P12 ", "P1", false}, {" to P1. ", "P1", true}, {" aP1 P1 ", "P1", true}, {" x ", "", false}, {" 100GE0/0/1 ", "0/1", false}} {
		if got := mentions(c.text, c.name); got != c.want {
			t.Errorf("mentions(%q, %q) = %v", c.text, c.name, got)
		}
	}
}
