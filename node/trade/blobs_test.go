package trade

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/weisyn/wes/chain"
)

func newBlobs(t *testing.T) *blobs {
	t.Helper()
	b, err := openBlobs(filepath.Join(t.TempDir(), "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBlobsAreReadByTheirHash(t *testing.T) {
	b := newBlobs(t)
	h, err := b.put([]byte("bytes"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := b.get(h); err != nil || string(got) != "bytes" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := b.get(chain.Hash{1}); !errors.Is(err, ErrNoBlob) {
		t.Error(err)
	}
	if _, err := b.read(fundingName(buyerSide, h)); !errors.Is(err, ErrNoBlob) {
		t.Error(err)
	}
}

// TestBlobsThatAreDamagedAreNone: and storing the bytes again makes them good.
func TestBlobsThatAreDamagedAreNone(t *testing.T) {
	b := newBlobs(t)
	h, err := b.put([]byte("bytes"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b.path(h.String()), []byte("bites"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := b.get(h); !errors.Is(err, ErrNoBlob) {
		t.Error(err)
	}
	if _, err := b.put([]byte("bytes")); err != nil {
		t.Fatal(err)
	}
	if got, err := b.get(h); err != nil || string(got) != "bytes" {
		t.Errorf("%q, %v", got, err)
	}
}

// TestSweepKeepsWhatIsNeededOrYoung: bytes that come before the job that needs them are young.
func TestSweepKeepsWhatIsNeededOrYoung(t *testing.T) {
	b := newBlobs(t)
	needed := map[string]bool{}
	names := map[string]chain.Hash{}
	for _, text := range []string{"needed", "young", "old", "old but put again"} {
		h, err := b.put([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		names[text] = h
		if text != "young" {
			long := time.Now().Add(-2 * time.Hour)
			if err := os.Chtimes(b.path(h.String()), long, long); err != nil {
				t.Fatal(err)
			}
		}
	}
	needed[names["needed"].String()] = true
	if _, err := b.put([]byte("old but put again")); err != nil {
		t.Fatal(err)
	}
	if err := b.sweep(needed, time.Hour); err != nil {
		t.Fatal(err)
	}
	for text, h := range names {
		if _, err := b.get(h); (err != nil) != (text == "old") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestBlobsAreWholeOrNotThere: what a write was to replace stays until the new bytes are all there.
func TestBlobsAreWholeOrNotThere(t *testing.T) {
	b := newBlobs(t)
	if err := b.write("name", []byte("first")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(b.path("folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.path("folder"), "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := b.write("folder", []byte("second")); err == nil {
		t.Error("a folder was replaced")
	}
	if err := b.write("name", []byte("second")); err != nil {
		t.Error(err)
	}
	if got, err := b.read("name"); err != nil || string(got) != "second" {
		t.Errorf("%q, %v", got, err)
	}
	if left, err := filepath.Glob(b.path(".new-*")); err != nil || len(left) > 0 {
		t.Errorf("%v are left: %v", left, err)
	}
}
