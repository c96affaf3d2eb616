package auth

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"
)

// vectors are hashes made by glibc's crypt.
var vectors = []struct{ password, hash string }{
	{"Grüße 1", "$6$abcdefgh$3OX4dzso50SfbGlqtnVfSNtB2vKIkkorcfnsqUJxqweJSXHaEtTqMIkT88Qm9Z3sXvfTvGx9BN0gX9/txLB5j0"},
	{"Grüße 1", "$5$abcdefgh$W/NKld9xYyxmahA8rwDdr/RGEqq8rP7L820TCrHgBX5"},
	{"correct horse", "$6$abcdefgh$yIZAF3gQPvtKZO/9qOJKffAKKbtS3ef3qmwyugk4uWVjX8YZf/GV3A8SkFxEPY0T56CcilGrHKLffBsp6dLMG."},
	{"correct horse", "$6$rounds=2000$abcdefgh$XwC/tkC/3qDSZqHKWK9NFYvoVXx3BzByeFoopS1MLlVByYrVJCmfBKfDcMK/9lwEIukNwTqvE3w.mCXsZHC8S."},
	{"correct horse", "$5$rounds=1500$x$8Pv3cVxRY8XFPmabppk5gizFBjsFG2MXmKwHpPv6d65"},
	{"correct horse", "$0$correct horse"},
	{"$6$", "$0$$6$"},
}

func TestPasswordVectors(t *testing.T) {
	for _, v := range vectors {
		a := New(Users{"ann": {Name: "ann", Password: v.hash}})
		for _, password := range []string{v.password, v.password + "x", v.password[1:], strings.ToUpper(v.password), "", v.hash} {
			if got, want := a.Password("ann", password, nil), password == v.password; got != want {
				t.Errorf("Password(%q) with %s = %v, want %v", password, v.hash, got, want)
			}
		}
		if a.Password("bob", v.password, nil) {
			t.Errorf("an unknown user logged in with %q", v.password)
		}
	}
}

func TestNoPassword(t *testing.T) {
	a := New(Users{
		"none":   {},
		"locked": {Password: "!"},
		"md5":    {Password: "$1$abcdefgh$irWbblnpmw.5z7wgBnprh0"},
		"clear":  {Password: "$0$"},
		"costly": {Password: strings.Replace(vectors[3].hash, "2000", "999999999", 1)},
	})
	for name := range a.source.(Users) {
		for _, password := range []string{"", "!", "x", "correct horse", strings.Repeat("x", 100000), "nul\x00"} {
			if a.Password(name, password, nil) {
				t.Errorf("user %s logged in with %.20q", name, password)
			}
		}
	}
}

func TestDummy(t *testing.T) {
	if err := CheckHash(dummy); err != nil {
		t.Errorf("CheckHash(dummy) = %v, so comparing with it costs nothing", err)
	}
}

func TestCheckHash(t *testing.T) {
	sha512 := vectors[2].hash
	tests := []struct {
		name, hash string
		want       error
	}{
		{"clear", "$0$x", nil},
		{"sha256", vectors[1].hash, nil},
		{"sha512", sha512, nil},
		{"with rounds", vectors[3].hash, nil},
		{"empty", "", ErrHash},
		{"no method", "secret", ErrHash},
		{"md5", "$1$abcdefgh$irWbblnpmw.5z7wgBnprh0", ErrHash},
		{"bcrypt", "$2b$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZabcde", ErrHash},
		{"clear and empty", "$0$", ErrPassword},
		{"clear and long", "$0$" + strings.Repeat("x", maxPassword+1), ErrPassword},
		{"cut off", sha512[:len(sha512)-1], ErrHash},
		{"one more", sha512 + "x", ErrHash},
		{"a line more", sha512 + "\n", ErrHash},
		{"sha256 said to be sha512", "$6" + vectors[1].hash[2:], ErrHash},
		{"without salt", strings.Replace(sha512, "abcdefgh", "", 1), ErrHash},
		{"few rounds", strings.Replace(vectors[3].hash, "2000", "999", 1), ErrHash},
		{"many rounds", strings.Replace(vectors[3].hash, "2000", "1000001", 1), ErrHash},
		{"endless rounds", strings.Replace(vectors[3].hash, "2000", strings.Repeat("9", 30), 1), ErrHash},
		{"no rounds", strings.Replace(vectors[3].hash, "2000", "", 1), ErrHash},
	}
	for _, tt := range tests {
		err := CheckHash(tt.hash)
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: CheckHash = %v, want %v", tt.name, err, tt.want)
		}
		if err != nil && len(tt.hash) > 8 && strings.Contains(err.Error(), tt.hash) {
			t.Errorf("%s: the error holds the secret", tt.name)
		}
	}
}

func TestHashPassword(t *testing.T) {
	a, err := HashPassword("correct horse")
	if err != nil {
		t.Fatal(err)
	}
	b, err := StoredHash("$0$correct horse")
	if err != nil {
		t.Fatal(err)
	}
	if a == b || !strings.HasPrefix(a, "$6$") || strings.Contains(a, "rounds") || CheckHash(a) != nil || CheckHash(b) != nil {
		t.Errorf("two hashes of a password: %s and %s", a, b)
	}
	if !match(a, "correct horse") || !match(b, "correct horse") || match(a, "correct horses") {
		t.Error("a hash does not match its own password alone")
	}
	if got, err := StoredHash(a); got != a || err != nil {
		t.Errorf("StoredHash of a hash = %s, %v", got, err)
	}
	if _, err := StoredHash("$1$x$y"); !errors.Is(err, ErrHash) {
		t.Errorf("StoredHash of md5 = %v", err)
	}
	for _, bad := range []string{"", strings.Repeat("x", maxPassword+1), "a\x00b"} {
		if _, err := HashPassword(bad); !errors.Is(err, ErrPassword) {
			t.Errorf("HashPassword(%.10q) = %v, want %v", bad, err, ErrPassword)
		}
	}
}

// TestConcurrent checks passwords at once, under the race detector.
func TestConcurrent(t *testing.T) {
	a := New(Users{"ann": {Password: vectors[4].hash}})
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			password := []string{"correct horse", "wrong"}[i%2]
			if got, want := a.Password("ann", password, nil), i%2 == 0; got != want {
				t.Errorf("Password(%q) = %v", password, got)
			}
		})
	}
	wg.Wait()
}

// testKeys are one of each kind, and some that are refused.
func testKeys(t testing.TB) (good, bad map[string]ssh.PublicKey) {
	t.Helper()
	public := func(key any, err error) ssh.PublicKey {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		k, err := ssh.NewPublicKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	edKey, _, err := ed25519.GenerateKey(rand.Reader)
	ed := public(edKey, err)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	strong, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	ca, err := ssh.NewSignerFromKey(strong)
	if err != nil {
		t.Fatal(err)
	}
	cert := &ssh.Certificate{Key: ed, CertType: ssh.UserCert, ValidBefore: ssh.CertTimeInfinity}
	if err := cert.SignCert(rand.Reader, ca); err != nil {
		t.Fatal(err)
	}
	return map[string]ssh.PublicKey{
			"ssh-ed25519":         ed,
			"ecdsa-sha2-nistp256": public(ec.Public(), nil),
			"ssh-rsa":             public(strong.Public(), nil),
		}, map[string]ssh.PublicKey{
			"ssh-rsa":                          public(weak.Public(), nil),
			"ssh-ed25519-cert-v01@openssh.com": cert,
		}
}

func TestParseKey(t *testing.T) {
	good, bad := testKeys(t)
	for algorithm, key := range good {
		got, err := ParseKey(algorithm, key.Marshal())
		if err != nil || string(got.Marshal()) != string(key.Marshal()) {
			t.Errorf("ParseKey(%s) = %v, %v", algorithm, got, err)
		}
		if _, err := ParseKey("ssh-dss", key.Marshal()); !errors.Is(err, ErrKey) {
			t.Errorf("ParseKey of %s as ssh-dss: %v, want %v", algorithm, err, ErrKey)
		}
		if _, err := ParseKey(algorithm, key.Marshal()[:20]); !errors.Is(err, ErrKey) {
			t.Errorf("ParseKey of half a key: %v, want %v", err, ErrKey)
		}
		if _, err := ParseKey(algorithm, append(key.Marshal(), 0)); !errors.Is(err, ErrKey) {
			t.Errorf("ParseKey of a key with a tail: %v, want %v", err, ErrKey)
		}
	}
	if _, err := ParseKey("rsa-sha2-512", good["ssh-rsa"].Marshal()); err != nil {
		t.Errorf("ParseKey(rsa-sha2-512) = %v", err)
	}
	for algorithm, key := range bad {
		if _, err := ParseKey(algorithm, key.Marshal()); !errors.Is(err, ErrKey) {
			t.Errorf("ParseKey of a refused %s: %v, want %v", algorithm, err, ErrKey)
		}
	}
}

func TestPublicKey(t *testing.T) {
	good, bad := testKeys(t)
	other, _ := testKeys(t)
	ed, ec, weak := good["ssh-ed25519"], good["ecdsa-sha2-nistp256"], bad["ssh-rsa"]
	a := New(Users{"ann": {Keys: []ssh.PublicKey{ed, weak}}, "bob": {Keys: []ssh.PublicKey{ec}}, "eve": {}})
	tests := []struct {
		user string
		key  ssh.PublicKey
		want bool
	}{
		{"ann", ed, true},
		{"ann", ec, false},
		{"ann", other["ssh-ed25519"], false},
		{"ann", weak, false},
		{"ann", bad["ssh-ed25519-cert-v01@openssh.com"], false},
		{"bob", ec, true},
		{"bob", ed, false},
		{"eve", ed, false},
		{"nobody", ed, false},
	}
	for _, tt := range tests {
		if groups, err := a.PublicKey(tt.user, tt.key, nil); (err == nil) != tt.want || groups != nil {
			t.Errorf("PublicKey(%s, %s) = %q, %v, want in: %v", tt.user, tt.key.Type(), groups, err, tt.want)
		}
	}
}

func TestParseAuthorizedKeys(t *testing.T) {
	good, bad := testKeys(t)
	ed, rsaKey := good["ssh-ed25519"], good["ssh-rsa"]
	line := func(k ssh.PublicKey) string { return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(k))) }
	got, err := ParseAuthorizedKeys([]byte("# keys\n\n" + line(ed) + " ann@laptop\r\n\t" + line(rsaKey)))
	want := []Key{{"ann@laptop", "ssh-ed25519", ed.Marshal()}, {"", "ssh-rsa", rsaKey.Marshal()}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("ParseAuthorizedKeys: %v (-want +got):\n%s", err, diff)
	}
	if got, err := ParseAuthorizedKeys(nil); got != nil || err != nil {
		t.Errorf("no keys: %v, %v", got, err)
	}
	for _, text := range []string{
		"garbage",
		"ssh-ed25519 AAAA",
		"-----BEGIN OPENSSH PRIVATE KEY-----\n",
		`command="id" ` + line(ed),
		line(bad["ssh-rsa"]),
	} {
		if got, err := ParseAuthorizedKeys([]byte("\n" + text)); !errors.Is(err, ErrKey) || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("ParseAuthorizedKeys(%.30q) = %v, %v, want %v in line 2", text, got, err, ErrKey)
		}
	}
}
