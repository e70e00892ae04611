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
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"filippo.io/age"
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
	// ErrPassphrase: the passphrase is wrong.
	ErrPassphrase = errors.New("the passphrase is wrong")
	// ErrEmpty: a key needs a passphrase, unless it is said to be unprotected.
	ErrEmpty = errors.New("the passphrase is empty")
	// ErrFile: a file is none of this package, or damaged.
	ErrFile = errors.New("not a key file, or a damaged one")
	// ErrSeed: a seed is 64 hexadecimal digits.
	ErrSeed = errors.New("a seed is 64 hexadecimal digits")
)

// formatVersion is the version of the files.
const formatVersion = 1

// DefaultWorkFactor is the logarithm of scrypt's cost: about a second.
const DefaultWorkFactor = 18

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

// Signer is an unlocked key.
type Signer struct{ private ed25519.PrivateKey }

// NewSigner returns the key of a seed.
func NewSigner(seed [ed25519.SeedSize]byte) *Signer {
	return &Signer{ed25519.NewKeyFromSeed(seed[:])}
}

// Public returns the public key.
func (s *Signer) Public() chain.PublicKey {
	return chain.PublicKey(s.private.Public().(ed25519.PublicKey))
}

// Lock returns the lock that the key alone opens.
func (s *Signer) Lock() chain.Lock { return chain.Key{Key: s.Public()} }

// Sign signs a digest.
func (s *Signer) Sign(h chain.Hash) []byte { return ed25519.Sign(s.private, h[:]) }

// Seed returns what Import takes, for a backup.
func (s *Signer) Seed() string { return hex.EncodeToString(s.private.Seed()) }

// file is the form on disk.
type file struct {
	Version     int    `json:"version"`
	Public      string `json:"public"`
	Encrypted   []byte `json:"encrypted,omitempty"`
	Unprotected string `json:"unprotected,omitempty"`
}

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

// seal makes the file of a seed.
func (s *Store) seal(seed [ed25519.SeedSize]byte, p Protection) (*file, error) {
	public := NewSigner(seed).Public()
	f := &file{Version: formatVersion, Public: hex.EncodeToString(public[:])}
	if p.Unprotected {
		f.Unprotected = hex.EncodeToString(seed[:])
		return f, nil
	}
	if p.Passphrase == "" {
		return nil, ErrEmpty
	}
	r, err := age.NewScryptRecipient(p.Passphrase)
	if err != nil {
		return nil, fmt.Errorf("encrypt a key: %w", err)
	}
	work := s.WorkFactor
	if work == 0 {
		work = DefaultWorkFactor
	}
	r.SetWorkFactor(work)
	var out bytes.Buffer
	w, err := age.Encrypt(&out, r)
	if err == nil {
		if _, err = w.Write(seed[:]); err == nil {
			err = w.Close()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("encrypt a key: %w", err)
	}
	f.Encrypted = out.Bytes()
	return f, nil
}

var nameForm = regexp.MustCompile(`^[a-z0-9_-]{1,64}$`)

func (s *Store) path(name string) (string, error) {
	if !nameForm.MatchString(name) {
		return "", fmt.Errorf("%w: %q", ErrName, name)
	}
	return filepath.Join(s.Dir, name+".json"), nil
}

// write makes a file that was not there: whole or not at all.
func write(path string, f *file) error {
	raw, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	t, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	defer func() { _ = os.Remove(t.Name()) }() // linked under its name, or of no use
	_, err = t.Write(append(raw, '\n'))
	if err == nil {
		err = t.Sync()
	}
	if err = errors.Join(err, t.Close()); err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	if err := os.Link(t.Name(), path); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return ErrExists
		}
		return fmt.Errorf("write key: %w", err)
	}
	return nil
}

// read decodes the file of a key.
func (s *Store) read(name string) (Key, *file, error) {
	path, err := s.path(name)
	if err != nil {
		return Key{}, nil, err
	}
	in, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Key{}, nil, fmt.Errorf("%w: %q in %s", ErrNotFound, name, s.Dir)
	}
	if err != nil {
		return Key{}, nil, fmt.Errorf("read key: %w", err)
	}
	defer func() { _ = in.Close() }()
	raw, err := io.ReadAll(io.LimitReader(in, maxFile+1))
	if err != nil {
		return Key{}, nil, fmt.Errorf("read key: %w", err)
	}
	k, f, err := decode(raw)
	if err != nil {
		return k, nil, fmt.Errorf("%s: %w", path, err)
	}
	k.Name = name
	return k, f, nil
}

func decode(raw []byte) (Key, *file, error) {
	var f file
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if len(raw) > maxFile || d.Decode(&f) != nil || f.Version != formatVersion {
		return Key{}, nil, ErrFile
	}
	public, err := hex.DecodeString(f.Public)
	if err != nil || len(public) != ed25519.PublicKeySize || (f.Unprotected == "") == (len(f.Encrypted) == 0) {
		return Key{}, nil, ErrFile
	}
	return Key{Public: chain.PublicKey(public), Unprotected: f.Unprotected != ""}, &f, nil
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
	var seed []byte
	if k.Unprotected {
		seed, err = hex.DecodeString(f.Unprotected)
	} else {
		seed, err = open(f.Encrypted, passphrase)
	}
	switch {
	case errors.Is(err, ErrPassphrase):
		return nil, fmt.Errorf("unlock %s: %w", name, err)
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

func open(encrypted []byte, passphrase func() (string, error)) ([]byte, error) {
	p, err := passphrase()
	if err != nil {
		return nil, err
	}
	if p == "" {
		return nil, ErrEmpty
	}
	id, err := age.NewScryptIdentity(p)
	if err != nil {
		return nil, err
	}
	id.SetMaxWorkFactor(DefaultWorkFactor + 4) // a file of a stranger shall not cost minutes
	r, err := age.Decrypt(bytes.NewReader(encrypted), id)
	if errors.Is(err, age.ErrIncorrectIdentity) {
		return nil, ErrPassphrase
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrFile, err)
	}
	seed, err := io.ReadAll(io.LimitReader(r, ed25519.SeedSize+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrFile, err)
	}
	return seed, nil
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
	return nil
}
