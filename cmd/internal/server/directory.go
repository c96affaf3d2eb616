package server

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/crypto/ssh"

	"incidentd/netconf/transport"
)

// The files of a data directory.
const (
	storeFile   = "store.db"
	hostKeyFile = "host_key"
	lockFile    = "lock"
	// filesDir is where URLs of the scheme file lead.
	filesDir = "files"
	// keysDir has the keys that configurations name, a file for each.
	keysDir = "keys"
	// hooksDir has the programs that may be run to resolve incidents.
	hooksDir = "hooks"
	// workPrefix begins the name of a directory in which init or restore prepares
	// what it then puts into place.
	workPrefix = ".work-"

	// maxKey is how long a key may be.
	maxKey = 4096
)

// directory is a data directory that this process has locked.
type directory struct {
	path string
	lock *os.File
}

func (d *directory) file(name string) string { return filepath.Join(d.path, name) }

// close gives up the lock.
func (d *directory) close() error { return d.lock.Close() }

// openDirectory locks a directory that is initialised. It answers
// ErrNotInitialised, ErrMode, ErrInUse or an error of the file system.
func openDirectory(path string) (*directory, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: %w: there is no such directory", path, ErrNotInitialised)
	case err != nil:
		return nil, err
	case !info.IsDir():
		return nil, fmt.Errorf("%s is not a directory", path)
	}
	if _, err := os.Lstat(filepath.Join(path, storeFile)); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w: it has no %s", path, ErrNotInitialised, storeFile)
	}
	if err := private(path, 0o700); err != nil {
		return nil, err
	}
	for _, name := range []string{storeFile, hostKeyFile} {
		if err := private(filepath.Join(path, name), 0o600); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return lockDirectory(path)
}

// private is ErrMode for what others can get at.
func private(path string, want fs.FileMode) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("%s: %w: its mode is %04o and must be %04o (chmod %o %s)", path, ErrMode, mode, want, want, path)
	}
	return nil
}

// lockDirectory locks a directory, initialised or not.
func lockDirectory(path string) (*directory, error) {
	f, err := os.OpenFile(filepath.Join(path, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = ErrInUse
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &directory{path, f}, nil
}

// prepareDirectory makes a directory, or takes one that is empty but for what an
// attempt that was killed has left, and locks it. made reports whether there was
// none. It answers ErrInitialised if there is a store, or ErrNotEmpty.
func prepareDirectory(path string) (d *directory, made bool, err error) {
	err = os.Mkdir(path, 0o700)
	made = err == nil
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, false, err
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, false, err
	}
	if slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == storeFile }) {
		return nil, false, fmt.Errorf("%s: %w", path, ErrInitialised)
	}
	for _, e := range entries {
		switch name := e.Name(); {
		case name == hostKeyFile, name == keysDir, name == lockFile, name == "lost+found", strings.HasPrefix(name, workPrefix):
		default:
			return nil, false, fmt.Errorf("%s: %w, such as %s", path, ErrNotEmpty, name)
		}
	}
	if err := os.Chmod(path, 0o700); err != nil {
		return nil, false, err
	}
	if d, err = lockDirectory(path); err != nil {
		return nil, false, err
	}
	// Somebody else may have finished between the look and the lock.
	if _, err := os.Lstat(d.file(storeFile)); err == nil {
		return nil, false, errors.Join(fmt.Errorf("%s: %w", path, ErrInitialised), d.close())
	}
	return d, made, nil
}

// openFiles opens the directory that URLs of files lead into, and makes it if need be.
func (d *directory) openFiles() (*os.Root, error) {
	if err := os.Mkdir(d.file(filesDir), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return os.OpenRoot(d.file(filesDir))
}

// sharedKey reads the key of a name: what is in the file of that name in keysDir, to the
// last octet. Its errors are for clients, and do not tell where the directory is.
func (d *directory) sharedKey(name string) ([]byte, error) {
	if !isKeyName(name) {
		return nil, errors.New("the name of a key is that of a file")
	}
	root, err := os.OpenRoot(d.path)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	file := keysDir + "/" + name
	info, err := root.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("the data directory has no file %s", file)
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a file", file)
	case info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("%s: %w: its mode is %04o and must be 0600", file, ErrMode, info.Mode().Perm())
	case info.Size() == 0 || info.Size() > maxKey:
		return nil, fmt.Errorf("%s has %d octets; a key has 1 to %d", file, info.Size(), maxKey)
	}
	return root.ReadFile(file)
}

// isKeyName reports whether a name can be that of a file of keysDir.
func isKeyName(name string) bool {
	return name != "" && len(name) <= 255 && name != "." && name != ".." && !strings.ContainsAny(name, "/\x00")
}

// work makes a directory within, and removes those that were left behind.
func (d *directory) work() (string, error) {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), workPrefix) {
			if err := os.RemoveAll(d.file(e.Name())); err != nil {
				return "", err
			}
		}
	}
	return os.MkdirTemp(d.path, workPrefix)
}

// install moves a finished file from a work directory into place, durably.
func (d *directory) install(work, name string) error {
	if err := os.Rename(filepath.Join(work, name), d.file(name)); err != nil {
		return err
	}
	return syncDir(filepath.Dir(d.file(name)))
}

// undo removes what prepareDirectory has made, and gives up the lock.
func (d *directory) undo(made bool) {
	os.Remove(d.file(lockFile))
	d.close()
	if made {
		os.Remove(d.path) // fails if it is not empty, and should
	}
}

func syncDir(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// writeSecret writes a file of mode 0600 durably.
func writeSecret(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Sync(), f.Close())
}

// loadHostKey reads the host key; a missing one is told as what it means.
func (d *directory) loadHostKey() (ssh.Signer, error) {
	key, err := transport.LoadHostKey(d.file(hostKeyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w; the key made by init is lost, restore a backup", err)
	}
	return key, err
}
