package onnx

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func archiveOf(t *testing.T, name, content string) string {
	t.Helper()
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	files := tar.NewWriter(zip)
	for _, f := range [][2]string{{"package/install.js", "no"}, {name, content}} {
		if err := files.WriteHeader(&tar.Header{Name: f[0], Typeflag: tar.TypeReg, Size: int64(len(f[1])), Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		files.Write([]byte(f[1]))
	}
	files.Close()
	zip.Close()
	path := filepath.Join(t.TempDir(), "a.tgz")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestExtractKeepsOneFile(t *testing.T) {
	archive := archiveOf(t, "package/lib.so", "library")
	dir := t.TempDir()
	path := filepath.Join(dir, "lib.so")
	var last, total int64
	progress := func(_ Stage, done, of int64) { last, total = done, of }
	if err := extract(t.Context(), archive, "package/lib.so", path, progress); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); string(got) != "library" || last != 7 || total != 7 {
		t.Errorf("wrote %q, progress %d of %d", got, last, total)
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("%d files left", len(files))
	}
	if err := extract(t.Context(), archive, "package/other.so", path, progress); err == nil || !strings.Contains(err.Error(), "other.so") {
		t.Errorf("got %v", err)
	}
}

func TestVerifyRefusesAnotherArchive(t *testing.T) {
	err := verify(t.Context(), archiveOf(t, "package/lib.so", "library"), func(Stage, int64, int64) {})
	if err == nil || !strings.Contains(err.Error(), archiveSHA512) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := verify(ctx, archiveOf(t, "a", "b"), func(Stage, int64, int64) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestFetchSaysThatNpmIsMissing(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("PATH", t.TempDir())
	if _, err := Fetch(t.Context(), nil); !errors.Is(err, ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

func TestFetchKeepsAnInstalledLibrary(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("PATH", t.TempDir())
	path, err := cachePath()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("library"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got, err := Fetch(t.Context(), nil); err != nil || got != path {
		t.Errorf("got %s, %v", got, err)
	}
}
