// Package keystore keeps Ed25519 keys in a folder, each in a file of its own and encrypted with a
// passphrase by age (age-encryption.org/v1, scrypt recipient).
//
// A file NAME.json is
//
//	{"version": 1, "public": hex32, "encrypted": base64 of the age file}
//
// where the age file holds the 32 bytes of the seed. A key that nobody protects has
// "unprotected": hex32 in place of "encrypted". Public keys are read without a passphrase, and
// compared with the seed when it is.
package keystore

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/weisyn/wes/chain"
)

// Errors that callers tell apart.
var (
	// ErrName: names have 1 to 64 of a-z, 0-9, - and _.
	ErrName = errors.New("a key's name has 1 to 64 of a-z, 0-9, - and _")
	// ErrExists: there is a key of that name; keys are never overwritten.
	ErrExists = errors.New("there is a key of that name already")
	// ErrNotFound: there is no key of that name.
	ErrNotFound = errors.New("there is no key of that name")
	// ErrPassphrase: the passphrase is wrong, or the file damaged where that cannot be told apart.
	ErrPassphrase = errors.New("the passphrase is wrong")
	// ErrEmpty: a key needs a passphrase, unless it is said to be unprotected.
	ErrEmpty = errors.New("the passphrase is empty")
	// ErrFile: a file is none of this package, or damaged.
	ErrFile = errors.New("not a key file, or a damaged one: restore it from a backup")
	// ErrNotRegular: a key is a link or a folder.
	ErrNotRegular = errors.New("a key must be a file, and no link to one")
	// ErrPermissions: others can read a key, or replace it.
	ErrPermissions = errors.New("others have access to the key file")
	// ErrSeed: a seed is 64 hexadecimal digits.
	ErrSeed = errors.New("a seed is 64 hexadecimal digits")
)

// formatVersion is the version of the files.
const formatVersion = 1

// Logarithms of scrypt's cost.
const (
	// DefaultWorkFactor takes about a second and 256 MiB.
	DefaultWorkFactor = 18
	// MaxWorkFactor takes 1 GiB. Files that ask for more are refused.
	MaxWorkFactor = 20
)

// maxFile bounds what is read, in bytes.
const maxFile = 16 << 10

// Store is a folder of keys.
type Store struct {
	Dir string
	// WorkFactor is the logarithm of scrypt's cost for new keys; 0 is DefaultWorkFactor.
	WorkFactor int
}

// Key is what is known of a key without its passphrase.
type Key struct {
	Name        string
	Public      chain.PublicKey
	Unprotected bool
}

// Lock returns the lock that the key alone opens.
func (k *Key) Lock() chain.Lock { return chain.Key{Key: k.Public} }

// Protection is what guards a new key: a passphrase or, if Unprotected says so, nothing.
type Protection struct {
	Passphrase  string
	Unprotected bool
}

// New makes a key.
func (s *Store) New(name string, p Protection) (Key, error) {
	var seed [ed25519.SeedSize]byte
	if _, err := rand.Read(seed[:]); err != nil {
		return Key{}, fmt.Errorf("new key: %w", err)
	}
	return s.put(name, seed, p)
}

// Import takes a seed in hexadecimal.
func (s *Store) Import(name, seed string, p Protection) (Key, error) {
	raw, err := hex.DecodeString(strings.TrimSpace(seed))
	if err != nil || len(raw) != ed25519.SeedSize {
		return Key{}, ErrSeed
	}
	return s.put(name, [ed25519.SeedSize]byte(raw), p)
}

func (s *Store) put(name string, seed [ed25519.SeedSize]byte, p Protection) (Key, error) {
	path, err := s.path(name)
	if err != nil {
		return Key{}, err
	}
	k := Key{name, NewSigner(seed).Public(), p.Unprotected}
	f, err := s.seal(seed, p)
	if err != nil {
		return Key{}, err
	}
	return k, write(path, f)
}

var nameForm = regexp.MustCompile(`^[a-z0-9_-]{1,64}$`)

func (s *Store) path(name string) (string, error) {
	if !nameForm.MatchString(name) {
		return "", fmt.Errorf("%w: %q", ErrName, name)
	}
	return filepath.Join(s.Dir, name+".json"), nil
}

// Get returns what is known of a key without its passphrase.
func (s *Store) Get(name string) (Key, error) {
	k, _, err := s.read(name)
	return k, err
}

// List returns all keys, by name. Files that are no keys are left out.
func (s *Store) List() ([]Key, error) {
	entries, err := os.ReadDir(s.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	var all []Key
	for _, e := range entries {
		name, key := strings.CutSuffix(e.Name(), ".json")
		if !key || !nameForm.MatchString(name) {
			continue
		}
		k, err := s.Get(name)
		if err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b Key) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// Unlock decrypts a key. Passphrase is called only if the key has one.
func (s *Store) Unlock(name string, passphrase func() (string, error)) (*Signer, error) {
	k, f, err := s.read(name)
	if err != nil {
		return nil, err
	}
	path, err := s.path(name)
	if err == nil {
		err = private(path)
	}
	if err != nil {
		return nil, fmt.Errorf("unlock %s: %w", name, err)
	}
	var seed []byte
	if k.Unprotected {
		seed, _ = hex.DecodeString(f.Unprotected) // of another length if it is none
	} else {
		seed, err = open(f.Encrypted, passphrase)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("unlock %s: %w", name, err)
	case len(seed) != ed25519.SeedSize:
		return nil, fmt.Errorf("unlock %s: %w", name, ErrFile)
	}
	signer := NewSigner([ed25519.SeedSize]byte(seed))
	if signer.Public() != k.Public {
		return nil, fmt.Errorf("unlock %s: %w: its public key is another's", name, ErrFile)
	}
	return signer, nil
}

// Protect replaces the passphrase of a key.
func (s *Store) Protect(name string, passphrase func() (string, error), p Protection) error {
	signer, err := s.Unlock(name, passphrase)
	if err != nil {
		return err
	}
	f, err := s.seal([ed25519.SeedSize]byte(signer.private.Seed()), p)
	if err != nil {
		return err
	}
	path, err := s.path(name)
	if err != nil {
		return err
	}
	next := path + ".next"
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("write key: %w", err)
	}
	if err := write(next, f); err != nil {
		return err
	}
	if err := os.Rename(next, path); err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	return syncFolder(s.Dir)
}
