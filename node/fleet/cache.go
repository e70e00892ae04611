package fleet

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
)

const temporary = "new-" // prefix of files that are being fetched

// source is where programs come from.
type source interface {
	// open returns a program and its size in bytes. Errors are a *Failure or of the connection.
	open(ctx context.Context, name string) (io.ReadCloser, uint64, error)
}

// cache keeps programs in a folder, named by their SHA-256 in hex. A file is checked against its
// name once in the life of a process, before its first use.
type cache struct {
	dir    string
	limit  int64
	source source

	mu struct {
		sync.Mutex
		files map[string]*file // by name in the folder
		uses  uint64
	}
}

type file struct {
	turn    chan struct{} // holds one token: who has it fetches or checks
	users   int
	checked bool
	size    int64
	used    uint64 // of cache.uses
}

func newFile(size int64) *file {
	f := &file{turn: make(chan struct{}, 1), size: size}
	f.turn <- struct{}{}
	return f
}

// openCache takes over the files of an earlier process, and deletes what it left unfinished.
func openCache(dir string, limit int64, source source) (*cache, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	c := &cache{dir: dir, limit: limit, source: source}
	c.mu.files = map[string]*file{}
	all, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range all {
		if strings.HasPrefix(e.Name(), temporary) {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return nil, err
			}
		}
		info, err := e.Info()
		if err == nil && info.Mode().IsRegular() && isHash(e.Name()) {
			c.mu.files[e.Name()] = newFile(info.Size())
		}
	}
	return c, nil
}

func isHash(name string) bool { return regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(name) }

// get returns the path of a program, which exists until release is called. Touch is called while
// it is fetched.
func (c *cache) get(ctx context.Context, name string, digest []byte, touch func()) (path string, release func(), err error) {
	key := hex.EncodeToString(digest)
	path = filepath.Join(c.dir, key)
	f := c.use(key)
	select {
	case <-f.turn:
	case <-ctx.Done():
		c.leave(f)
		return "", nil, ctx.Err()
	}
	defer func() { f.turn <- struct{}{} }()
	if !f.checked {
		if err := c.provide(ctx, f, path, name, digest, touch); err != nil {
			c.leave(f)
			return "", nil, err
		}
	}
	return path, sync.OnceFunc(func() { c.leave(f) }), nil
}

func (c *cache) use(key string) *file {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.mu.files[key]
	if f == nil {
		f = newFile(0)
		c.mu.files[key] = f
	}
	f.users++
	c.mu.uses++
	f.used = c.mu.uses
	return f
}

// leave ends a use, and deletes the files that were not used for longest until the rest is within
// the limit.
func (c *cache) leave(f *file) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f.users--
	for c.total() > c.limit {
		key := c.oldest()
		if key == "" || os.Remove(filepath.Join(c.dir, key)) != nil {
			return
		}
		delete(c.mu.files, key)
	}
}

func (c *cache) total() int64 {
	var n int64
	for _, f := range c.mu.files {
		n += f.size
	}
	return n
}

// oldest is the file without users, and with bytes, that was not used for longest.
func (c *cache) oldest() string {
	key := ""
	for k, f := range c.mu.files {
		if f.users == 0 && f.size > 0 && (key == "" || f.used < c.mu.files[key].used) {
			key = k
		}
	}
	return key
}

// provide checks the file that is there, or fetches it.
func (c *cache) provide(ctx context.Context, f *file, path, name string, digest []byte, touch func()) error {
	size, err := check(ctx, path, digest, touch)
	if err != nil {
		size, err = c.fetch(ctx, path, name, digest, touch)
	}
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	f.checked, f.size = true, size
	return nil
}

// check returns the size of a file if its hash is the digest.
func check(ctx context.Context, path string, digest []byte, touch func()) (int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, &touching{f, ctx.Err, touch})
	if err == nil && !bytes.Equal(h.Sum(nil), digest) {
		err = errors.New("the file is not what its name says")
	}
	return n, err
}

func (c *cache) fetch(ctx context.Context, path, name string, digest []byte, touch func()) (int64, error) {
	r, size, err := c.source.open(ctx, name)
	if err != nil {
		return 0, unless(err)
	}
	defer r.Close()
	if size > uint64(c.limit) {
		return 0, &Failure{Reason: ReasonProgram, Detail: fmt.Sprintf("program of %d bytes, and the worker keeps %d", size, c.limit)}
	}
	tmp, err := os.CreateTemp(c.dir, temporary)
	if err != nil {
		return 0, unless(err)
	}
	defer os.Remove(tmp.Name())
	defer tmp.Close()
	h := sha256.New()
	limited := io.LimitReader(&touching{r, ctx.Err, touch}, int64(size)+1)
	n, err := io.Copy(io.MultiWriter(tmp, h), limited)
	switch {
	case err != nil:
		return 0, unless(err)
	case !bytes.Equal(h.Sum(nil), digest):
		return 0, &Failure{Reason: ReasonProgram, Detail: "the program is not the one that was put"}
	}
	if err := errors.Join(tmp.Sync(), tmp.Close()); err != nil {
		return 0, unless(err)
	}
	return n, os.Rename(tmp.Name(), path)
}

// unless makes an error that is no Failure one that another attempt may not meet.
func unless(err error) error {
	if errors.As(err, new(*Failure)) {
		return err
	}
	return &Failure{Reason: ReasonProgram, Detail: err.Error(), Retry: true}
}

// touching is a reader that stops with its context and tells of every read.
type touching struct {
	r     io.Reader
	ended func() error
	touch func()
}

func (t *touching) Read(p []byte) (int, error) {
	if err := t.ended(); err != nil {
		return 0, err
	}
	n, err := t.r.Read(p)
	if n > 0 {
		t.touch()
	}
	return n, err
}
