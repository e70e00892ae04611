package keystore

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
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
	another := s.Dir + "/b.json"
	k, err := s.New("b", Protection{Passphrase: "x"})
	if err != nil {
		t.Fatal(err)
	}
	for name, raw := range map[string][]byte{
		"too long":             append(bytes.Clone(good), bytes.Repeat([]byte(" "), maxFile)...),
		"trailing data":        append(bytes.Clone(good), "{}"...),
		"another's public key": bytes.Replace(good, []byte(hex.EncodeToString(want.private[32:])), []byte(hex.EncodeToString(k.Public[:])), 1),
		"no seed":              []byte(`{"version":1,"public":"` + hex.EncodeToString(k.Public[:]) + `","unprotected":"00"}`),
		"both":                 bytes.Replace(good, []byte(`"encrypted"`), []byte(`"unprotected": "00", "encrypted"`), 1),
		"more":                 bytes.Replace(good, []byte(`"version"`), []byte(`"more": 1, "version"`), 1),
		"costly":               costly(t, k.Public),
	} {
		if err := os.WriteFile(another, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Unlock("b", say("x")); !errors.Is(err, ErrFile) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// costly is a file whose stanza asks for a work factor of 30.
func costly(t *testing.T, public chain.PublicKey) []byte {
	t.Helper()
	stanza := "age-encryption.org/v1\n-> scrypt " + base64.RawStdEncoding.EncodeToString(make([]byte, 16)) + " 30\n" +
		base64.RawStdEncoding.EncodeToString(make([]byte, 32)) + "\n--- " + base64.RawStdEncoding.EncodeToString(make([]byte, 32)) + "\n"
	raw, err := json.Marshal(&file{Version: formatVersion, Public: hex.EncodeToString(public[:]), Encrypted: []byte(stanza)})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestLinksAndOpenFilesAreRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no links or permissions there")
	}
	s := quick(t)
	if _, err := s.New("a", Protection{Unprotected: true}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(s.Dir, "a.json")
	if err := os.Symlink(path, filepath.Join(s.Dir, "link.json")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(s.Dir, "folder.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"link", "folder"} {
		if _, err := s.Unlock(name, say("")); !errors.Is(err, ErrNotRegular) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o602} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Unlock("a", say("")); !errors.Is(err, ErrPermissions) || !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("%v: %v", mode, err)
		}
		if _, err := s.Get("a"); err != nil {
			t.Errorf("the public key is no secret: %v", err)
		}
	}
}

func TestWorkFactorsAreBounded(t *testing.T) {
	s := quick(t)
	for _, work := range []int{-1, MaxWorkFactor + 1, 31} {
		s.WorkFactor = work
		if _, err := s.New("a", Protection{Passphrase: "x"}); err == nil {
			t.Errorf("took %d", work)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"version":1,"public":"00","unprotected":"00"}`))
	f.Fuzz(func(_ *testing.T, raw []byte) { _, _, _ = decode(raw) })
}
