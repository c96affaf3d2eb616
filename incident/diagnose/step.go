package diagnose

import (
	"net/netip"
	"strconv"
	"time"

	"incidentd/oam"
	"incidentd/yang"
	"incidentd/yang/data"
)

// Step is a test of a diagnosis.
type Step struct {
	// Type is the case of test-type in incidentd-oam-tests.
	Type string
	// Target is an address or a name; "": the hops of the path, in a plan.
	Target  string
	Node    string // of the target; "" when that is not known
	Vantage string
	Purpose string
	// Condition is when it is run, in a plan; "": in any case.
	Condition string

	role   role
	hop    int         // of the path, from 1
	leafs  [][2]string // the other parameters
	params *data.Node  // those of a configured test, in place of Target and leafs
	most   Cost        // of all that a step of a plan stands for; zero: that of one
}

// role is the part that a step has in its playbook.
type role int

const (
	reach     role = iota // does the target answer, and how
	way                   // the path to it
	hops                  // the loss and delay of each hop
	size                  // the path MTU
	sizeOfHop             // does a large packet reach the hop
	port                  // does a port of the target take connections
	service               // a configured test of the service
	facing                // does an address of the node, or beside it, answer
)

// Parameters are the container of the case of the step's type; tests is the list
// oam-unitary-test.
func (s *Step) Parameters(tests *yang.Node) *data.Node {
	if s.params != nil {
		return s.params
	}
	b := data.Build(tests.ChildNamed(s.Type)).Leaf("target", s.Target).Text("vantage-point", s.Vantage)
	for _, l := range s.leafs {
		b.Leaf(l[0], l[1])
	}
	return b.Node()
}

// attempts is how many packets, connections, questions or requests the step makes.
func (s *Step) attempts() int {
	text := ""
	for _, l := range s.leafs {
		if l[0] == "number-of-packets" {
			text = l[1]
		}
	}
	if s.params != nil {
		text = oam.Params{Node: s.params}.String("number-of-packets")
	}
	n, _ := strconv.Atoi(text) // the schema has checked it
	return n
}

// Measured is a step that was run.
type Measured struct {
	Step
	Class Intrusiveness
	Run   oam.Run
	Spent oam.Spent
}

// found is what a step has found, nil when it could not be carried out.
func (m *Measured) found() *oam.Measurement {
	if m.Run.Outcome != oam.Finished {
		return nil
	}
	return m.Run.Found
}

// Sizes of packets of IPv4, with their headers.
const (
	echoSize  = 84 // of the first echo: 56 octets of payload
	smallSize = 40 // of the echo of hops
)

// train are the parameters of a train of probes.
func train(packets int, interval, timeout time.Duration) [][2]string {
	return [][2]string{
		{"number-of-packets", strconv.Itoa(packets)},
		{"interval", strconv.FormatInt(interval.Microseconds(), 10)},
		{"session-timeout", strconv.FormatInt(timeout.Milliseconds(), 10)},
	}
}

// echo is an echo of a train, of packets with so many octets of payload.
func echo(r role, to netip.Addr, packets int, interval time.Duration, payload int) Step {
	return Step{Type: "icmp-echo", Target: to.String(), role: r,
		leafs: append(train(packets, interval, time.Second), [2]string{"packet-size", strconv.Itoa(payload)})}
}
