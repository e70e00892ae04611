package pipeline

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// cached prepares a model in a cache and returns the entry's path.
func cached(t *testing.T, l *Line, s Source) string {
	t.Helper()
	p, err := l.Prepare(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if p.Cached || p.NotCached != nil {
		t.Fatalf("cached %v, not cached: %v", p.Cached, p.NotCached)
	}
	return l.Cache.path(s.key())
}

func TestCachedProgramProvesTheSame(t *testing.T) {
	s := shipped(t, "digits_lenet")
	l := Line{Cache: &Cache{Dir: filepath.Join(t.TempDir(), "deep", "er")}}
	first, a := run(t, &l, s, EngineInterpreter)
	second, b := run(t, &l, s, EngineInterpreter)
	if a.Cached || !b.Cached {
		t.Errorf("cached: %v, then %v", a.Cached, b.Cached)
	}
	if !bytes.Equal(first.Proof, second.Proof) || !bytes.Equal(first.Model, second.Model) || a.Accuracy != b.Accuracy {
		t.Error("the program read back proves something else")
	}
}

func TestDamagedCacheEntriesAreMadeAnew(t *testing.T) {
	s := shipped(t, "iris_mlp")
	for _, damage := range []func([]byte) []byte{
		func([]byte) []byte { return nil },
		func(b []byte) []byte { return b[:len(b)/2] },
		func(b []byte) []byte { return b[:len(b)-1] },
		func(b []byte) []byte { b[0] ^= 1; return b },
		func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		func(b []byte) []byte { return append(b, 0) },
	} {
		l := Line{Cache: &Cache{Dir: t.TempDir()}}
		path := cached(t, &l, s)
		entry, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, damage(bytes.Clone(entry)), 0o600); err != nil {
			t.Fatal(err)
		}
		cached(t, &l, s)
		if again, _ := os.ReadFile(path); !bytes.Equal(again, entry) {
			t.Error("the entry was not made anew")
		}
	}
}

// A checksum does not stop a file that another version wrote by other rules.
func TestForeignCacheEntriesDoNotPanic(t *testing.T) {
	p, err := new(Line).Prepare(t.Context(), shipped(t, "iris_mlp"))
	if err != nil {
		t.Fatal(err)
	}
	body := encodeEntry(p.Prepared)[len(cacheMagic)+sha256.Size:]
	for n := 0; n < len(body); n += 29 {
		if _, err := decodeBody(body[:n]); err == nil {
			t.Errorf("%d bytes of %d are taken for an entry", n, len(body))
		}
		changed := bytes.Clone(body)
		changed[n] ^= 0x81
		decodeBody(changed)
	}
}

func TestCacheDropsWhatWasUnusedForLongest(t *testing.T) {
	c := Cache{Dir: t.TempDir(), Size: 2500}
	for i := range 4 {
		path := filepath.Join(c.Dir, fmt.Sprint(i)+cacheSuffix)
		if err := os.WriteFile(path, make([]byte, 1000), 0o600); err != nil {
			t.Fatal(err)
		}
		used := time.Now().Add(time.Duration(i) * time.Minute)
		if err := os.Chtimes(path, used, used); err != nil {
			t.Fatal(err)
		}
	}
	other := filepath.Join(c.Dir, "library.so")
	if err := os.WriteFile(other, make([]byte, 9000), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.evict(); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(c.Dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprint([]string{filepath.Join(c.Dir, "2"+cacheSuffix), filepath.Join(c.Dir, "3"+cacheSuffix), other})
	if got := fmt.Sprint(left); got != want {
		t.Errorf("left is %s, want %s", got, want)
	}
}

func TestACacheThatCannotBeWrittenIsReported(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l := Line{Cache: &Cache{Dir: file}}
	p, err := l.Prepare(t.Context(), shipped(t, "iris_mlp"))
	if err != nil {
		t.Fatal(err)
	}
	if p.NotCached == nil {
		t.Error("no error is reported")
	}
}
