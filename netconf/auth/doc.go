// Package auth checks the passwords and keys of local users, who are those of
// ietf-system [RFC 7317 section 3.5]: passwords as crypt-hash, public keys as an
// algorithm and the SSH wire format. Its [Authenticator] is what the SSH server of
// package transport asks.
//
// # Concurrency
//
// Everything here may be used by any number of goroutines at once. Hashes are
// computed on at most half of the processors, at least one: who logs in waits for
// others who log in, not the rest of the server for them.
package auth
