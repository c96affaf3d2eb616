package server

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/ssh"

	"incidentd/datastore"
	"incidentd/netconf/auth"
	"incidentd/netconf/transport"
	"incidentd/yang"
	"incidentd/yang/data"
)

// Admin is the first user of a server. At least one of Password and Keys must be
// given.
type Admin struct {
	Name string
	// Password is in clear text; it is stored as a $6$ hash.
	Password string
	Keys     []auth.Key
}

// Check says what is wrong with an Admin.
func (a *Admin) Check() error {
	switch {
	case a.Name == "":
		return errors.New("the name of the administrator is empty")
	case len(a.Name) > 64 || !utf8.ValidString(a.Name) || strings.ContainsFunc(a.Name, func(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) }):
		return fmt.Errorf("the name %.80q cannot be used: up to 64 bytes, no spaces, no control characters", a.Name)
	case a.Password == "" && len(a.Keys) == 0:
		return errors.New("the administrator has neither a password nor a key")
	}
	if a.Password != "" {
		return auth.CheckPassword(a.Password)
	}
	return nil
}

// Init makes a data directory: host key and store, with the administrator in
// running. It returns the host key. A directory that is initialised is
// ErrInitialised; one that holds anything else is ErrNotEmpty. When Init fails or
// is killed, the directory is not initialised and Init can be called again; a
// host key that is there is kept.
func Init(path string, admin Admin) (ssh.PublicKey, error) {
	if err := admin.Check(); err != nil {
		return nil, err
	}
	d, made, err := prepareDirectory(path)
	if err != nil {
		return nil, err
	}
	key, err := d.init(admin)
	if err != nil {
		d.undo(made)
		return nil, err
	}
	return key, d.close()
}

func (d *directory) init(admin Admin) (_ ssh.PublicKey, err error) {
	work, err := d.work()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	freshKey := false
	if _, err := os.Lstat(d.file(hostKeyFile)); errors.Is(err, fs.ErrNotExist) {
		pem, err := transport.GenerateHostKey()
		if err != nil {
			return nil, err
		}
		if err := writeSecret(filepath.Join(work, hostKeyFile), pem); err != nil {
			return nil, err
		}
		if err := d.install(work, hostKeyFile); err != nil {
			return nil, err
		}
		freshKey = true
	}
	key, err := d.loadHostKey()
	if err == nil {
		err = makeStore(filepath.Join(work, storeFile), admin)
	}
	if err == nil {
		// Last: from now on the directory is initialised.
		err = d.install(work, storeFile)
	}
	if err != nil {
		if freshKey {
			os.Remove(d.file(hostKeyFile))
		}
		return nil, err
	}
	return key.PublicKey(), nil
}

// makeStore makes a store with one user.
func makeStore(path string, admin Admin) error {
	s, err := openStore(path, false, nil)
	if err != nil {
		return err
	}
	err = s.data.Update(context.Background(), func(tx *datastore.Tx) error {
		config, err := adminConfig(s.data.Schema(), admin)
		if err == nil {
			tx.By(datastore.Author{User: admin.Name, Source: "init"})
			tx.SetRunning(config)
		}
		return err
	})
	return errors.Join(err, s.close())
}

// adminConfig is the first configuration.
func adminConfig(schema *yang.Schema, admin Admin) (*data.Node, error) {
	b := data.Build(schema.Root)
	a := b.Container("system").Container("authentication")
	a.Leaf("user-authentication-order", localUsers)
	user := a.Entry("user", admin.Name)
	if admin.Password != "" {
		hash, err := auth.HashPassword(admin.Password)
		if err != nil {
			return nil, err
		}
		user.Leaf("password", hash)
	}
	taken := map[string]bool{}
	for i, k := range admin.Keys {
		name := k.Name
		if name == "" || taken[name] || !utf8.ValidString(name) {
			name = "key-" + strconv.Itoa(i+1)
		}
		taken[name] = true
		user.Entry("authorized-key", name).Leaf("algorithm", k.Algorithm).
			Leaf("key-data", base64.StdEncoding.EncodeToString(k.Data))
	}
	return b.Node(), nil
}
