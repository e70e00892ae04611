package circuit

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Package is a folder with everything to prove one circuit, or only to verify its proofs.
type Package struct {
	Dir      string
	Manifest *Manifest
	digest   [sha256.Size]byte // of the manifest, so of all parts
}

// Open reads the manifest and looks whether the parts have their sizes. Its errors are
// *InputError.
func Open(dir string) (*Package, error) {
	b, err := readAll(filepath.Join(dir, ManifestFile), maxManifest)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("no %s in it: not a package", ManifestFile)
		}
		return nil, &InputError{dir, err}
	}
	m, err := DecodeManifest(b)
	if err != nil {
		return nil, &InputError{dir, err}
	}
	p := &Package{dir, m, sha256.Sum256(b)}
	for _, f := range m.files() {
		if err := p.stat(f); err != nil {
			return nil, &InputError{p.path(f.name), err}
		}
	}
	return p, nil
}

// CanProve refuses a verifier's package.
func (p *Package) CanProve() error {
	if p.Manifest.Proving == nil {
		return unusable(p.Dir, "a verifier's package: it has no proving key")
	}
	return nil
}

// VerifyingKey loads the key after its digest matched.
func (p *Package) VerifyingKey() (*VerifyingKey, error) {
	b, err := p.read(file{VerifyingFile, p.Manifest.Verifying})
	if err != nil {
		return nil, err
	}
	k, err := p.Manifest.verifyingKey(b)
	if err != nil {
		return nil, &InputError{p.path(VerifyingFile), err}
	}
	return k, nil
}

// CheckParts compares the digests of all parts with the manifest's.
func (p *Package) CheckParts() error {
	for _, f := range p.Manifest.files() {
		if err := p.digestPart(f); err != nil {
			return &InputError{p.path(f.name), err}
		}
	}
	return nil
}

func (p *Package) digestPart(f file) error {
	r, err := os.Open(p.path(f.name))
	if err != nil {
		return cause(err)
	}
	defer r.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, r); err != nil {
		return cause(err)
	}
	return f.matches([sha256.Size]byte(sum.Sum(nil)))
}

func (p *Package) path(name string) string { return filepath.Join(p.Dir, name) }

func (p *Package) stat(f file) error {
	info, err := os.Stat(p.path(f.name))
	if err != nil {
		return cause(err)
	}
	if info.Size() != f.Size {
		return fmt.Errorf("%d bytes, the manifest has %d", info.Size(), f.Size)
	}
	return nil
}

// read gives a part whose digest matches.
func (p *Package) read(f file) ([]byte, error) {
	b, err := readAll(p.path(f.name), f.Size)
	if err == nil {
		err = f.matches(sha256.Sum256(b))
	}
	if err != nil {
		return nil, &InputError{p.path(f.name), err}
	}
	return b, nil
}

func (f file) matches(sum [sha256.Size]byte) error {
	if got := hex.EncodeToString(sum[:]); got != f.SHA256 {
		return fmt.Errorf("SHA-256 is %s, the manifest has %s", got, f.SHA256)
	}
	return nil
}

// readAll reads a file of at most max bytes.
func readAll(path string, max int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, cause(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, cause(err)
	}
	if info.Size() > max {
		return nil, fmt.Errorf("%d bytes, want at most %d", info.Size(), max)
	}
	b := make([]byte, info.Size())
	if _, err := io.ReadFull(f, b); err != nil {
		return nil, cause(err)
	}
	return b, nil
}

// cause drops the path and the system call, which the caller names better.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
