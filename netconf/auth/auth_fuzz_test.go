package auth

import (
	"bytes"
	"errors"
	"testing"

	"golang.org/x/crypto/ssh"
)

// FuzzCheckHash: what is accepted can be compared with, everything else is
// refused with our errors.
func FuzzCheckHash(f *testing.F) {
	for _, v := range vectors {
		f.Add(v.hash)
	}
	f.Add("$6$rounds=$$")
	f.Fuzz(func(t *testing.T, hash string) {
		err := CheckHash(hash)
		if err != nil {
			if !errors.Is(err, ErrHash) && !errors.Is(err, ErrPassword) {
				t.Fatalf("CheckHash(%q) = %v", hash, err)
			}
			return
		}
		if hash[:3] != "$0$" && hash[3:] != "" && len(hash) < 150 {
			compare(hash, "x") // must not panic
		}
	})
}

// FuzzParseKey: what is accepted has the same bytes when written again.
func FuzzParseKey(f *testing.F) {
	good, bad := testKeys(f)
	for _, keys := range []map[string]ssh.PublicKey{good, bad} {
		for algorithm, key := range keys {
			f.Add(algorithm, key.Marshal())
		}
	}
	f.Fuzz(func(t *testing.T, algorithm string, data []byte) {
		key, err := ParseKey(algorithm, data)
		if err != nil {
			if !errors.Is(err, ErrKey) {
				t.Fatalf("ParseKey = %v", err)
			}
			return
		}
		again, err := ParseKey(algorithm, key.Marshal())
		if err != nil || !bytes.Equal(again.Marshal(), key.Marshal()) {
			t.Fatalf("ParseKey of its own output = %v, %v", again, err)
		}
	})
}

// FuzzParseAuthorizedKeys: each key that is read is one that ParseKey takes.
func FuzzParseAuthorizedKeys(f *testing.F) {
	good, _ := testKeys(f)
	for _, key := range good {
		f.Add(ssh.MarshalAuthorizedKey(key))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		keys, err := ParseAuthorizedKeys(text)
		if err != nil && !errors.Is(err, ErrKey) {
			t.Fatalf("ParseAuthorizedKeys = %v", err)
		}
		for _, k := range keys {
			if _, err := ParseKey(k.Algorithm, k.Data); err != nil {
				t.Fatalf("key %q: %v", k.Name, err)
			}
		}
	})
}
