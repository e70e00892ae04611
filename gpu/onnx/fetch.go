package onnx

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// The package that carries the library, pinned by the hash of its archive.
const (
	npmPackage    = "onnxruntime-node@" + Version
	archiveSHA512 = "b7086cd42d82fc1164cf5c9ce4e634288536194aba0d444eee10f86f1e50d90cb79c0309c115d6f31537355733136f5503d96894b3987a9a03f1f8d318e7c8ab"
)

// Stage is a step of Fetch.
type Stage string

// The stages of Fetch, in order. Download has no known total: npm does not tell.
const (
	StageDownload Stage = "download"
	StageVerify   Stage = "verify"
	StageExtract  Stage = "extract"
)

// Fetch installs the library where Locate looks, unless it is there already: npm downloads
// the package, without running anything of it, and the library alone is kept. progress, if
// not nil, is told the bytes done and, where known, the total (else 0). It returns the
// library's path.
func Fetch(ctx context.Context, progress func(stage Stage, done, total int64)) (string, error) {
	path, err := cachePath()
	if err != nil {
		return "", fmt.Errorf("fetch ONNX Runtime: %w", err)
	}
	if regular(path) == nil {
		return path, nil
	}
	if progress == nil {
		progress = func(Stage, int64, int64) {}
	}
	if err := fetch(ctx, path, progress); err != nil {
		return "", fmt.Errorf("fetch ONNX Runtime: %w", err)
	}
	return path, nil
}

func fetch(ctx context.Context, path string, progress func(Stage, int64, int64)) error {
	folder := platform()
	if folder == "" {
		return fmt.Errorf("%w: the package has no library for %s/%s: set %s to one", ErrUnavailable, runtime.GOOS, runtime.GOARCH, LibraryVariable)
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return fmt.Errorf("%w: npm is not installed: install Node.js, or set %s to a library", ErrUnavailable, LibraryVariable)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(path), "fetch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	progress(StageDownload, 0, 0)
	archive, err := download(ctx, npm, tmp)
	if err != nil {
		return err
	}
	if err := verify(ctx, archive, progress); err != nil {
		return err
	}
	return extract(ctx, archive, "package/bin/napi-v6/"+folder+"/libonnxruntime.so.1", path, progress)
}

// download lets npm put the package's archive into a folder and returns its path.
func download(ctx context.Context, npm, dir string) (string, error) {
	cmd := exec.CommandContext(ctx, npm, "pack", npmPackage, "--pack-destination", dir, "--silent")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", fmt.Errorf("npm pack %s: %v: %s", npmPackage, err, tailOf(out))
	}
	found, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("npm pack %s left %d archives", npmPackage, len(found))
	}
	return found[0], nil
}

// tailOf is what an error shows of a program's output.
func tailOf(out []byte) []byte { return out[max(0, len(out)-1<<12):] }

// verify compares the archive with the pinned hash.
func verify(ctx context.Context, archive string, progress func(Stage, int64, int64)) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	hash := sha512.New()
	if _, err := io.Copy(hash, &meter{ctx: ctx, r: f, report: func(n int64) { progress(StageVerify, n, info.Size()) }}); err != nil {
		return err
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != archiveSHA512 {
		return fmt.Errorf("archive of %s has SHA-512 %s, want %s", npmPackage, got, archiveSHA512)
	}
	return nil
}

// extract writes one file of the archive to path, whole or not at all.
func extract(ctx context.Context, archive, name, path string, progress func(Stage, int64, int64)) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	unzip, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	files := tar.NewReader(unzip)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("archive has no %s", name)
		}
		if err != nil {
			return err
		}
		if h.Name == name && h.Typeflag == tar.TypeReg {
			return writeFile(path, &meter{ctx: ctx, r: files, report: func(n int64) { progress(StageExtract, n, h.Size) }})
		}
	}
}

// writeFile writes through a temporary file, so that path never holds a part.
func writeFile(path string, r io.Reader) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "part-")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = io.Copy(tmp, r)
	if err == nil {
		err = tmp.Chmod(0o755)
	}
	if err == nil {
		err = tmp.Sync()
	}
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

// meter reports the bytes that were read and stops when the context ends.
type meter struct {
	ctx    context.Context
	r      io.Reader
	n      int64
	report func(n int64)
}

func (m *meter) Read(p []byte) (int, error) {
	if err := m.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := m.r.Read(p)
	m.n += int64(n)
	m.report(m.n)
	return n, err
}
