package ures

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/ipfs/boxo/files"
	unixfile "github.com/ipfs/boxo/ipld/unixfs/file"
	format "github.com/ipfs/go-ipld-format"
)

// Export writes a resource that is here to a path where nothing is yet: a file, or a folder. A file
// appears under its name when all of it is on the disk.
func (s *Store) Export(ctx context.Context, text, path string, progress Progress) error {
	n, err := s.node(ctx, text)
	if err != nil {
		return err
	}
	defer func() { _ = n.Close() }()
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("export %s: %s exists already", text, path)
	}
	if err := export(n, path, progress); err != nil {
		return fmt.Errorf("export %s: %w", text, err)
	}
	return nil
}

// Open reads a file that is here. Close it.
func (s *Store) Open(ctx context.Context, text string) (io.ReadSeekCloser, int64, error) {
	n, err := s.node(ctx, text)
	if err != nil {
		return nil, 0, err
	}
	f, ok := n.(files.File)
	if _, link := n.(*files.Symlink); link || !ok {
		return nil, 0, errors.Join(fmt.Errorf("open %s: %w: it is no file", text, ErrContent), n.Close())
	}
	size, err := f.Size()
	if err != nil {
		return nil, 0, errors.Join(fmt.Errorf("open %s: %w", text, err), n.Close())
	}
	return f, size, nil
}

func (s *Store) node(ctx context.Context, text string) (files.Node, error) {
	c, err := parse(text)
	if err != nil {
		return nil, err
	}
	root, err := s.local.Get(ctx, c)
	if format.IsNotFound(err) {
		return nil, fmt.Errorf("%w here: %s", ErrNotFound, text)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", text, err)
	}
	n, err := unixfile.NewUnixfsFile(ctx, s.local, root)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w: %v", text, ErrContent, err)
	}
	return n, nil
}

func export(n files.Node, path string, progress Progress) error {
	switch n := n.(type) {
	case *files.Symlink: // which is a files.File too
	case files.File:
		return exportFile(n, path, progress)
	case files.Directory:
		return exportFolder(n, path, progress)
	}
	return fmt.Errorf("%w: %s would be neither a file nor a folder", ErrContent, filepath.Base(path))
}

func exportFile(in io.Reader, path string, progress Progress) (err error) {
	out, err := os.CreateTemp(filepath.Dir(path), ".wes-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(out.Name()) }() // renamed, or of no use
	_, err = io.Copy(out, &counting{in, progress})
	if err == nil {
		err = out.Sync()
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return err
	}
	return os.Rename(out.Name(), path)
}

func exportFolder(d files.Directory, path string, progress Progress) error {
	if err := os.Mkdir(path, 0o755); err != nil {
		return err
	}
	entries := d.Entries()
	for entries.Next() {
		if err := checkName(entries.Name()); err != nil {
			return err
		}
		if err := export(entries.Node(), filepath.Join(path, entries.Name()), progress); err != nil {
			return err
		}
	}
	return entries.Err()
}

// checkName refuses names that lead out of a folder, or that no file system has.
func checkName(name string) error {
	if name == "" || name == "." || name == ".." || len(name) > 255 || strings.ContainsAny(name, "/\\\x00:") {
		return fmt.Errorf("%w: a file named %q", ErrContent, name[:min(len(name), 100)])
	}
	return nil
}
