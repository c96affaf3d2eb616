package server

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"incidentd/datastore/kv"
	"incidentd/netconf/transport"
)

// manifestFile is the first member of a backup.
const manifestFile = "incidentd-backup.json"

// backupFormat is the version of the form of backups. Those of version 1 have no keys.
const backupFormat = 2

// maxManifest and maxHostKey bound what Restore reads into memory.
const (
	maxManifest = 64 << 10
	maxHostKey  = 64 << 10
)

// manifest tells what follows it in a backup.
type manifest struct {
	Format  int       `json:"format"`
	Created time.Time `json:"created"`
	Files   []member  `json:"files"`
}

// member is a file of a backup, in the order of the archive.
type member struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Backup writes the host key, the keys that configurations name and the store of a data
// directory to w, as a tar file.
// A server that runs on the directory makes the backup itself, of its last
// transaction, and goes on meanwhile. It holds secrets; whoever stores it gives the
// file the mode 0600. Errors are those of Check.
func Backup(path string, w io.Writer) error {
	d, err := openDirectory(path)
	if errors.Is(err, ErrInUse) {
		return askPieces(path, controlBackup, w, err)
	}
	if err != nil {
		return err
	}
	defer d.close()
	db, err := kv.Open(d.file(storeFile), kv.Options{MustExist: true})
	if err != nil {
		return err
	}
	defer db.Close()
	// What is damaged must not take the place of a good backup.
	if err := db.Check(); err != nil {
		return err
	}
	return d.backup(db, w)
}

// backup writes the archive. The store is copied aside first: a member's length and
// sum stand before it, and the store may be written to meanwhile.
func (d *directory) backup(db *kv.DB, w io.Writer) (err error) {
	if _, err := d.loadHostKey(); err != nil {
		return err
	}
	key, err := os.ReadFile(d.file(hostKeyFile))
	if err != nil {
		return err
	}
	work, err := d.work()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	store, err := os.OpenFile(filepath.Join(work, storeFile), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer store.Close()
	sum := sha256.New()
	length, err := db.Backup(io.MultiWriter(store, sum))
	if err != nil {
		return err
	}
	if _, err := store.Seek(0, io.SeekStart); err != nil {
		return err
	}
	secrets, err := d.sharedKeys()
	if err != nil {
		return err
	}
	secrets = slices.Insert(secrets, 0, secret{hostKeyFile, key})
	m := manifest{Format: backupFormat, Created: time.Now().UTC().Truncate(time.Second)}
	for _, k := range secrets {
		sum := sha256.Sum256(k.content)
		m.Files = append(m.Files, member{k.name, int64(len(k.content)), hex.EncodeToString(sum[:])})
	}
	m.Files = append(m.Files, member{storeFile, length, hex.EncodeToString(sum.Sum(nil))})
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	t := tar.NewWriter(w)
	for _, f := range slices.Insert(secrets, 0, secret{manifestFile, text}) {
		if err := addMember(t, f.name, int64(len(f.content)), m.Created, bytes.NewReader(f.content)); err != nil {
			return err
		}
	}
	if err := addMember(t, storeFile, length, m.Created, store); err != nil {
		return err
	}
	return t.Close()
}

// secret is a small file of a backup.
type secret struct {
	name    string
	content []byte
}

// maxKeys is how many keys a backup has at most.
const maxKeys = 500

// sharedKeys are the files of keysDir that are keys. What else is there, which no
// configuration can name, is left out.
func (d *directory) sharedKeys() (keys []secret, err error) {
	entries, err := os.ReadDir(d.file(keysDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		if key, err := d.sharedKey(e.Name()); err == nil {
			keys = append(keys, secret{keysDir + "/" + e.Name(), key})
		}
	}
	if len(keys) > maxKeys {
		return nil, fmt.Errorf("%s has %d keys; a backup can have %d", keysDir, len(keys), maxKeys)
	}
	return keys, nil
}

func addMember(t *tar.Writer, name string, size int64, at time.Time, from io.Reader) error {
	if err := t.WriteHeader(&tar.Header{Name: name, Size: size, Mode: 0o600, ModTime: at, Format: tar.FormatPAX}); err != nil {
		return err
	}
	_, err := io.Copy(t, from)
	return err
}

// Restore puts a backup into a data directory, which it makes if need be. Without
// force a directory that is initialised is ErrInitialised; with it its host key
// and store are replaced, and those of its keys that the backup has; it must not be in
// use. The backup is read and checked
// whole before anything is replaced; ErrBackup tells one that cannot be used.
func Restore(path string, backup io.Reader, force bool) (*Findings, error) {
	d, made, err := prepareDirectory(path)
	if force && errors.Is(err, ErrInitialised) {
		if err := private(path, 0o700); err != nil {
			return nil, err
		}
		d, err = lockDirectory(path)
	}
	if err != nil {
		return nil, err
	}
	f, err := d.restore(backup)
	if err != nil {
		if made {
			d.undo(made)
		} else {
			d.close()
		}
		return nil, err
	}
	return f, d.close()
}

func (d *directory) restore(backup io.Reader) (_ *Findings, err error) {
	work, err := d.work()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	keys, err := unpack(backup, work)
	if err != nil {
		return nil, err
	}
	key, err := transport.LoadHostKey(filepath.Join(work, hostKeyFile))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBackup, err)
	}
	f, err := checkStore(filepath.Join(work, storeFile))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBackup, err)
	}
	f.HostKey = key.PublicKey()
	if len(keys) > 0 {
		if err := os.Mkdir(d.file(keysDir), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	for _, name := range append(keys, hostKeyFile, storeFile) {
		if err := d.install(work, name); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// unpack reads a backup into a directory, and compares it with its manifest. It returns the
// keys besides the host's.
func unpack(r io.Reader, into string) (keys []string, err error) {
	bad := func(format string, args ...any) ([]string, error) {
		return nil, fmt.Errorf("%w: %w", ErrBackup, fmt.Errorf(format, args...))
	}
	t := tar.NewReader(r)
	h, err := t.Next()
	if err != nil || h.Name != manifestFile || h.Size > maxManifest {
		return bad("it does not begin with %s", manifestFile)
	}
	text, err := io.ReadAll(t)
	if err != nil {
		return bad("manifest: %w", err)
	}
	var m manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return bad("manifest: %w", err)
	}
	if m.Format < 1 || m.Format > backupFormat {
		return bad("its format is %d, this incidentd knows those up to %d", m.Format, backupFormat)
	}
	last := len(m.Files) - 1
	if last < 1 || m.Files[0].Name != hostKeyFile || m.Files[0].Bytes > maxHostKey || m.Files[last].Name != storeFile {
		return bad("its manifest does not name %s and %s", hostKeyFile, storeFile)
	}
	for _, f := range m.Files[1:last] {
		name, ok := strings.CutPrefix(f.Name, keysDir+"/")
		if !ok || !isKeyName(name) || f.Bytes > maxKey || slices.Contains(keys, f.Name) || len(keys) == maxKeys || m.Format < 2 {
			return bad("its manifest has %q, which is no key", f.Name)
		}
		keys = append(keys, f.Name)
	}
	if len(keys) > 0 {
		if err := os.Mkdir(filepath.Join(into, keysDir), 0o700); err != nil {
			return nil, err
		}
	}
	for _, want := range m.Files {
		h, err := t.Next()
		if err != nil {
			return bad("%s: %w", want.Name, unexpected(err))
		}
		if h.Name != want.Name || h.Size != want.Bytes {
			return bad("%s of %d bytes where %s of %d bytes should be", h.Name, h.Size, want.Name, want.Bytes)
		}
		sum := sha256.New()
		if err := unpackFile(t, filepath.Join(into, want.Name), sum); err != nil {
			var file *fs.PathError
			if errors.As(err, &file) {
				return nil, err // of this side: a full disk, say
			}
			return bad("%s: %w", want.Name, err)
		}
		if got := hex.EncodeToString(sum.Sum(nil)); got != want.SHA256 {
			return bad("%s is damaged: its checksum is %s instead of %s", want.Name, got, want.SHA256)
		}
	}
	if h, err := t.Next(); !errors.Is(err, io.EOF) {
		if err == nil {
			err = fmt.Errorf("there is more behind it: %s", h.Name)
		}
		return bad("%w", err)
	}
	return keys, nil
}

// unexpected is err, but an end where more should be is no orderly one.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func unpackFile(r io.Reader, path string, sum hash.Hash) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.MultiWriter(f, sum), r)
	return errors.Join(err, f.Sync(), f.Close())
}
