package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/term"

	"incidentd/cmd/internal/server"
	"incidentd/netconf/auth"
)

var initCommand = command{
	name:    "init",
	summary: "make the data directory of a new server",
	text: `
Makes a data directory with the server's host key and its first user, who may log
in with a password, with SSH keys, or both:

  incidentd init --data DIR --authorized-key ~/.ssh/id_ed25519.pub
  incidentd init --data DIR --password-stdin < FILE

The password is one line; on a terminal it is asked for. It is stored as a hash.
More users are added with 'incidentd user add', or over NETCONF in ietf-system. If init fails, nothing is left
behind, and it can be run again.`,
	define: func(f *flag.FlagSet) func(context.Context, *app) error {
		dir := dataFlag(f)
		admin := f.String("admin", "admin", "the `NAME` of the first user; admin if left out")
		keys := f.String("authorized-key", "", "a `FILE` of public keys, such as ~/.ssh/id_ed25519.pub")
		password := f.Bool("password-stdin", false, "read the password from standard input")
		return func(_ context.Context, a *app) error {
			if err := required("init", "data", dir); err != nil {
				return err
			}
			if !*password && *keys == "" {
				return misuse("init", "the first user needs --password-stdin, --authorized-key FILE, or both")
			}
			return a.init(*dir, *admin, *keys, *password)
		}
	},
}

func (a *app) init(dir, name, keyFile string, password bool) error {
	admin := server.Admin{Name: name}
	var err error
	if keyFile != "" {
		if admin.Keys, err = readKeys(keyFile); err != nil {
			return err
		}
	}
	if password {
		if admin.Password, err = a.readPassword(name); err != nil {
			return err
		}
	}
	key, err := server.Init(dir, admin)
	if err != nil {
		return explain(err, dir)
	}
	_, err = fmt.Fprintf(a.stdout, "%s is ready; %s may log in.\nhost key: %s\nnext: incidentd serve --data %s\n", dir, name, ssh.FingerprintSHA256(key), dir)
	return err
}

func readKeys(file string) ([]auth.Key, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	keys, err := auth.ParseAuthorizedKeys(text)
	switch {
	case errors.Is(err, auth.ErrKey) && strings.Contains(string(text), "PRIVATE KEY"):
		return nil, fmt.Errorf("%s is a private key; give the public one, which is usually %s.pub", file, file)
	case err != nil:
		return nil, fmt.Errorf("%s: %w; it must be like an authorized_keys file of OpenSSH", file, err)
	case len(keys) == 0:
		return nil, fmt.Errorf("%s holds no key", file)
	}
	return keys, nil
}

// readPassword reads one line, without echo and twice where somebody types.
func (a *app) readPassword(user string) (string, error) {
	if f, ok := a.stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		var typed [2]string
		for i, prompt := range []string{"Password of " + user + ": ", "Once more: "} {
			fmt.Fprint(a.stderr, prompt)
			b, err := term.ReadPassword(int(f.Fd()))
			fmt.Fprintln(a.stderr)
			if err != nil {
				return "", fmt.Errorf("password: %w", err)
			}
			typed[i] = string(b)
		}
		if typed[0] != typed[1] {
			return "", errors.New("the two passwords differ; run init again")
		}
		return typed[0], checkPassword(typed[0])
	}
	// Longer than any password that is accepted.
	line, err := bufio.NewReader(io.LimitReader(a.stdin, 64<<10)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("password: %w", err)
	}
	password := strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
	return password, checkPassword(password)
}

func checkPassword(password string) error {
	if err := auth.CheckPassword(password); err != nil {
		return fmt.Errorf("the first line of standard input is %w", err)
	}
	return nil
}
