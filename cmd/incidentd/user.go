package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"strings"
	"text/tabwriter"

	"incidentd/cmd/internal/server"
	"incidentd/netconf/auth"
)

var userAddCommand = command{
	name:     "user add",
	argument: "NAME",
	summary:  "let a user log in",
	text: `
Adds a user to the configuration, with a password, SSH keys, or both:

  incidentd user add NAME --data DIR --authorized-key ~/.ssh/id_ed25519.pub --group admin

The server may run meanwhile; the user can log in at once. The password is one line;
on a terminal it is asked for. It is stored as a hash.`,
	define: func(f *flag.FlagSet) func(context.Context, *app) error {
		dir := dataFlag(f)
		var keys, groups words
		f.Var(&keys, "authorized-key", "a `FILE` of public keys, such as ~/.ssh/id_ed25519.pub; may be repeated")
		f.Var(&groups, "group", "the `NAME` of a group of access control; may be repeated")
		password := f.Bool("password-stdin", false, "read the password from standard input")
		update := f.Bool("update", false, "the user is there: add keys and groups, replace the password")
		return func(_ context.Context, a *app) error {
			if err := required("user add", "data", dir); err != nil {
				return err
			}
			switch {
			case *update && !*password && len(keys)+len(groups) == 0:
				return misuse("user add", "there is nothing to update: --password-stdin, --authorized-key FILE or --group NAME is missing")
			case !*update && !*password && len(keys) == 0:
				return misuse("user add", "the user needs --password-stdin, --authorized-key FILE, or both")
			}
			return a.addUser(*dir, server.NewUser{Name: a.argument, Groups: groups, Update: *update}, keys, *password)
		}
	},
}

func (a *app) addUser(dir string, u server.NewUser, keyFiles []string, password bool) error {
	if err := server.CheckUserName(u.Name); err != nil {
		return err
	}
	for _, file := range keyFiles {
		keys, err := readKeys(file)
		if err != nil {
			return err
		}
		u.Keys = append(u.Keys, keys...)
	}
	if password {
		clear, err := a.readPassword(u.Name)
		if err != nil {
			return err
		}
		if u.Hash, err = auth.HashPassword(clear); err != nil {
			return err
		}
	}
	now, err := server.AddUser(dir, u)
	if err != nil {
		return explain(err, dir)
	}
	if _, err := fmt.Fprintf(a.stdout, "%s may log in with %s%s.\n", now.Name, credentials(now), inGroups(now)); err != nil || len(u.Groups) == 0 {
		return err
	}
	access, err := server.ShowAccess(dir)
	if err != nil {
		return explain(err, dir)
	}
	for _, g := range u.Groups {
		if access.GrantsNothing(g) {
			fmt.Fprintf(a.stderr, "incidentd: no rule-list is for the group %s, which gives no rights until one is; 'incidentd nacm show' shows those there are\n", g)
		}
	}
	return nil
}

var userRemoveCommand = command{
	name:     "user remove",
	argument: "NAME",
	summary:  "take the right to log in from a user",
	text: `
Removes a user from the configuration and from all groups of access control. The
server may run meanwhile. Sessions that the user has go on until they end, or until
somebody ends them with kill-session.`,
	define: func(f *flag.FlagSet) func(context.Context, *app) error {
		dir := dataFlag(f)
		force := f.Bool("force", false, "remove even the last user who may administrate, or log in at all")
		return func(_ context.Context, a *app) error {
			if err := required("user remove", "data", dir); err != nil {
				return err
			}
			was, err := server.RemoveUser(*dir, a.argument, *force)
			if err != nil {
				return explain(err, *dir)
			}
			_, err = fmt.Fprintf(a.stdout, "%s is removed, who had %s%s.\n", was.Name, credentials(was), inGroups(was))
			return err
		}
	},
}

var userListCommand = command{
	name:    "user list",
	summary: "show who may log in",
	text: `
Lists the users of the configuration with their keys and groups. The server may run
meanwhile. Those who come with certificates of a trusted authority are not listed.`,
	define: func(f *flag.FlagSet) func(context.Context, *app) error {
		dir := dataFlag(f)
		asJSON := f.Bool("json", false, "print JSON, one object a line")
		return func(_ context.Context, a *app) error {
			if err := required("user list", "data", dir); err != nil {
				return err
			}
			list, err := server.ListUsers(*dir)
			if err != nil {
				return explain(err, *dir)
			}
			if *asJSON {
				e := json.NewEncoder(a.stdout)
				for _, u := range list {
					if err := e.Encode(u); err != nil {
						return err
					}
				}
				return nil
			}
			return a.tableOfUsers(list)
		}
	},
}

func (a *app) tableOfUsers(list []server.User) error {
	t := tabwriter.NewWriter(a.stdout, 0, 0, 3, ' ', 0)
	fmt.Fprint(t, "NAME\tPASSWORD\tGROUPS\tKEYS\n")
	for _, u := range list {
		password, groups := "no", "-"
		if u.Password {
			password = "yes"
		}
		if len(u.Groups) > 0 {
			groups = strings.Join(u.Groups, ", ")
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t", u.Name, password, groups)
		if len(u.Keys) == 0 {
			fmt.Fprint(t, "-\n")
		}
		for i, k := range u.Keys {
			if i > 0 {
				fmt.Fprint(t, "\t\t\t")
			}
			fmt.Fprintf(t, "%s %s (%s)\n", strings.TrimPrefix(k.Algorithm, "ssh-"), k.Fingerprint, k.Name)
		}
	}
	return t.Flush()
}

// credentials says what a user can log in with.
func credentials(u server.User) string {
	switch {
	case u.Password && len(u.Keys) > 0:
		return "a password and " + count(len(u.Keys), "key")
	case u.Password:
		return "a password"
	}
	return count(len(u.Keys), "key")
}

func inGroups(u server.User) string {
	switch len(u.Groups) {
	case 0:
		return ""
	case 1:
		return ", in the group " + u.Groups[0]
	}
	return ", in the groups " + strings.Join(u.Groups, ", ")
}

// words is a flag that may be repeated.
type words []string

// String implements flag.Value.
func (w *words) String() string { return strings.Join(*w, " ") }

// Set implements flag.Value.
func (w *words) Set(text string) error {
	*w = append(*w, text)
	return nil
}
