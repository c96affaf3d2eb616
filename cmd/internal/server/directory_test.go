package server

import (
	"archive/tar"
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"

	"incidentd/datastore"
	"incidentd/datastore/kv"
	"incidentd/netconf/auth"
	"incidentd/yang/data"
)

var admin = Admin{Name: "admin", Password: "correct horse"}

// initialised makes a data directory.
func initialised(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	if _, err := Init(dir, admin); err != nil {
		t.Fatal(err)
	}
	return dir
}

func newKey(t testing.TB) (ssh.Signer, auth.Key) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	public := signer.PublicKey()
	return signer, auth.Key{Name: "laptop", Algorithm: public.Type(), Data: public.Marshal()}
}

func TestInit(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	_, key := newKey(t)
	_, unnamed := newKey(t)
	_, namesake := newKey(t)
	unnamed.Name, namesake.Name = "", key.Name
	host, err := Init(dir, Admin{"noc", "correct horse", []auth.Key{key, unnamed, namesake, key}})
	if err != nil {
		t.Fatal(err)
	}
	modes := map[string]fs.FileMode{}
	for _, name := range []string{".", storeFile, hostKeyFile, lockFile} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		modes[name] = info.Mode().Perm()
	}
	if diff := cmp.Diff(map[string]fs.FileMode{".": 0o700, storeFile: 0o600, hostKeyFile: 0o600, lockFile: 0o600}, modes); diff != "" {
		t.Errorf("modes (-want +got):\n%s", diff)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, workPrefix+"*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	found, err := Check(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(found.HostKey.Marshal(), host.Marshal()) || !slices.Equal(found.Users, []string{"noc"}) || found.Networks != 0 {
		t.Errorf("Check = %+v", found)
	}
	s, err := openStore(filepath.Join(dir, storeFile), true, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	u, ok := users{store: s.data}.User("noc")
	if !ok || len(u.Keys) != 3 || !strings.HasPrefix(u.Password, "$6$") {
		t.Errorf("User = %+v, %v", u, ok)
	}
	if _, ok := (users{store: s.data}).User("admin"); ok {
		t.Error("there is a user that nobody made")
	}
}

func TestInitRefuses(t *testing.T) {
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "letter.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, dir string
		admin     Admin
		want      error
	}{
		{"initialised", initialised(t), admin, ErrInitialised},
		{"other files", full, admin, ErrNotEmpty},
		{"no parent", filepath.Join(t.TempDir(), "a", "b"), admin, fs.ErrNotExist},
		{"a file", filepath.Join(full, "letter.txt"), admin, syscall.ENOTDIR},
		{"empty password", filepath.Join(t.TempDir(), "x"), Admin{Name: "a", Password: "\x00"}, auth.ErrPassword},
		{"no means to log in", filepath.Join(t.TempDir(), "x"), Admin{Name: "a"}, nil},
		{"no name", filepath.Join(t.TempDir(), "x"), Admin{Password: "p"}, nil},
		{"spaces in the name", filepath.Join(t.TempDir(), "x"), Admin{Name: "a b", Password: "p"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before, _ := os.ReadDir(tt.dir)
			_, err := Init(tt.dir, tt.admin)
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("Init = %v, want %v", err, tt.want)
			}
			if after, _ := os.ReadDir(tt.dir); len(before) != len(after) {
				t.Errorf("Init left something behind: %v", after)
			}
		})
	}
}

// What an init that was killed has left does not stand in the way, and a host key
// that is there stays.
func TestInitAgain(t *testing.T) {
	dir := initialised(t)
	key, err := os.ReadFile(filepath.Join(dir, hostKeyFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Remove(filepath.Join(dir, storeFile)), os.Mkdir(filepath.Join(dir, workPrefix+"1"), 0o700),
		os.WriteFile(filepath.Join(dir, workPrefix+"1", storeFile), []byte("half"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := Check(dir); !errors.Is(err, ErrNotInitialised) {
		t.Errorf("Check of half a directory = %v, want %v", err, ErrNotInitialised)
	}
	if _, err := Init(dir, admin); err != nil {
		t.Fatal(err)
	}
	if again, err := os.ReadFile(filepath.Join(dir, hostKeyFile)); err != nil || !bytes.Equal(key, again) {
		t.Errorf("the host key was replaced: %v", err)
	}
	if _, err := Check(dir); err != nil {
		t.Error(err)
	}
}

// When init fails half way, what it has made is gone.
func TestInitCleansUp(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	bad := Admin{Name: "admin", Keys: []auth.Key{{Name: "k", Algorithm: "ssh-ed25519", Data: []byte("x")}}}
	bad.Password = "p"
	d, made, err := prepareDirectory(dir)
	if err != nil || !made {
		t.Fatal(made, err)
	}
	if err := os.Mkdir(d.file(storeFile), 0o700); err != nil { // so that the store cannot be put into place
		t.Fatal(err)
	}
	if _, err := d.init(bad); err == nil {
		t.Error("a directory was replaced by a store")
	}
	if err := os.Remove(d.file(storeFile)); err != nil {
		t.Fatal(err)
	}
	d.undo(made)
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		entries, _ := os.ReadDir(dir)
		t.Errorf("the directory is still there with %v: %v", entries, err)
	}
}

func TestOpenDirectory(t *testing.T) {
	change := func(f func(dir string) error) string {
		dir := initialised(t)
		if err := f(dir); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	for _, tt := range []struct {
		name, dir string
		want      error
		says      string
	}{
		{"missing", filepath.Join(t.TempDir(), "x"), ErrNotInitialised, "no such directory"},
		{"empty", t.TempDir(), ErrNotInitialised, "has no store.db"},
		{"open directory", change(func(d string) error { return os.Chmod(d, 0o750) }), ErrMode, "chmod 700"},
		{"open store", change(func(d string) error { return os.Chmod(filepath.Join(d, storeFile), 0o640) }), ErrMode, "chmod 600"},
		{"open host key", change(func(d string) error { return os.Chmod(filepath.Join(d, hostKeyFile), 0o604) }), ErrMode, "chmod 600"},
		{"no host key", change(func(d string) error { return os.Remove(filepath.Join(d, hostKeyFile)) }), fs.ErrNotExist, "restore a backup"},
		{"no key in it", change(func(d string) error { return os.WriteFile(filepath.Join(d, hostKeyFile), []byte("x"), 0o600) }), nil, "host key"},
		{"cut off", change(func(d string) error { return os.Truncate(filepath.Join(d, storeFile), 5000) }), kv.ErrDamaged, "store.db"},
		{"flipped", change(flip), kv.ErrDamaged, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for what, open := range map[string]func() error{
				"Check": func() error { _, err := Check(tt.dir); return err },
				"New":   func() error { _, err := New(Config{DataDir: tt.dir, Listen: "127.0.0.1:0"}); return err },
			} {
				err := open()
				if err == nil || tt.want != nil && !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("%s = %v, want %v with %q", what, err, tt.want, tt.says)
				}
			}
		})
	}
}

// flip damages the store where its data is.
func flip(dir string) error {
	path := filepath.Join(dir, storeFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	at := bytes.LastIndex(text, []byte("$6$"))
	if at < 0 {
		return errors.New("there is no hash in the store")
	}
	for {
		text[at+5] ^= 1
		if at = bytes.LastIndex(text[:at], []byte("$6$")); at < 0 {
			break
		}
	}
	return os.WriteFile(path, text, 0o600)
}

func TestInUse(t *testing.T) {
	dir := initialised(t)
	d, err := openDirectory(dir)
	if err != nil {
		t.Fatal(err)
	}
	for what, f := range map[string]func() error{
		"New":     func() error { _, err := New(Config{DataDir: dir}); return err },
		"Check":   func() error { _, err := Check(dir); return err },
		"Backup":  func() error { return Backup(dir, &bytes.Buffer{}) },
		"Restore": func() error { _, err := Restore(dir, &bytes.Buffer{}, true); return err },
	} {
		if err := f(); !errors.Is(err, ErrInUse) {
			t.Errorf("%s = %v, want %v", what, err, ErrInUse)
		}
	}
	if err := d.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Check(dir); err != nil {
		t.Errorf("Check after the other has gone: %v", err)
	}
}

func TestBackup(t *testing.T) {
	dir := initialised(t)
	writeKey := func(dir, name, key string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(dir, keysDir), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, keysDir, name), []byte(key), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	writeKey(dir, "lab", "a secret of both ends")
	want, err := Check(dir)
	if err != nil {
		t.Fatal(err)
	}
	var backup bytes.Buffer
	if err := Backup(dir, &backup); err != nil {
		t.Fatal(err)
	}
	for name, force := range map[string]bool{"new": false, "over itself": true} {
		to := filepath.Join(t.TempDir(), "restored")
		if force {
			to = dir
			if _, err := Restore(to, bytes.NewReader(backup.Bytes()), false); !errors.Is(err, ErrInitialised) {
				t.Errorf("%s: Restore without force = %v, want %v", name, err, ErrInitialised)
			}
		}
		if force {
			writeKey(to, "lab", "another")
			writeKey(to, "later", "younger than the backup")
		}
		if _, err := Restore(to, bytes.NewReader(backup.Bytes()), force); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		d := &directory{path: to}
		if key, err := d.sharedKey("lab"); string(key) != "a secret of both ends" {
			t.Errorf("%s: the key is %q, %v", name, key, err)
		}
		if _, err := d.sharedKey("later"); (err == nil) != force {
			t.Errorf("%s: a key that the backup has not: %v", name, err)
		}
		got, err := Check(to)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.HostKey.Marshal(), want.HostKey.Marshal()) || !slices.Equal(got.Users, want.Users) {
			t.Errorf("%s: Check = %+v, want %+v", name, got, want)
		}
	}
}

// A server makes the backup itself, while it is written to: it holds one state, of a
// time in between, and the server goes on.
func TestBackupOnline(t *testing.T) {
	dir := initialised(t)
	s, _ := started(t, dir)
	list := s.Store().Schema().Root.ChildNamed("networks")
	write := func(n int) {
		t.Helper()
		err := s.Store().Update(t.Context(), func(tx *datastore.Tx) error {
			b := data.Build(s.Store().Schema().Root)
			b.Container("networks").Entry("network", fmt.Sprintf("n%06d", n))
			tx.SetRunning(data.Merge(tx.Running(), b.Node()))
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	write(0)
	stop, stopped := make(chan struct{}), make(chan int)
	go func() {
		for n := 1; ; n++ {
			select {
			case <-stop:
				stopped <- n
				return
			default:
				write(n)
			}
		}
	}()
	var backups [2]bytes.Buffer
	for i := range backups {
		if err := Backup(dir, &backups[i]); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	written := <-stopped
	if got := s.Store().Snapshot().Running.Get(list).Len(); got != written {
		t.Errorf("the server has %d networks, want %d", got, written)
	}
	var last int
	for i := range backups {
		to := filepath.Join(t.TempDir(), "restored")
		if _, err := Restore(to, &backups[i], false); err != nil {
			t.Fatal(err)
		}
		found, err := Check(to)
		if err != nil {
			t.Fatal(err)
		}
		if found.Networks < 1 || found.Networks < last || found.Networks > written {
			t.Errorf("backup %d has %d networks, of %d", i, found.Networks, written)
		}
		last = found.Networks
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(filepath.Join(dir, controlFile)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket outlives the server: %v", err)
	}
}

// A backup of a server from before keys were in backups, or whose keys have names that are
// none.
func TestRestoreKeys(t *testing.T) {
	for _, tt := range []struct {
		name    string
		from    string
		to      string
		refused bool
	}{
		{"as it is", "", "", false},
		{"the parent", `"keys/lab"`, `"keys/../lab"`, true},
		{"elsewhere", `"keys/lab"`, `"lock"`, true},
		{"a directory", `"keys/lab"`, `"keys/a/b"`, true},
		{"version 1 with keys", `"format":2`, `"format":1`, true},
	} {
		text := archive(t)
		m := bytes.Index(text, []byte(`{"format"`))
		end := m + bytes.IndexByte(text[m:], 0)
		changed := strings.Replace(string(text[m:end]), tt.from, tt.to, 1)
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		if err := addMember(w, manifestFile, int64(len(changed)), time.Now(), strings.NewReader(changed)); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		b.Write(text[m+(end-m+511)/512*512:])
		keys, err := unpack(&b, t.TempDir())
		if errors.Is(err, ErrBackup) != tt.refused || !tt.refused && !slices.Equal(keys, []string{"keys/lab"}) {
			t.Errorf("%s: unpack = %q, %v", tt.name, keys, err)
		}
	}
}

// A backup that is not whole replaces nothing, wherever it is damaged.
func TestRestoreRefuses(t *testing.T) {
	dir := initialised(t)
	var b bytes.Buffer
	if err := Backup(dir, &b); err != nil {
		t.Fatal(err)
	}
	good := b.Bytes()
	changed := func(at int) []byte { c := bytes.Clone(good); c[at] ^= 0x10; return c }
	tests := map[string][]byte{
		"empty":           nil,
		"no tar":          bytes.Repeat([]byte("x"), 2000),
		"cut within":      good[:len(good)/2],
		"the manifest":    good[:1024],
		"changed key":     changed(bytes.Index(good, []byte("OPENSSH PRIVATE KEY")) + 100),
		"changed store":   changed(bytes.LastIndex(good, []byte("$6$"))),
		"two archives":    append(bytes.Clone(good[:len(good)-1024]), good...),
		"another version": bytes.Replace(good, []byte(`"format": 2`), []byte(`"format": 3`), 1),
	}
	target := initialised(t)
	before, err := Check(target)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := Restore(target, bytes.NewReader(text), true); !errors.Is(err, ErrBackup) {
				t.Errorf("Restore = %v, want %v", err, ErrBackup)
			}
			after, err := Check(target)
			if err != nil || !bytes.Equal(after.HostKey.Marshal(), before.HostKey.Marshal()) {
				t.Errorf("the directory has changed: %v", err)
			}
			fresh := filepath.Join(t.TempDir(), "x")
			if _, err := Restore(fresh, bytes.NewReader(text), false); !errors.Is(err, ErrBackup) {
				t.Errorf("Restore = %v, want %v", err, ErrBackup)
			}
			if _, err := os.Stat(fresh); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("a directory was left behind: %v", err)
			}
		})
	}
}

// archive is a backup of small files; how they are read does not depend on what
// is in them.
func archive(t testing.TB) []byte {
	t.Helper()
	files := [][2]string{{hostKeyFile, "key"}, {keysDir + "/lab", "secret"}, {storeFile, "store"}}
	m := manifest{Format: backupFormat}
	for _, f := range files {
		sum := sha256.Sum256([]byte(f[1]))
		m.Files = append(m.Files, member{f[0], int64(len(f[1])), hex.EncodeToString(sum[:])})
	}
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range append([][2]string{{manifestFile, string(text)}}, files...) {
		err := addMember(w, f[0], int64(len(f[1])), m.Created, strings.NewReader(f[1]))
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// FuzzUnpack: what is accepted is as the manifest says, everything else is refused
// with our error.
func FuzzUnpack(f *testing.F) {
	good := archive(f)
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte("x"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte) {
		into, err := os.MkdirTemp(dir, "")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(into)
		_, err = unpack(bytes.NewReader(text), into)
		if err != nil && !errors.Is(err, ErrBackup) {
			t.Errorf("unpack = %v, which is no %v", err, ErrBackup)
		}
		if bytes.Equal(text, good) && err != nil {
			t.Errorf("unpack of a good backup = %v", err)
		}
	})
}
