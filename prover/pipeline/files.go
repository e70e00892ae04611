package pipeline

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// File is content with the name it gets.
type File struct {
	Name string
	Data []byte
}

// WriteFile replaces a file: whoever looks sees the old one or the new one whole, also
// after a crash.
func WriteFile(path string, data []byte) error {
	return WriteFiles(filepath.Dir(path), []File{{filepath.Base(path), data}})
}

// WriteFiles puts files into a folder that exists. None gets its name before all of them
// are on the disk.
func WriteFiles(dir string, files []File) error {
	temps := make([]string, 0, len(files))
	defer func() {
		for _, t := range temps {
			os.Remove(t)
		}
	}()
	for _, f := range files {
		tmp, err := writeTemp(dir, f)
		if tmp != "" {
			temps = append(temps, tmp)
		}
		if err != nil {
			return fmt.Errorf("write %s: %w", filepath.Join(dir, f.Name), err)
		}
	}
	for i, f := range files {
		if err := os.Rename(temps[i], filepath.Join(dir, f.Name)); err != nil {
			return err
		}
	}
	return syncDir(dir)
}

// writeTemp writes and syncs a temporary file. Its name is "" when there is none.
func writeTemp(dir string, f File) (name string, err error) {
	tmp, err := os.CreateTemp(dir, "."+f.Name+".*")
	if err != nil {
		return "", err
	}
	_, err = tmp.Write(f.Data)
	if err == nil {
		err = tmp.Chmod(0o644)
	}
	if err == nil {
		err = tmp.Sync()
	}
	if closeErr := tmp.Close(); err == nil {
		err = closeErr
	}
	return tmp.Name(), err
}

// MakeDir makes a folder and checks that files can be made in it, before work is spent on
// what they would hold.
func MakeDir(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	name, err := writeTemp(dir, File{Name: "probe"})
	if name != "" {
		os.Remove(name)
	}
	return err
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
