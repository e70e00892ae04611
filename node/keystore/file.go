package keystore

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/weisyn/wes/chain"
)

// file is the form on disk.
type file struct {
	Version     int    `json:"version"`
	Public      string `json:"public"`
	Encrypted   []byte `json:"encrypted,omitempty"`
	Unprotected string `json:"unprotected,omitempty"`
}

// write makes a file that was not there: whole or not at all.
func write(path string, f *file) error {
	raw, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	t, err := os.CreateTemp(dir, ".new-*") // for its owner alone
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
	return syncFolder(dir)
}

// syncFolder makes new names durable. Windows knows no such thing.
func syncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err == nil {
		err = errors.Join(d.Sync(), d.Close())
	}
	if err != nil {
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
	raw, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Key{}, nil, fmt.Errorf("%w: %q in %s", ErrNotFound, name, s.Dir)
	}
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

// readFile reads a file that is no link, up to one byte too many.
func readFile(path string) ([]byte, error) {
	named, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !named.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s", ErrNotRegular, path)
	}
	in, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }()
	if opened, err := in.Stat(); err != nil || !os.SameFile(named, opened) {
		return nil, errors.Join(fmt.Errorf("%w: %s has changed", ErrNotRegular, path), err)
	}
	return io.ReadAll(io.LimitReader(in, maxFile+1))
}

// private refuses a file that others can read or write. Windows has no such bits.
func private(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	i, err := os.Lstat(path)
	if err != nil {
		return fmt.Errorf("read key: %w", err)
	}
	if i.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%w: chmod 600 %s", ErrPermissions, path)
	}
	return nil
}

func decode(raw []byte) (Key, *file, error) {
	var f file
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if len(raw) > maxFile || d.Decode(&f) != nil || f.Version != formatVersion {
		return Key{}, nil, ErrFile
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Key{}, nil, ErrFile
	}
	public, err := hex.DecodeString(f.Public)
	if err != nil || len(public) != ed25519.PublicKeySize || (f.Unprotected == "") == (len(f.Encrypted) == 0) {
		return Key{}, nil, ErrFile
	}
	return Key{Public: chain.PublicKey(public), Unprotected: f.Unprotected != ""}, &f, nil
}
