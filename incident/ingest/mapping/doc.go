// Package mapping turns what sources receive, in the words of whoever sent it, into
// events. How is the configuration of incidentd-mapping.
package mapping
