// Package diagnose finds the causes of incidents by tests of the network: it answers
// incident-diagnose of ietf-incident and diagnose-plan of incidentd-diagnosis, and diagnoses
// incidents by itself where that is configured.
//
// # From an incident to its cause
//
// A Subject is what an incident has to say: where its events come from, what the correlator
// holds to be the cause, which services are hit. With the addresses of the network it
// becomes Targets (target.go). The playbook of a target (playbook.go) is a pure function
// from what was measured so far to the tests to run next; Localise (localise.go) is one
// from all that was measured to findings. A finding is at the node that owns the address
// that answered, or nowhere. Where the samples do not carry a verdict the finding says what
// they exclude.
//
// # What it may take
//
// All diagnoses together have a budget: a token bucket of packets and of octets. One is
// admitted when the bucket has what its plan may cost at most, which is set aside for it. Each
// packet is taken out of the bucket, and of what was set aside for its diagnosis; a test
// that wants more is stopped. So in no span of time is more sent than the burst and what has
// grown in it. Each test has its class of intrusiveness (intrusiveness.go): a diagnosis that the server
// begins has harmless ones alone, and none is ever disruptive.
//
// Self-diagnosis is off unless it is configured: a network gets no packets that nobody asked
// for.
//
// # What is kept
//
// A diagnosis stands in its incident: admitted, begun, and over, with its tests and
// findings, each a transaction; the last is announced as an update of the incident. One that was under
// way when the server ended is interrupted, and is not begun again. The reply to
// incident-diagnose is sent when the admission is on disk.
//
// # Concurrency
//
// A Manager's state is guarded by one mutex, which is not held while anything is stored or
// measured. Each diagnosis under way has a goroutine, and one for each of the tests that run
// beside each other. One more goroutine begins diagnoses of the server's own. Stop waits
// for all of them.
package diagnose
