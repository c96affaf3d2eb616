package simulation

import "fmt"

// what is what an alarm says, whatever words a vendor has for it.
type what int

const (
	los what = iota
	serverFail
	clientLoss
	switched
	powerLow
	osnrLow
	fecHigh
	linkDown
	moduleFault
	bfdDown
	adjacencyLost
	authFailed
	ldpDown
	tunnelDown
	bypass
	bgpDown
	cardFailed
	mainsLost
	batteryLow
	lastGasp
	cpuHigh
	memoryHigh
	taskSlow
	utilised
	dropping
	inputErrors
	losing
	tunnelDelay
	tunnelLoss
	committed
	editFailed
	restarted
	clockLost
	fanOdd
	loginFailed
	warm
	ntpLost
	prefixes
	licence
	unreachable
	customerLost
	serviceLost
	serviceDegraded
	spanFailed
	whats
)

// phrase is how a vendor says it: the alarm type, its qualifier and the text, in which
// %r is the resource and %p the peer.
type phrase struct{ id, qualifier, text string }

// vendor is a make of devices.
type vendor struct {
	name    string
	slot    string
	port    func(slot, port int) string
	phrases [whats]phrase
}

func numbered(prefix string) func(int, int) string {
	return func(s, p int) string { return fmt.Sprintf("%s%d/0/%d", prefix, s, p) }
}

// neutral are the phrases of what no vendor below has words of its own for.
var neutral = [whats]phrase{
	los: {"line:loss-of-signal", "", "Loss of signal at %r"}, serverFail: {"client:server-signal-fail", "", "Server signal fail at %r"},
	clientLoss: {"client:client-los", "", "No signal from the client at %r"}, switched: {"client:protection-switch", "", "Protection switch at %r"},
	powerLow: {"line:rx-power-low", "", "Received power low at %r"}, osnrLow: {"client:osnr-low", "", "OSNR low at %r"}, fecHigh: {"client:pre-fec-ber", "", "Pre-FEC errors high at %r"},
	linkDown: {"if:link-down", "", "Interface %r is down"}, moduleFault: {"hw:transceiver-failure", "", "Transceiver of %r failed"},
	bfdDown: {"bfd:session-down", "", "BFD session on %r to %p is down"}, adjacencyLost: {"isis:adjacency-down", "", "IS-IS adjacency with %p on %r is down"},
	authFailed: {"isis:authentication-failure", "", "IS-IS authentication of %p failed on %r"}, ldpDown: {"ldp:session-down", "", "LDP session with %p on %r is down"},
	tunnelDown: {"te:tunnel-down", "", "Tunnel %r is down"}, bypass: {"te:bypass-in-use", "", "Tunnel %r uses its bypass"},
	bgpDown: {"bgp:peer-down", "", "BGP peer %p is down"}, cardFailed: {"hw:card-failure", "", "Card %r failed"},
	mainsLost: {"power:mains-failure", "", "Mains lost"}, batteryLow: {"power:battery-low", "", "Battery low"}, lastGasp: {"power:last-gasp", "", "Dying gasp"},
	cpuHigh: {"sys:cpu-high", "", "CPU above threshold"}, memoryHigh: {"sys:memory-high", "", "Memory above threshold"}, taskSlow: {"sys:slow-task", "", "Slow task"},
	utilised: {"if:utilisation-high", "", "Utilisation of %r above threshold"}, dropping: {"if:queue-drops", "", "Queue drops at %r above threshold"},
	inputErrors: {"if:input-errors", "", "Input errors at %r above threshold"}, losing: {"if:packet-loss", "", "Packet loss at %r above threshold"},
	tunnelDelay: {"te:path-delay", "", "Delay of tunnel %r above threshold"}, tunnelLoss: {"te:path-loss", "", "Loss of tunnel %r above threshold"},
	committed: {"sys:config-commit", "", "Configuration committed, section %r"}, editFailed: {"sys:edit-config-error", "", "edit-config failed: bad-element"},
	restarted: {"sys:process-restart", "", "Routing process restarted"}, clockLost: {"sync:clock-holdover", "", "Clock in holdover"},
	fanOdd: {"env:fan-speed", "", "Fan speed odd"}, loginFailed: {"sys:login-failure", "", "Login failed"}, warm: {"env:temperature-high", "", "Temperature high"},
	ntpLost: {"sys:ntp-unsynchronised", "", "NTP not synchronised"}, prefixes: {"bgp:prefix-limit-near", "", "Prefixes near the limit"}, licence: {"sys:licence-expires", "", "Licence expires soon"},
	unreachable: {"poller:node-unreachable", "", "Node does not answer"}, customerLost: {"poller:ce-unreachable", "", "Customer edge does not answer"},
	serviceLost: {"assurance:service-connectivity-lost", "", "Service %r has no connectivity"}, serviceDegraded: {"assurance:service-degraded", "", "Service %r is degraded"},
	spanFailed: {"trace:span-error", "", "Span in error"},
}

// speaking returns a vendor with words of its own.
func speaking(name, slot, port string, own map[what]phrase) *vendor {
	v := &vendor{name: name, slot: slot, port: numbered(port), phrases: neutral}
	for k, p := range own {
		v.phrases[k] = p
	}
	return v
}

var (
	common = speaking("system", "", "", nil)

	packetVendors = []*vendor{
		speaking("plain", "slot/%d", "eth", nil),
		speaking("mnemonic", "LC%d", "HuGE0/", map[what]phrase{
			linkDown: {"PKT_INFRA-LINK-3-UPDOWN", "", "Interface %r, changed state to Down"}, bfdDown: {"L2-BFD-6-SESSION_STATE_DOWN", "", "BFD session to neighbor %p on interface %r has gone down"},
			adjacencyLost: {"ROUTING-ISIS-4-ADJCHANGE", "", "Adjacency to %p (%r) (L2) Down, Interface state down"},
			authFailed:    {"ROUTING-ISIS-5-AUTH_FAILURE_DROP", "", "Dropped L2 LSP from %r due to authentication failure"},
			ldpDown:       {"ROUTING-LDP-5-NBR_CHANGE", "", "Neighbor %p:0, DOWN (Interface %r hello timer expired)"},
			tunnelDown:    {"ROUTING-MPLS_TE-5-LSP_UPDOWN", "", "tunnel %r (signalled-name) state changed to down"},
			bypass:        {"ROUTING-MPLS_TE-5-FRR_READYTABLE", "", "tunnel %r switched to fast reroute bypass"},
			bgpDown:       {"ROUTING-BGP-5-ADJCHANGE", "", "neighbor %p Down - BGP Notification sent, hold time expired"},
			cardFailed:    {"PLATFORM-SHELFMGR-3-NODE_FAILURE", "", "Card failure of %r, line card reset"},
			moduleFault:   {"L2-OPTICS-2-MODULE_FAULT", "", "Optics module of %r faulted"},
			mainsLost:     {"PLATFORM-PWR-2-INPUT_FAIL", "", "Power supply input power lost"}, lastGasp: {"PLATFORM-PWR-1-DYING_GASP", "", "dying gasp, shutting down"},
			restarted: {"OS-SYSMGR-3-ERROR", "", "process isis(1) crashed and restarted"}, cpuHigh: {"OS-WATCHDOG-4-CPU_HIGH", "", "CPU state high"},
			committed: {"MGBL-CONFIG-6-DB_COMMIT", "", "Configuration committed by user, section %r"}, inputErrors: {"L2-ETHERNET-4-CRC_EXCEEDED", "", "CRC errors on %r beyond threshold"},
			dropping: {"QOS-QOSRM-4-TAILDROP", "", "tail drops on egress queue of %r"}, utilised: {"PM-INTERFACE-4-OUTPUT_UTIL", "", "output bandwidth use of %r crossed its threshold"},
			losing: {"PM-INTERFACE-4-LOSS", "", "packet loss measured on %r"}, clockLost: {"PLATFORM-FSYNC-4-HOLDOVER", "", "frequency sync: clock went to holdover"},
		}),
		speaking("trapping", "FPC %d", "et-", map[what]phrase{
			linkDown: {"SNMP_TRAP_LINK_DOWN", "", "ifOperStatus down, ifName %r"}, bfdDown: {"BFDD_TRAP_STATE_DOWN", "", "local discriminator 17, session to %p over %r down"},
			adjacencyLost: {"RPD_ISIS_ADJDOWN", "", "IS-IS lost L2 adjacency to %p on %r, reason: Aged Out"},
			authFailed:    {"RPD_ISIS_AUTHFAIL", "", "IS-IS authentication failure from %p on %r"}, ldpDown: {"RPD_LDP_SESSIONDOWN", "", "LDP session %p is down, reason: connection expired, %r"},
			tunnelDown: {"RPD_MPLS_LSP_DOWN", "", "MPLS LSP %r down on primary"}, bypass: {"RPD_MPLS_PATH_FRR", "", "MPLS LSP %r local repair, fast reroute"},
			bgpDown:    {"RPD_BGP_NEIGHBOR_STATE_CHANGED", "", "BGP peer %p changed state from Established to Idle (event HoldTime)"},
			cardFailed: {"CHASSISD_FRU_OFFLINE_NOTICE", "", "Taking %r offline: card failed"}, moduleFault: {"CHASSISD_SFP_FAULT", "", "SFP of %r failed"},
			mainsLost: {"CHASSISD_PSU_INPUT_BAD", "", "PEM 0 no input power"}, batteryLow: {"SITE_BATTERY", "", "battery discharging below limit"},
			restarted: {"RPD_ABORT", "", "routing process abort, core dump written"}, committed: {"UI_COMMIT_COMPLETED", "", "commit complete, section %r"},
			cpuHigh: {"SYSTEM_CPU_THRESHOLD", "", "CPU 1 minute above threshold"}, utilised: {"IF_BANDWIDTH_THRESHOLD", "", "%r output bandwidth over threshold"},
			dropping: {"COS_QUEUE_DROPS", "", "queue drops on %r"}, inputErrors: {"IF_FRAMING_CRC", "", "%r CRC errors over threshold"}, losing: {"RPM_LOSS", "", "packet loss on %r"},
			clockLost: {"CLKSYNCD_HOLDOVER", "", "chassis clock in holdover"}, unreachable: neutral[unreachable],
		}),
		speaking("camel", "card-%d", "1/", map[what]phrase{
			linkDown: {"linkDown", "", "Interface %r is not operational"}, bfdDown: {"vRtrIfBfdSessionDown", "", "BFD session on %r to %p down"},
			adjacencyLost: {"vRtrIsisAdjacencyChange", "", "IS-IS adjacency with %p on %r: state down"}, authFailed: {"vRtrIsisAuthFail", "", "authentication failure on %r"},
			ldpDown: {"vRtrLdpSessionStateChange", "", "LDP session %p on %r down"}, tunnelDown: {"vRtrMplsLspDown", "", "LSP down %r"},
			bypass: {"vRtrMplsLspFrrActive", "", "%r rides its bypass"}, bgpDown: {"tBgpPeerBackwardTransition", "", "BGP peer %p moved from higher state to lower"},
			cardFailed: {"tmnxEqCardFailure", "", "%r: card failure"}, moduleFault: {"tmnxPortSfpFailure", "", "%r SFP failure"},
			mainsLost: {"tmnxEqPowerSupplyAcFail", "", "AC fail"}, cpuHigh: {"sysCpuMonitorOverload", "", "cpu overload"},
			restarted: {"tmnxRoutingTaskRestarted", "", "routing task restarted"}, committed: {"mdConfigChange", "", "config changed, section %r"},
			utilised: {"tmnxPortUtilizationHigh", "", "%r utilization high"}, clockLost: {"tmnxMdaSyncHoldover", "", "synchronous equipment timing in holdover"},
		}),
	}

	opticalVendors = []*vendor{
		speaking("transport", "shelf-%d", "x", nil),
		speaking("short", "shelf-%d", "x", map[what]phrase{
			los: {"LOS-P", "", "Loss Of Signal - Payload"}, serverFail: {"OCH-SSF", "", "OCh server signal failure"}, clientLoss: {"CLIENT-LOS", "", "client loss of signal"},
			switched: {"OCH-APS", "", "automatic protection switch"}, powerLow: {"OPR-LOW", "", "optical power low"}, osnrLow: {"OSNR-TH", "", "OSNR threshold"}, fecHigh: {"PREFEC-BER", "", "pre FEC BER threshold"},
			mainsLost: {"INPUT-POWER", "", "input power lost"},
		}),
		speaking("camelLight", "shelf-%d", "x", map[what]phrase{
			los: {"otsLossOfLight", "", "loss of light"}, serverFail: {"ochSignalFail", "", "OCh fail: server layer"}, clientLoss: {"clientLightMissing", "", "client LOS at %r"},
			switched: {"protectionSwitched", "", "channel protection switched"}, powerLow: {"rxPowerBelowLimit", "", "rx power below limit"}, fecHigh: {"fecLimit", "", "FEC limit"}, osnrLow: {"osnrLimit", "", "OSNR limit"},
		}),
	}
)

// Phrases calls f with all that vendors say: the id and the text, and the id that the
// vendor without words of its own has for it.
func Phrases(f func(vendor, id, text, plain string)) {
	for _, v := range append(append([]*vendor{}, packetVendors...), opticalVendors...) {
		for k := range whats {
			f(v.name, v.phrases[k].id, v.phrases[k].text, neutral[k].id)
		}
	}
}
