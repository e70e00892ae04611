package circuit

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// part writes a file of a package.
type part struct {
	name  string
	write func(io.Writer) error
}

func rawBytes(name string, b []byte) part {
	return part{name, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	}}
}

// CheckNew refuses a folder that holds something, before work is spent.
func CheckNew(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return &InputError{dir, cause(err)}
	case len(entries) > 0:
		return unusable(dir, "exists already: packages are never changed; name another folder or remove it")
	}
	return nil
}

// write makes a package: the parts go into a temporary folder beside dir, which gets its
// name when all of it is on the disk.
func write(dir string, m *Manifest, parts []part) (*Package, error) {
	return whole(dir, func(temp string) error { return writeParts(temp, m, parts) })
}

// whole makes a package of what fill writes into a temporary folder, or nothing.
func whole(dir string, fill func(temp string) error) (p *Package, err error) {
	if err := CheckNew(dir); err != nil {
		return nil, err
	}
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return nil, err
	}
	temp, err := os.MkdirTemp(parent, "."+filepath.Base(dir)+".*")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(temp)
		}
	}()
	if err := fill(temp); err != nil {
		return nil, err
	}
	if err := settle(temp, dir); err != nil {
		return nil, err
	}
	return Open(dir)
}

// Move gives a package another folder of the same file system, which must not exist or be
// empty.
func Move(from, to string) (*Package, error) {
	if err := CheckNew(to); err != nil {
		return nil, err
	}
	if err := settle(from, to); err != nil {
		return nil, err
	}
	return Open(to)
}

// settle gives a complete folder its name. An empty folder of that name may be there.
func settle(temp, dir string) error {
	if err := os.Chmod(temp, 0o755); err != nil {
		return err
	}
	if err := syncDir(temp); err != nil {
		return err
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(temp, dir); err != nil {
		return err
	}
	return syncDir(filepath.Dir(dir))
}

func writeParts(dir string, m *Manifest, parts []part) error {
	for _, p := range parts {
		made, err := writePart(filepath.Join(dir, p.name), p.write)
		if err != nil {
			return fmt.Errorf("write %s: %w", p.name, err)
		}
		switch p.name {
		case CircuitFile:
			m.Circuit = &made
		case ProvingFile:
			m.Proving = &made
		case VerifyingFile:
			m.Verifying = made
		}
	}
	if err := m.validate(); err != nil {
		return err
	}
	return m.write(dir)
}

func (m *Manifest) write(dir string) error {
	b := m.Encode()
	_, err := writePart(filepath.Join(dir, ManifestFile), func(w io.Writer) error {
		_, err := io.Copy(w, bytes.NewReader(b))
		return err
	})
	return err
}

// writePart writes and syncs one file.
func writePart(path string, write func(io.Writer) error) (p Part, err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return p, err
	}
	defer func() {
		if closed := f.Close(); err == nil {
			err = closed
		}
	}()
	sum := sha256.New()
	w := bufio.NewWriterSize(io.MultiWriter(f, sum), 1<<20)
	if err := write(w); err != nil {
		return p, err
	}
	if err := w.Flush(); err != nil {
		return p, err
	}
	if err := f.Sync(); err != nil {
		return p, err
	}
	size, err := f.Seek(0, io.SeekCurrent)
	return Part{hex.EncodeToString(sum.Sum(nil)), size}, err
}

// syncDir makes renames last. Not every file system can do that for a folder.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !unsyncable(err) {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return nil
}

func unsyncable(err error) bool {
	return errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) || errors.Is(err, fs.ErrPermission)
}
