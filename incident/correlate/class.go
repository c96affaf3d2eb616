package correlate

import (
	"slices"
	"strings"
	"unicode"

	"incidentd/incident/event"
)

// Class is what an alarm says, whatever its vendor calls it.
type Class uint8

// The classes. The first group comes from where the trouble is, the second from what
// rests on it, the third is context.
const (
	Other           Class = iota // a type that tells nothing
	LossOfSignal                 // no light or signal at a port
	ServerFail                   // a channel's server layer failed
	ClientLoss                   // no signal from the client equipment
	Protection                   // a channel switched to protection
	OpticalPower                 // received power out of range
	OpticalQuality               // OSNR or pre-FEC errors
	LinkDown                     // an interface went down
	Module                       // a pluggable module failed
	BFD                          // a BFD session went down
	Adjacency                    // an IGP adjacency was lost
	LDP                          // an LDP session went down
	IGPAuth                      // IGP authentication failed
	Card                         // a line card failed
	Mains                        // the mains supply failed
	Battery                      // the battery runs low
	Gasp                         // the last gasp before power is lost
	CPU                          // CPU overload
	Memory                       // memory overload
	Restart                      // a routing process restarted
	Errors                       // input errors
	PacketLoss                   // packets lost at an interface
	Utilisation                  // an interface is full
	QueueDrop                    // queues overflow
	Sync                         // loss of synchronisation
	ConfigError                  // a configuration was refused
	Span                         // a span of a trace failed
	Unreachable                  // a node does not answer
	EdgeUnreachable              // a customer's equipment does not answer
	BGP                          // a BGP session went down
	TunnelDown                   // a tunnel is down
	Reroute                      // a tunnel uses its bypass
	PathDelay                    // delay on a path
	PathLoss                     // loss on a path
	ServiceLost                  // a service has no connectivity
	ServiceDegraded              // a service is degraded
	Commit                       // a configuration was committed
	SlowTask                     // a process is slow
	Info                         // environment, licences and other things that cause no outage
	Supervision                  // a test that supervises something fails too often
	SupervisionLost              // nothing of it arrives
	classes
)

var classNames = [classes]string{"other", "loss-of-signal", "server-signal-fail", "client-loss", "protection-switched", "optical-power",
	"optical-quality", "link-down", "module-fault", "bfd-down", "adjacency-down", "ldp-down", "igp-authentication", "card-failure", "mains-failure",
	"battery-low", "last-gasp", "cpu-high", "memory-high", "process-restart", "input-errors", "packet-loss", "utilisation", "queue-drops",
	"synchronisation", "configuration-error", "span-error", "unreachable", "edge-unreachable", "bgp-down", "tunnel-down", "tunnel-rerouted",
	"path-delay", "path-loss", "service-lost", "service-degraded", "configuration-commit", "slow-task", "information",
	"supervision", "supervision-lost"}

// String returns the name of the class.
func (c Class) String() string { return classNames[c] }

// ParseClass returns the class of a name; false if there is none.
func ParseClass(s string) (Class, bool) {
	i := slices.Index(classNames[:], s)
	return Class(max(i, 0)), i >= 0
}

type classSet uint64

func set(cs ...Class) (s classSet) {
	for _, c := range cs {
		s |= 1 << c
	}
	return s
}

func (s classSet) has(c Class) bool { return s>>c&1 == 1 }

var (
	// soft classes look for the incident that brought down what they rest on before
	// they count as evidence themselves.
	softSet = set(TunnelDown, Reroute, PathDelay, PathLoss, ServiceLost, ServiceDegraded, BGP, Unreachable, EdgeUnreachable, Supervision, SupervisionLost)
	// effects are those soft classes that never are evidence in a solve.
	effectSet = set(TunnelDown, Reroute, PathDelay, PathLoss, ServiceLost, ServiceDegraded)
	// managed are sent by a management system, not by the node that they name.
	managedSet  = set(Unreachable, EdgeUnreachable, ServiceLost, ServiceDegraded, Span, Supervision, SupervisionLost)
	downSet     = set(LossOfSignal, LinkDown, BFD, Adjacency, LDP, Module)
	portDownSet = set(LinkDown, Module)
	// wireSet are those of a port that is down itself, not only a protocol over it.
	wireSet = set(LinkDown, Module, LossOfSignal, ServerFail)
	kpiSet  = set(CPU, Memory, OpticalPower, OpticalQuality, Errors, PacketLoss, Utilisation, QueueDrop, PathDelay, PathLoss, Supervision)
	// congestion follows an outage when its traffic moves elsewhere.
	congestionSet = set(Utilisation, QueueDrop, PacketLoss)
	powerSet      = set(Mains, Battery, Gasp)
	contextSet    = set(Commit, SlowTask, Info)
	// testSet are those of a test: their cause is the test's, at whatever it supervises.
	testSet = set(Supervision, SupervisionLost)
	// portSet are those whose place is a port, even if the reporter names only the node.
	portSet = set(LossOfSignal, LinkDown, BFD, Adjacency, LDP, Errors, PacketLoss, Utilisation, QueueDrop, PathDelay, PathLoss)
)

// words are phrases that must all stand in a name for the class to be meant.
type words struct {
	class Class
	all   []string
}

// vocabulary is tried in order; the first line whose phrases are all there decides.
var vocabulary = parseVocabulary(`
supervision-lost: oam total loss
supervision: oam threshold crossing
information: not synchronised | unsynchronised | login | licence | license | ntp | fan | temperature | temp high | wavelength drift | wl drift | prefix
edge-unreachable: ce unreachable | cpe unreachable | customer+unreachable | customer+not answer | customer+not respond
unreachable: unreachable | not answer | not reachable | not respond | not responding | no response | no answer | node down | device down | system down | device offline | node offline | lost contact | communication lost | snmp timeout | ping failed | heartbeat lost
client-loss: client+los | light+client | client+loss of signal
server-signal-fail: ssf | server signal fail | osf | och fail | otu ais | odu ais
protection-switched: protection switch | protection switched | switched to protection | och ps | aps
configuration-error: cfg error | edit config | config error | configuration error | commit failed | configuration failed
configuration-commit: commit | configuration changed | config changed
span-error: span
optical-power: rx power | pwr low | pwr abn | power low | optical power | light level | dbm
optical-quality: osnr | fec | ber | bit error | q factor
last-gasp: gasp
mains-failure: mains | ac fail | power outage | input power | utility power
battery-low: battery
card-failure: card+fail | card+failed | card failure | card+fault | card+offline | card+removed | card+reset | remcard | board fail | board failed | board failure | board+fault | board+offline | fru+fail | fru+failed | fru+failure | fru+offline | fpc+offline | fpc+failed | linecard | module removed
module-fault: transceiver | pluggable | optical module | optics+fault | optics+failed | optics+failure | sfp | qsfp | xfp | cfp | laser | tx fault | module fault
cpu-high: cpu | cpuhog | processor load
memory-high: memory | mem overload | mem high | mallocfail
slow-task: task slow | process slow | slow task
process-restart: restarted | respawned | task restart | process restart | process crash | process+crashed | daemon+crashed | process exited | process terminated | process abort | process+aborted | core dump | core file
synchronisation: holdover | free run | freerun | clock+loss | clock+lost | clock+fail | clock+unlocked | lock fail | timing+lost | timing+loss | reference lost | sync+lost | sync+loss | synce | ptp | frequency | grandmaster
igp-authentication: isis+authfail | isis+auth fail | isis+authfailure | ospf+authfail | ospf+authfailure | isis+auth | ospf+auth | igp+auth | is is+authentication | adjacency+authentication | isis+authentication | ospf+authentication | igp+authentication
bfd-down: bfd | bfdd
ldp-down: ldp
bgp-down: bgp
adjacency-down: isis | is is | ospf | igp | eigrp | adjacency | adjchange | adjchg | adjdown
tunnel-rerouted: frr | bypass | fast reroute | local repair | detour in use | backup tunnel in use | tunnel+protected
path-delay: delay | latency | jitter
path-loss: path loss | tunnel loss | loss+tunnel | lsp loss
packet-loss: packet loss | pkt loss | packets lost | frame loss
service-degraded: service+degraded | vpn+degraded
service-lost: connectivity lost | connectivity of service | service down | service lost | service unavailable | vpn down
tunnel-down: tunnel | lsp down | lsp updown | lsp+down | lsp+failed
queue-drops: queue drop | queue drops | qos drop | tail drop | tail drops | taildrop | drops | discards | buffer full
input-errors: crc | fcs | input error | input errors | error rate | symbol error | frame errors
utilisation: utilisation | utilization | port util | output util | congestion | bandwidth | traffic high | traffic surge | input rate | output rate | throughput
link-down: link down | linkdown | interface down | if down | ifdown | port down | lnk down | phy down | carrier | updown | state changed to down | changed state to down | state to down | state down | oper status down | operational status down | ifoperstatus down | not operational | protocol down | lineproto | link fail | link failed | link failure | link fault
loss-of-signal: los | loss of signal | lof | loss of frame | loss of light
adjacency-down: neighbor down | neighbour down | peer down | peer abnormal
`)

func parseVocabulary(text string) (out []words) {
	for line := range strings.Lines(strings.TrimSpace(text)) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		c, ok := ParseClass(name)
		if !ok {
			panic("correlate: no class " + name)
		}
		for alt := range strings.SplitSeq(rest, "|") {
			w := words{class: c}
			for p := range strings.SplitSeq(alt, "+") {
				w.all = append(w.all, " "+strings.TrimSpace(p)+" ")
			}
			out = append(out, w)
		}
	}
	return out
}

// normal writes a name as lower-case words between single spaces: hwIsisAdjChange and
// "IS-IS: adj-change" become " hw isis adj change " and " is is adj change ".
func normal(s string) string {
	b := make([]byte, 0, len(s)+8)
	b = append(b, ' ')
	var last rune
	for _, r := range s {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			if unicode.IsUpper(r) && unicode.IsLower(last) {
				b = append(b, ' ')
			}
			b = append(b, string(unicode.ToLower(r))...)
		case b[len(b)-1] != ' ':
			b = append(b, ' ')
		}
		last = r
	}
	if b[len(b)-1] != ' ' {
		b = append(b, ' ')
	}
	return string(b)
}

// meaning returns the class that the words of a name mean; Other if none.
func meaning(s string) Class {
	s = normal(s)
	for i := range vocabulary {
		w := &vocabulary[i]
		ok := true
		for _, p := range w.all {
			if !strings.Contains(s, p) {
				ok = false
				break
			}
		}
		if ok {
			return w.class
		}
	}
	return Other
}

// kindClass corrects a class by the kind of event: what is only logged is context.
func kindClass(c Class, ev *event.Event) Class {
	if ev.Kind == event.Log && c != Commit && c != SlowTask && ev.Severity <= event.Warning {
		return Info
	}
	return c
}
