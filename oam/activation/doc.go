// Package activation has the engine of service-activation: load in steps, as ITU-T Y.1564
// tests a new service, carried by packets of STAMP to a reflector at the far end.
//
// # Steps
//
// Each step is a session of its own, which the reflector counts from 0: what it has counted
// is what arrived, so that losses have a direction. Packets leave one by one at their times,
// not in bursts, which would fill queues that the service never sees. What this host cannot
// send in time is not sent later: the rate offered is then less, and the step says so; when
// that is less than 95 % of the rate that a step stands for, nothing passes. A step ends when all is answered or a second is over, so that queues are empty before the
// next one.
//
// Rates are those of Ethernet frames, with header and check sequence, without preamble and
// gap. The rate achieved is told by when the reflector got the first packet and the last.
// Thresholds are of the steps up to the committed rate; what is beyond is told by its step
// alone.
//
// # Harm
//
// A run loads the path on purpose, there and back. It does not begin unless
// /oam-service/limits/allow-load-tests is true, never for a diagnosis, and one at a time at a
// vantage point. A reflector that answers fewer packets per second than are sent looks like a
// path that loses them.
package activation
