package client

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// KnownHosts is a file of host keys in the form of OpenSSH's known_hosts. It is
// safe for concurrent use.
type KnownHosts struct {
	path       string
	trustFirst bool
	mu         sync.Mutex // held while the file is read or written
}

// OpenKnownHosts uses the file at path, which need not exist. With trustFirst the
// key of a server that is not in it is believed and written there, so that another
// key is noticed from then on. Without, an unknown server is refused.
func OpenKnownHosts(path string, trustFirst bool) (*KnownHosts, error) {
	k := &KnownHosts{path: path, trustFirst: trustFirst}
	if _, err := k.check(); err != nil {
		return nil, err
	}
	return k, nil
}

// check reads the file.
func (k *KnownHosts) check() (ssh.HostKeyCallback, error) {
	cb, err := knownhosts.New(k.path)
	if errors.Is(err, os.ErrNotExist) {
		return knownhosts.New()
	}
	if err != nil {
		return nil, fmt.Errorf("known hosts: %w", err)
	}
	return cb, nil
}

// Check is an ssh.HostKeyCallback, for Config.HostKey. host has a port. Its errors tell a server
// that is unknown from one that has another key than before.
func (k *KnownHosts) Check(host string, remote net.Addr, key ssh.PublicKey) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	cb, err := k.check()
	if err != nil {
		return err
	}
	err = cb(host, addrOf(remote), key)
	var unknown *knownhosts.KeyError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &unknown):
		return err
	case len(unknown.Want) > 0:
		w := unknown.Want[0]
		return fmt.Errorf("%s has the key %s, but line %d of %s has another one for it; if the server was set up anew, delete that line, else somebody is in between",
			host, ssh.FingerprintSHA256(key), w.Line, w.Filename)
	case !k.trustFirst:
		return fmt.Errorf("%s is not in %s; its key is %s", host, k.path, ssh.FingerprintSHA256(key))
	}
	return k.add(host, key)
}

// add appends a key to the file.
func (k *KnownHosts) add(host string, key ssh.PublicKey) error {
	if err := os.MkdirAll(filepath.Dir(k.path), 0o700); err != nil {
		return fmt.Errorf("known hosts: %w", err)
	}
	f, err := os.OpenFile(k.path, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("known hosts: %w", err)
	}
	line := knownhosts.Line([]string{knownhosts.Normalize(host)}, key) + "\n"
	if info, err := f.Stat(); err == nil && info.Size() > 0 {
		last := make([]byte, 1)
		if _, err := f.ReadAt(last, info.Size()-1); err == nil && last[0] != '\n' {
			line = "\n" + line // somebody has edited the file
		}
	}
	_, err = f.WriteString(line)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("known hosts: %w", err)
	}
	return nil
}

// Algorithms are those of the keys that are known of a server, for
// Config.HostKeyAlgorithms: a server with keys of several types then shows the one
// that is known. It is empty for an unknown server.
func (k *KnownHosts) Algorithms(host string) []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	cb, err := k.check()
	if err != nil {
		return nil // Check will say it
	}
	var known *knownhosts.KeyError
	if !errors.As(cb(host, addrOf(nil), noKey{}), &known) {
		return nil
	}
	var types []string
	for _, w := range known.Want {
		if t := w.Key.Type(); !slices.Contains(types, t) {
			types = append(types, t)
		}
	}
	var algorithms []string
	for _, a := range hostKeyAlgorithms {
		format := a
		if a == ssh.KeyAlgoRSASHA256 || a == ssh.KeyAlgoRSASHA512 {
			format = ssh.KeyAlgoRSA
		}
		if slices.Contains(types, format) {
			algorithms = append(algorithms, a)
		}
	}
	return algorithms
}

// addrOf is an address that the knownhosts package can take apart.
func addrOf(a net.Addr) net.Addr {
	if t, ok := a.(*net.TCPAddr); ok {
		return t
	}
	return &net.TCPAddr{IP: net.IPv4zero}
}

// noKey is a public key that is nobody's.
type noKey struct{}

func (noKey) Type() string                        { return "none" }
func (noKey) Marshal() []byte                     { return nil }
func (noKey) Verify([]byte, *ssh.Signature) error { return errors.New("no key") }
