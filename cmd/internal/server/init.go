package server

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/crypto/ssh"

	"incidentd/datastore"
	"incidentd/netconf/auth"
	"incidentd/netconf/transport"
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
	if err := CheckUserName(a.Name); err != nil {
		return err
	}
	if a.Password == "" && len(a.Keys) == 0 {
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
			tx.SetFactoryDefault(config)
			tx.Put(tableServer, rowAccess, []byte{1})
		}
		return err
	})
	return errors.Join(err, s.close())
}
