package fleet

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
)

func TestProgramReachesTheWorker(t *testing.T) {
	n := run(t, Config{Listen: "127.0.0.1:0", Token: token})
	stop := background(t, func(ctx context.Context) error {
		return Work(ctx, WorkerConfig{URL: "nats://" + n.Address(), Token: token, Name: "a", Dir: t.TempDir(), Poll: quickPoll}, &trial{slots: cpu(3)})
	})
	t.Cleanup(stop)
	program := bytes.Repeat([]byte("program "), 1<<17)
	task := job("x", "program")
	task.Program = "bafy1"
	if err := n.Submit(t.Context(), task); !errors.Is(err, ErrNoProgram) {
		t.Errorf("submit before put: %v", err)
	}
	if err := n.Put(t.Context(), "bafy1", bytes.NewReader(program)); err != nil {
		t.Fatal(err)
	}
	if has, err := n.Has(t.Context(), "bafy1"); !has || err != nil {
		t.Errorf("has %v, %v", has, err)
	}
	if has, err := n.Has(t.Context(), "bafy2"); has || err != nil {
		t.Errorf("has the other %v, %v", has, err)
	}
	for _, id := range []string{"x", "y", "z"} {
		task.ID = id
		n.submit(task)
	}
	for range 3 {
		if o := n.outcome(); !bytes.Equal(o.Body, program) {
			t.Errorf("outcome %s of %d bytes: %q %s", o.ID, len(o.Body), o.Reason, o.Detail)
		}
	}
}

func TestProgramOfAnotherHashIsRefused(t *testing.T) {
	n := run(t, Config{})
	if err := n.Put(t.Context(), "bafy1", bytes.NewReader([]byte("one"))); err != nil {
		t.Fatal(err)
	}
	task := job("x", "program")
	task.Program = "bafy1"
	n.submit(task)
	if err := n.Put(t.Context(), "bafy1", bytes.NewReader([]byte("two"))); err != nil {
		t.Fatal(err)
	}
	n.worker("a", &trial{cpu(1), func(Task) { t.Error("begun") }})
	n.want("x", ReasonProgram)
}

func TestProgramThatIsGoneIsAReason(t *testing.T) {
	n := run(t, Config{})
	if err := n.Put(t.Context(), "bafy1", bytes.NewReader([]byte("one"))); err != nil {
		t.Fatal(err)
	}
	task := job("x", "program")
	task.Program = "bafy1"
	n.submit(task)
	if err := errors.Join(n.Remove(t.Context(), "bafy1"), n.Remove(t.Context(), "bafy1")); err != nil {
		t.Fatal(err)
	}
	n.worker("a", &trial{slots: cpu(1)})
	n.want("x", ReasonProgram)
}

func TestProgramsAreBounded(t *testing.T) {
	n := run(t, Config{MaxPrograms: 1 << 20})
	if err := n.Put(t.Context(), "large", bytes.NewReader(make([]byte, 2<<20))); !errors.Is(err, ErrFull) {
		t.Errorf("2 MiB of 1: %v", err)
	}
	if has, err := n.Has(t.Context(), "large"); has || err != nil {
		t.Errorf("has %v, %v", has, err)
	}
	if err := n.Put(t.Context(), "small", bytes.NewReader(make([]byte, 1<<10))); err != nil {
		t.Error(err)
	}
	if err := n.Put(t.Context(), "../x", bytes.NewReader(nil)); !errors.Is(err, ErrTask) {
		t.Errorf("name: %v", err)
	}
}

// shelf is a source in memory.
type shelf struct {
	mu       sync.Mutex
	programs map[string][]byte
	opened   int
}

func (s *shelf) open(_ context.Context, name string) (io.ReadCloser, uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opened++
	p, ok := s.programs[name]
	if !ok {
		return nil, 0, jetstream.ErrObjectNotFound
	}
	return io.NopCloser(bytes.NewReader(p)), uint64(len(p)), nil
}

func digestOf(p []byte) []byte { sum := sha256.Sum256(p); return sum[:] }

func TestCacheFetchesOnceAndForgetsTheOldest(t *testing.T) {
	s := &shelf{programs: map[string][]byte{"a": make([]byte, 40), "b": make([]byte, 41), "c": make([]byte, 42)}}
	c, err := openCache(t.TempDir(), 100, s)
	if err != nil {
		t.Fatal(err)
	}
	get := func(name string) func() {
		path, release, err := c.get(t.Context(), name, digestOf(s.programs[name]), func() {})
		if err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, s.programs[name]) {
			t.Fatalf("%s: %v", name, err)
		}
		return release
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { get("a")() })
	}
	all.Wait()
	if s.opened != 1 {
		t.Errorf("fetched %d times", s.opened)
	}
	held := get("a")
	get("b")()
	get("c")()
	held()
	get("a")()
	get("c")()
	if s.opened != 3 {
		t.Errorf("fetched %d times, want 3: what is in use stays, then the oldest goes", s.opened)
	}
	get("b")()
	if s.opened != 4 {
		t.Errorf("fetched %d times, want 4", s.opened)
	}
}

func TestCacheOfAnEarlierProcessIsChecked(t *testing.T) {
	dir := t.TempDir()
	good, bad := []byte("good"), []byte("bad")
	for name, b := range map[string][]byte{
		hex.EncodeToString(digestOf(good)): good, hex.EncodeToString(digestOf(bad)): []byte("damaged"), temporary + "x": nil,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := &shelf{programs: map[string][]byte{"bad": bad}}
	c, err := openCache(dir, 100, s)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]byte{"good": good, "bad": bad} {
		path, release, err := c.get(t.Context(), name, digestOf(want), func() {})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		release()
	}
	if _, err := os.Stat(filepath.Join(dir, temporary+"x")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("unfinished file: %v", err)
	}
	if s.opened != 1 {
		t.Errorf("fetched %d times, want 1", s.opened)
	}
}

func TestCacheRefusesWhatIsNotTheProgram(t *testing.T) {
	s := &shelf{programs: map[string][]byte{"a": []byte("a"), "long": make([]byte, 101)}}
	dir := t.TempDir()
	c, err := openCache(dir, 100, s)
	if err != nil {
		t.Fatal(err)
	}
	for name, retry := range map[string]bool{"a": false, "long": false, "gone": true} {
		_, _, err := c.get(t.Context(), name, digestOf([]byte("b")), func() {})
		var f *Failure
		if !errors.As(err, &f) || f.Reason != ReasonProgram || f.Retry != retry {
			t.Errorf("%s: %v", name, err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left %v, %v", left, err)
	}
}
