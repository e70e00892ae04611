package keystore

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weisyn/wes/chain"
)

func quick(t *testing.T) *Store {
	return &Store{Dir: filepath.Join(t.TempDir(), "keys"), WorkFactor: 2}
}

func say(p string) func() (string, error) { return func() (string, error) { return p, nil } }

func TestKeyOpensWithItsPassphraseOnly(t *testing.T) {
	s := quick(t)
	k, err := s.New("alice", Protection{Passphrase: "right"})
	if err != nil {
		t.Fatal(err)
	}
	signer, err := s.Unlock("alice", say("right"))
	if err != nil || signer.Public() != k.Public || chain.LockHash(signer.Lock()) != chain.LockHash(k.Lock()) {
		t.Fatal(signer, err)
	}
	for want, p := range map[error]string{ErrPassphrase: "wrong", ErrEmpty: ""} {
		if _, err := s.Unlock("alice", say(p)); !errors.Is(err, want) {
			t.Errorf("%q: %v", p, err)
		}
	}
	if err := s.Protect("alice", say("right"), Protection{Passphrase: "new"}); err != nil {
		t.Fatal(err)
	}
	if again, err := s.Unlock("alice", say("new")); err != nil || again.Seed() != signer.Seed() {
		t.Error(err)
	}
	if _, err := s.Unlock("alice", say("right")); !errors.Is(err, ErrPassphrase) {
		t.Error("the old passphrase still opens")
	}
}

func TestKeysAreNeverOverwritten(t *testing.T) {
	s := quick(t)
	first, err := s.New("alice", Protection{Passphrase: "x"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.New("alice", Protection{Passphrase: "y"}); !errors.Is(err, ErrExists) {
		t.Error(err)
	}
	if k, err := s.Get("alice"); err != nil || k != first {
		t.Error(k, err)
	}
}

func TestImportedSeedIsExportedAlike(t *testing.T) {
	s := quick(t)
	seed := strings.Repeat("0a", 32)
	if _, err := s.Import("bob", seed+"\n", Protection{Unprotected: true}); err != nil {
		t.Fatal(err)
	}
	signer, err := s.Unlock("bob", func() (string, error) { return "", errors.New("asked for a passphrase") })
	if err != nil || signer.Seed() != seed {
		t.Error(err)
	}
	all, err := s.List()
	if err != nil || len(all) != 1 || !all[0].Unprotected || all[0].Name != "bob" {
		t.Error(all, err)
	}
	for name, want := range map[string]error{"": ErrName, "../x": ErrName, "A": ErrName, "bob": ErrExists} {
		if _, err := s.Import(name, seed, Protection{Unprotected: true}); !errors.Is(err, want) {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, bad := range []string{"", "zz", seed + "00"} {
		if _, err := s.Import("x", bad, Protection{Unprotected: true}); !errors.Is(err, ErrSeed) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := s.New("y", Protection{}); !errors.Is(err, ErrEmpty) {
		t.Errorf("no passphrase: %v", err)
	}
	if _, err := s.Get("nobody"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

func TestFilesAreForTheirOwnerAlone(t *testing.T) {
	s := quick(t)
	if _, err := s.New("a", Protection{Passphrase: "x"}); err != nil {
		t.Fatal(err)
	}
	if i, err := os.Stat(filepath.Join(s.Dir, "a.json")); err != nil || i.Mode().Perm() != 0o600 {
		t.Error(i.Mode(), err)
	}
	if entries, err := os.ReadDir(s.Dir); err != nil || len(entries) != 1 {
		t.Error("something was left behind", entries, err)
	}
}

// TestDamagedFilesAreRefused cuts and changes a file at every byte.
func TestDamagedFilesAreRefused(t *testing.T) {
	s := quick(t)
	if _, err := s.New("a", Protection{Passphrase: "x"}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(s.Dir, "a.json")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := s.Unlock("a", say("x"))
	if err != nil {
		t.Fatal(err)
	}
	try := func(raw []byte) {
		t.Helper()
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Unlock("a", say("x")); err == nil && got.Public() != want.Public() {
			t.Errorf("%q opens as another key", raw)
		}
	}
	for i := range good {
		try(good[:i])
		changed := bytes.Clone(good)
		changed[i] ^= 1
		try(changed)
	}
	try(bytes.Repeat([]byte(" "), maxFile+1))
	other := bytes.Replace(good, []byte(`"public": "`), []byte(`"public": "0`), 1)
	try(other)
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"version":1,"public":"00","unprotected":"00"}`))
	f.Fuzz(func(_ *testing.T, raw []byte) { _, _, _ = decode(raw) })
}
