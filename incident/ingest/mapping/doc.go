// Package mapping turns what sources receive, in the words of whoever sent it, into
// events. How is the configuration of incidentd-mapping: rules in tables, the first of
// which that fits decides, and other names of nodes and resources. The files in tables are
// such configurations too, which come with the server.
//
// # Speed
//
// Of hundreds of rules few are tried. Each stands in an index by what it asks for that is
// rarest: an OID, a type of message, a text that its pattern cannot do without, an
// application. Such texts are found in one pass over the message, all at once. So the
// time for a message hardly grows with the number of rules. Patterns are those of RE2,
// whose time grows with the text alone, so no rule and no message can stop the others.
//
// # Nothing is lost
//
// A message that no rule fits is an event of the type unmapped, with application and type
// of message as qualifier, or of the type that the message names itself. What no leaf can
// hold, such as control characters, becomes the replacement character; what is too long is
// cut off.
//
// # Concurrency
//
// A Mapper never changes, and any number of goroutines may use it; only the counts of
// Hits do.
package mapping
