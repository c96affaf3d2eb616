package server

import (
	"incidentd/datastore"
	"incidentd/netconf/auth"
)

// localUsers is the identity of the password check against the list of users.
const localUsers = "ietf-system:local-users"

// users are those of ietf-system in running [RFC 7317 section 3.5], as they are at
// the moment of a login, and the authorities of incidentd-server. It is an auth.Source.
type users struct {
	store *datastore.Store
	gate  *gate
}

// Authorities are those whose certificates are accepted.
func (u users) Authorities() []auth.Authority { return u.gate.current.Load().authorities }

// User finds a user. A password counts only where user-authentication-order has
// local-users; keys always do.
func (u users) User(name string) (auth.User, bool) {
	authentication := u.store.Snapshot().Running.Descend("system", "authentication")
	entry := authentication.EntryNamed("user", name)
	if entry == nil {
		return auth.User{}, false
	}
	user := auth.User{Name: name}
	for method := range authentication.Entries("user-authentication-order") {
		if method.Value() == localUsers {
			user.Password = entry.Leaf("password")
		}
	}
	for k := range entry.Entries("authorized-key") {
		if key, err := publicKey(k); err == nil {
			user.Keys = append(user.Keys, key)
		}
	}
	return user, true
}
