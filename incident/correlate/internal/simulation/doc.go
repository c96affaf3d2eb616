// Package simulation makes recorded networks for tests of the correlator: a network of
// several layers, what fails in it, the events that reach the collector, and the truth.
//
// It knows how networks fail and nothing of how they are judged: what rides on what is
// followed upward through the true network, devices speak in their vendors' words, and a
// channel loses, doubles, delays and misdates what they say. What the correlator is told
// of the network may be less than is true, see [Params].
//
// The same [Params] give the same recording. [Recording.Write] writes the files of a
// recorded network, and [Measure] tells how well incidents fit the truth.
package simulation
