package executor

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/weisyn/wes/prover/circuit"
)

// put makes the package of a circuit under a name.
func put(t *testing.T, s *Shelf, name string, d *deployedCircuit) (b *book, made bool) {
	t.Helper()
	b, err := s.get(t.Context(), name, func(dir string) (*circuit.Package, error) {
		made = true
		return circuit.Unpack(bytes.NewReader(d.pkg), dir, int64(len(d.pkg)))
	})
	if err != nil {
		t.Fatal(err)
	}
	return b, made
}

func TestShelfForgetsWhatNobodyUses(t *testing.T) {
	d := circuitOf(t, "groth16")
	s := shelf(t, t.TempDir(), int64(2*len(d.pkg)))
	a, _ := put(t, s, "a", d)
	b, _ := put(t, s, "b", d)
	s.release(b)
	c, _ := put(t, s, "c", d)
	s.release(c) // a is in use, b was used before c
	for name, want := range map[string]bool{"a": false, "c": false} {
		x, made := put(t, s, name, d)
		if made != want {
			t.Errorf("%s was made anew", name)
		}
		s.release(x)
	}
	if _, err := os.Stat(b.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("b is still on the disk: %v", err)
	}
	if _, err := os.Stat(a.dir); err != nil {
		t.Errorf("a is in use: %v", err)
	}
}

func TestShelfTakesWholePackagesOnly(t *testing.T) {
	d := circuitOf(t, "groth16")
	dir := t.TempDir()
	first := shelf(t, dir, 0)
	a, _ := put(t, first, "a", d)
	broken, _ := put(t, first, "broken", d)
	if err := os.Remove(filepath.Join(broken.dir, circuit.ProvingFile)); err != nil {
		t.Fatal(err)
	}
	for _, left := range []string{a.dir + ".packed", filepath.Join(dir, ".half"), filepath.Join(dir, "note")} {
		if err := os.MkdirAll(left, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	again := shelf(t, dir, 0)
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 || filepath.Join(dir, entries[0].Name()) != a.dir {
		t.Errorf("the shelf has %v: %v", entries, err)
	}
	if _, made := put(t, again, "a", d); made {
		t.Error("a was made anew")
	}
	if _, made := put(t, again, "broken", d); !made {
		t.Error("a package without proving key was taken")
	}
}

func TestFailedPackageIsTriedAgain(t *testing.T) {
	d := circuitOf(t, "groth16")
	s := shelf(t, t.TempDir(), 0)
	fault := errors.New("no")
	started, finish := make(chan struct{}), make(chan struct{})
	failed := make(chan error)
	go func() {
		_, err := s.get(t.Context(), "a", func(string) (*circuit.Package, error) { close(started); <-finish; return nil, fault })
		failed <- err
	}()
	<-started
	waited := make(chan error)
	made := false
	go func() {
		_, err := s.get(t.Context(), "a", func(dir string) (*circuit.Package, error) {
			made = true
			return circuit.Unpack(bytes.NewReader(d.pkg), dir, int64(len(d.pkg)))
		})
		waited <- err
	}()
	close(finish)
	if err := <-failed; !errors.Is(err, fault) {
		t.Errorf("got %v", err)
	}
	if err := <-waited; err != nil || !made {
		t.Errorf("who waited tries itself: %v", err)
	}
}
