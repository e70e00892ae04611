package circuit

import (
	"context"
	"slices"
	"sync"
)

// cache keeps loaded packages up to a number of bytes. What is in use is never dropped, so
// that more can be in memory for a while; what is larger than the limit alone is dropped after
// use.
type cache struct {
	limit int64         // bytes
	most  int           // packages, 0: any number
	free  func(*loaded) // called with what is dropped; may be nil
	mu    struct {
		sync.Mutex
		entries []*entry // the one used last is the last
	}
}

// entry is a package that is loaded, or being loaded.
type entry struct {
	key   [32]byte
	users int           // guarded by cache.mu
	ready chan struct{} // closed when the fields below are set
	value *loaded
	err   error
}

// get gives the package of that key, and loads it if it is not there. The caller releases
// the entry. cached tells that nothing had to be loaded.
func (c *cache) get(ctx context.Context, key [32]byte, size int64, load func() (*loaded, error)) (e *entry, cached bool, err error) {
	e, first := c.claim(key, size)
	if first {
		e.value, e.err = load()
		close(e.ready)
	}
	select {
	case <-e.ready:
	case <-ctx.Done():
		c.release(e)
		return nil, false, ctx.Err()
	}
	if e.err != nil {
		c.release(e)
		return nil, false, e.err
	}
	return e, !first, nil
}

// claim pins an entry and makes it the one used last. first is true for who has to load it;
// room is made before that.
func (c *cache) claim(key [32]byte, size int64) (e *entry, first bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.mu.entries
	if i := slices.IndexFunc(all, func(e *entry) bool { return e.key == key }); i >= 0 {
		e = all[i]
		c.mu.entries = append(slices.Delete(all, i, i+1), e)
	} else {
		e, first = &entry{key: key, ready: make(chan struct{})}, true
		c.evict(size, 1)
		c.mu.entries = append(c.mu.entries, e)
	}
	e.users++
	return e, first
}

// release unpins an entry and drops what exceeds the limit. An entry that failed to load
// does not stay.
func (c *cache) release(e *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e.users--
	if e.users == 0 && e.failed() {
		c.mu.entries = slices.DeleteFunc(c.mu.entries, func(o *entry) bool { return o == e })
	}
	c.evict(0, 0)
}

// evict drops idle entries, those unused for the longest time first, until more
// entries of size bytes fit; c.mu is held.
func (c *cache) evict(size int64, more int) {
	total, count := size, len(c.mu.entries)+more
	for _, e := range c.mu.entries {
		total += e.bytes()
	}
	c.mu.entries = slices.DeleteFunc(c.mu.entries, func(e *entry) bool {
		full := total > c.limit || c.most > 0 && count > c.most
		if !full || e.users > 0 {
			return false
		}
		total, count = total-e.bytes(), count-1
		if c.free != nil {
			c.free(e.value)
		}
		return true
	})
}

func (e *entry) failed() bool {
	select {
	case <-e.ready:
		return e.err != nil
	default:
		return false
	}
}

// bytes is 0 while an entry is being loaded.
func (e *entry) bytes() int64 {
	select {
	case <-e.ready:
		if e.value != nil {
			return e.value.bytes
		}
	default:
	}
	return 0
}
