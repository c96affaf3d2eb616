// Package app has the engines that ask applications for an answer: udp-echo, tcp-connect and
// http-request; and the far end of udp-echo.
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
