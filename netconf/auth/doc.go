// Package auth checks the passwords and keys of local users, who are those of
// ietf-system [RFC 7317 section 3.5]: passwords as crypt-hash, public keys as an
// algorithm and the SSH wire format. Its [Authenticator] is what the SSH server of
// package transport asks.
//
// # Certificates
//
// A certificate of OpenSSH that a trusted [Authority] has signed logs in the user whom
// its first principal names; the other principals are groups, for access control to
// use. With ssh-keygen that is -n USER,GROUP,GROUP. OpenSSH itself takes every principal
// for a user that the holder may be; here only the first one is, so that who is put into
// a group "noc" cannot log in as a user "noc". What a certificate leaves open is
// refused: one without principals, or with critical options other than source-address
// (force-command among them, as there is no command to force). Validity and revocation
// are looked at when somebody logs in; sessions that are there go on.
//
// # Concurrency
//
// Everything here may be used by any number of goroutines at once. Hashes are
// computed on at most half of the processors, at least one: who logs in waits for
// others who log in, not the rest of the server for them.
package auth
