// Package oam runs tests of the network: those of ietf-oam-unitary-test and the
// sequences of ietf-oam-test-sequence, with the types that incidentd-oam-tests gives
// them [draft-contreras-opsawg-scheduling-oam-tests-02].
//
// # Engines
//
// What a test does on the wire is for an Engine, one package each; New is handed those
// there are, by the name of the case of the choice test-type. An engine reads the
// parameters into a Test, which tells what a run would take, checks whether one can
// begin, and runs. A Budget holds it to what it told.
package oam
