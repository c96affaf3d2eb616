package server

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/ssh"

	"incidentd/datastore"
	"incidentd/netconf/auth"
	"incidentd/yang"
	"incidentd/yang/data"
)

// adminGroup is the group of access control whose members may do everything.
const adminGroup = "admin"

// NewUser is a user to be added, or what a user is to get.
type NewUser struct {
	Name   string     `json:"name"`
	Hash   string     `json:"hash,omitempty"` // crypt-hash of the password
	Keys   []auth.Key `json:"keys,omitempty"`
	Groups []string   `json:"groups,omitempty"` // of access control
	// Update gives all that to a user who is there.
	Update bool `json:"update,omitempty"`
}

// User is a user as the configuration has it.
type User struct {
	Name     string    `json:"name"`
	Password bool      `json:"password"` // whether there is one
	Keys     []UserKey `json:"keys"`
	Groups   []string  `json:"groups"`
}

// UserKey is an authorized key.
type UserKey struct {
	Name        string `json:"name"`
	Algorithm   string `json:"algorithm"`
	Fingerprint string `json:"fingerprint"`
}

// toRemove names a user to be removed.
type toRemove struct {
	Name  string `json:"name"`
	Force bool   `json:"force"`
}

// AddUser adds a user in a data directory, whether a server runs on it or not.
func AddUser(path string, u NewUser) (User, error) { return onStore[User](path, "user-add", u) }

// RemoveUser removes a user and takes the user out of all groups. It refuses to remove
// the last one of the group admin, or the last one of all, unless force is set.
func RemoveUser(path, name string, force bool) (User, error) {
	return onStore[User](path, "user-remove", toRemove{name, force})
}

// ListUsers returns the users by name.
func ListUsers(path string) ([]User, error) { return onStore[[]User](path, "user-list", struct{}{}) }

// CheckUserName says what is wrong with a user's name.
func CheckUserName(name string) error {
	switch {
	case name == "":
		return errors.New("the name of the user is empty")
	case len(name) > 64 || !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) }):
		return fmt.Errorf("the name %.80q cannot be used: up to 64 bytes, no spaces, no control characters", name)
	}
	return nil
}

// addUser is the local command user-add.
func addUser(ctx context.Context, s *store, u NewUser) (User, error) {
	if err := CheckUserName(u.Name); err != nil {
		return User{}, err
	}
	err := s.data.Update(ctx, func(tx *datastore.Tx) error {
		running := tx.Running()
		entry := userEntry(running, u.Name)
		switch {
		case entry != nil && !u.Update:
			return fmt.Errorf("there is a user %s already; --update gives that user the keys and groups in addition, and the password instead of the old one", u.Name)
		case entry == nil && u.Update:
			return unknownUser(running, u.Name)
		case entry == nil && u.Hash == "" && len(u.Keys) == 0:
			return fmt.Errorf("%s would have neither a password nor a key", u.Name)
		}
		tx.By(byLocal("user add " + u.Name))
		b := data.Build(running.Schema())
		a := b.Container("system").Container("authentication")
		if running.Descend("system", "authentication").Empty() {
			a.Leaf("user-authentication-order", localUsers)
		}
		buildUser(a, entry, u.Name, u.Hash, u.Keys)
		if len(u.Groups) > 0 {
			groups := b.Container("nacm").Container("groups")
			for _, g := range u.Groups {
				groups.Entry("group", g).Leaf("user-name", u.Name)
			}
		}
		next, err := data.Apply(running, b.Node(), data.MergeOp)
		if err != nil {
			return err
		}
		tx.SetRunning(next)
		return nil
	})
	if err != nil {
		return User{}, err
	}
	running := s.data.Snapshot().Running
	return describeUser(running, userEntry(running, u.Name)), nil
}

// buildUser adds a user's entry to the container authentication. have is the entry that
// is there, or nil: names of keys are found that it does not use, and keys left out that
// it has.
func buildUser(b *data.Builder, have *data.Node, name, hash string, keys []auth.Key) {
	user := b.Entry("user", name).Text("password", hash)
	names, there := map[string]bool{}, map[string]bool{}
	for k := range have.Entries("authorized-key") {
		names[k.Leaf("name")], there[k.Leaf("key-data")] = true, true
	}
	for _, k := range keys {
		text := base64.StdEncoding.EncodeToString(k.Data)
		if there[text] {
			continue
		}
		name := k.Name
		for i := 1; name == "" || names[name] || !utf8.ValidString(name); i++ {
			name = "key-" + strconv.Itoa(i)
		}
		names[name], there[text] = true, true
		user.Entry("authorized-key", name).Leaf("algorithm", k.Algorithm).Leaf("key-data", text)
	}
}

// removeUser is the local command user-remove.
func removeUser(ctx context.Context, s *store, r toRemove) (u User, err error) {
	err = s.data.Update(ctx, func(tx *datastore.Tx) error {
		running := tx.Running()
		entry := userEntry(running, r.Name)
		if entry == nil {
			return unknownUser(running, r.Name)
		}
		u = describeUser(running, entry)
		next := running.With(without(running.Child("system"), entry, "authentication"))
		for _, g := range u.Groups {
			nacm := next.Child("nacm")
			group := nacm.Child("groups").EntryNamed("group", g)
			member := group.EntryNamed("user-name", r.Name)
			next = next.With(nacm.With(nacm.Child("groups").With(group.Without(member.Schema(), member.Key()))))
		}
		if !r.Force {
			if slices.Contains(u.Groups, adminGroup) && !hasAdmin(next) {
				return fmt.Errorf("%s is the last user of the group %s, and nobody could change the rules of access any more; add another one with --group %s first, or remove this one with --force", r.Name, adminGroup, adminGroup)
			}
			if next.Descend("system", "authentication").Count(entry.Schema()) == 0 {
				return fmt.Errorf("%s is the last user, and nobody could log in any more; add another one first, or remove this one with --force", r.Name)
			}
		}
		tx.By(byLocal("user remove " + r.Name))
		tx.SetRunning(next)
		return nil
	})
	return u, err
}

// without is a container without an entry below the containers on the way.
func without(n, entry *data.Node, way ...string) *data.Node {
	if len(way) == 0 {
		return n.Without(entry.Schema(), entry.Key())
	}
	return n.With(without(n.Child(way[0]), entry, way[1:]...))
}

// hasAdmin reports whether a user of the configuration is in the group admin.
func hasAdmin(running *data.Node) bool {
	for u := range running.Descend("system", "authentication").Entries("user") {
		if slices.Contains(groupsOf(running, u.Leaf("name")), adminGroup) {
			return true
		}
	}
	return false
}

// listUsers is the local command user-list.
func listUsers(_ context.Context, s *store, _ struct{}) ([]User, error) {
	running := s.data.Snapshot().Running
	list := []User{}
	for u := range running.Descend("system", "authentication").Entries("user") {
		list = append(list, describeUser(running, u))
	}
	slices.SortFunc(list, func(a, b User) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}

func userEntry(running *data.Node, name string) *data.Node {
	return running.Descend("system", "authentication").EntryNamed("user", name)
}

func unknownUser(running *data.Node, name string) error {
	var names []string
	for u := range running.Descend("system", "authentication").Entries("user") {
		names = append(names, u.Leaf("name"))
	}
	if len(names) == 0 {
		return fmt.Errorf("there is no user %.80q, nor any other", name)
	}
	const most = 10
	more := ""
	if len(names) > most {
		names, more = names[:most], " and others"
	}
	return fmt.Errorf("there is no user %.80q; there are %s%s", name, strings.Join(names, ", "), more)
}

func describeUser(running, entry *data.Node) User {
	u := User{Name: entry.Leaf("name"), Password: entry.Leaf("password") != "", Keys: []UserKey{}, Groups: groupsOf(running, entry.Leaf("name"))}
	for k := range entry.Entries("authorized-key") {
		fingerprint := "not usable"
		if key, err := publicKey(k); err == nil {
			fingerprint = ssh.FingerprintSHA256(key)
		}
		u.Keys = append(u.Keys, UserKey{k.Leaf("name"), k.Leaf("algorithm"), fingerprint})
	}
	return u
}

// groupsOf are the groups of access control that list a user.
func groupsOf(running *data.Node, name string) []string {
	groups := []string{}
	for g := range running.Descend("nacm", "groups").Entries("group") {
		if slices.Contains(g.Values("user-name"), name) {
			groups = append(groups, g.Leaf("name"))
		}
	}
	return groups
}

// adminConfig is the first configuration.
func adminConfig(schema *yang.Schema, admin Admin) (*data.Node, error) {
	hash := ""
	if admin.Password != "" {
		var err error
		if hash, err = auth.HashPassword(admin.Password); err != nil {
			return nil, err
		}
	}
	b := data.Build(schema.Root)
	a := b.Container("system").Container("authentication")
	a.Leaf("user-authentication-order", localUsers)
	buildUser(a, nil, admin.Name, hash, admin.Keys)
	return b.Add(accessConfig(schema, admin.Name)).Node(), nil
}
