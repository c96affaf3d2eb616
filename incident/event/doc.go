// Package event holds the event that the incident server reasons about: one
// observation of the network, whatever source reported it.
//
// Its file form is JSON Lines: one flat object a line, with the keys of the YANG
// module incidentd-events and, in addition, the time of arrival at the collector.
// [Parse] and [AppendJSON] convert one line, [Scanner] reads a file of them.
package event
