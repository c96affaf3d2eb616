package diagnose

import "incidentd/oam"

// Intrusiveness is what a test may do to the services of the network.
type Intrusiveness int

// The classes, the gentlest first.
const (
	Harmless Intrusiveness = iota
	Perceptible
	Disruptive
)

// String is the enum of incidentd-diagnosis.
func (i Intrusiveness) String() string {
	return [...]string{"harmless", "perceptible", "disruptive"}[i]
}

// fewConnections are as many as cannot hurt.
const fewConnections = 3

// intrusivenessOf is the class of a test: that of its engine, and of what it sends. mostBits
// is the rate that a diagnosis may send. A type that is not known here may do anything.
func intrusivenessOf(s *Step, d oam.Demand, mostBits float64) Intrusiveness {
	class := Disruptive
	switch s.Type {
	case "icmp-echo", "path-discovery", "udp-echo", "stamp", "cfm-loopback", "cfm-linktrace":
		class = Harmless
		if d.BitRate > mostBits {
			class = Perceptible
		}
	case "path-mtu": // a packet a time, each after the answer to the last
		class = Harmless
	case "tcp-connect", "dns-query":
		class = Perceptible
		if s.attempts() <= fewConnections {
			class = Harmless
		}
	case "http-request":
		class = Perceptible
		if s.attempts() <= fewConnections && s.params.Leaf("method") == "HEAD" {
			class = Harmless
		}
	}
	if d.Load {
		class = Disruptive
	}
	return class
}
