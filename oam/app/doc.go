// Package app has the engines that ask applications for an answer: udp-echo, tcp-connect,
// dns-query and http-request; and the far end of udp-echo.
//
// # What an answer is worth
//
// A response tells each kind of answer with its count, and those that were not wanted are
// losses: another status of HTTP or code of DNS, a certificate with a fault, and what came in
// place of an answer (refused, reset, closed, unreachable, timeout). REFUSED is what a name
// server says, refused what its host does.
//
// github.com/miekg/dns writes and reads messages of DNS, of all types of records; sockets are
// our own, because a question has a vantage point.
//
// # What a run costs
//
// An attempt is charged to the budget of its run when it begins, for all that it takes by
// itself. Acknowledgements of what the far end sends are the kernel's, and not charged.
//
// # Concurrency
//
// Each attempt has a goroutine, which ends within the attempt's timeout or when the run
// is stopped. A run has at most 256 at once; an attempt beyond that is counted as unsent.
package app
