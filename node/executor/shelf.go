package executor

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/weisyn/wes/prover/circuit"
)

// Shelf keeps packages of circuits in a folder, for any number of executors. Each lies under the
// SHA-256 of its name, whole or not at all, and is made once. Beyond the limit those go that nobody
// uses, the least lately used first.
type Shelf struct {
	dir   string
	limit int64 // bytes
	mu    struct {
		sync.Mutex
		books map[string]*book // by folder
		clock uint64
	}
}

// book is a package of the shelf, or one that is being made.
type book struct {
	dir   string
	users int
	used  uint64
	ready chan struct{} // closed when the rest is set
	pack  *circuit.Package
	err   error
}

// defaultShelf is the limit of a shelf, in bytes, if none is given.
const defaultShelf = 32 << 30

// OpenShelf takes what is in a folder, and removes from it what is no whole package. A limit of 0 is
// 32 GiB.
func OpenShelf(dir string, limit int64) (*Shelf, error) {
	if limit == 0 {
		limit = defaultShelf
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open circuits: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("open circuits: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("open circuits: %w", err)
	}
	s := &Shelf{dir: dir, limit: limit}
	s.mu.books = map[string]*book{}
	for _, e := range entries {
		if err := s.adopt(filepath.Join(dir, e.Name())); err != nil {
			return nil, fmt.Errorf("open circuits: %w", err)
		}
	}
	return s, nil
}

// adopt takes a package of an earlier process.
func (s *Shelf) adopt(dir string) error {
	name, err := hex.DecodeString(filepath.Base(dir))
	if err != nil || len(name) != sha256.Size {
		return os.RemoveAll(dir)
	}
	p, err := circuit.Open(dir)
	if err != nil || p.CanProve() != nil {
		return os.RemoveAll(dir)
	}
	b := &book{dir: dir, ready: make(chan struct{}), pack: p}
	close(b.ready)
	s.mu.books[dir] = b
	return nil
}

// get returns the package of a name, which the first who asks makes in the folder given. It must be
// released.
func (s *Shelf) get(ctx context.Context, name string, make func(dir string) (*circuit.Package, error)) (*book, error) {
	sum := sha256.Sum256([]byte(name))
	dir := filepath.Join(s.dir, hex.EncodeToString(sum[:]))
	for {
		b, first := s.claim(dir)
		if first {
			b.pack, b.err = make(dir)
			close(b.ready)
		}
		select {
		case <-b.ready:
		case <-ctx.Done():
			s.release(b)
			return nil, ctx.Err()
		}
		if b.err == nil {
			return b, nil
		}
		s.forget(b)
		s.release(b)
		if first || ctx.Err() != nil {
			return nil, b.err
		}
	}
}

func (s *Shelf) claim(dir string) (b *book, first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b = s.mu.books[dir]
	if first = b == nil; first {
		b = &book{dir: dir, ready: make(chan struct{})}
		s.mu.books[dir] = b
	}
	s.mu.clock++
	b.users, b.used = b.users+1, s.mu.clock
	return b, first
}

// forget drops a package that could not be made, so that the next one who asks tries again.
func (s *Shelf) forget(b *book) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.books[b.dir] == b {
		delete(s.mu.books, b.dir)
	}
}

// release ends the use of a package, and makes room.
func (s *Shelf) release(b *book) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b.users--
	for s.size() > s.limit {
		oldest := s.idle()
		if oldest == nil || os.RemoveAll(oldest.dir) != nil {
			return // it is tried again with the next one
		}
		delete(s.mu.books, oldest.dir)
	}
}

// size is that of all packages, in bytes; s.mu is held.
func (s *Shelf) size() (n int64) {
	for _, b := range s.mu.books {
		if b.made() {
			n += b.pack.Manifest.PackedSize()
		}
	}
	return n
}

// idle is the package that nobody uses for longest; s.mu is held.
func (s *Shelf) idle() (oldest *book) {
	for _, b := range s.mu.books {
		if b.made() && b.users == 0 && (oldest == nil || b.used < oldest.used) {
			oldest = b
		}
	}
	return oldest
}

// made reports whether a package is there.
func (b *book) made() bool {
	select {
	case <-b.ready:
		return b.err == nil
	default:
		return false
	}
}
