package proofs

import (
	"container/list"
	"crypto/sha256"
	"sync"

	"github.com/weisyn/wes/chain"
)

// cache keeps decoded keys, the least lately used being forgotten first. A key is decoded once,
// whoever asks for it meanwhile.
type cache struct {
	limit int // bytes of encoded keys
	mu    struct {
		sync.Mutex
		entries map[cacheKey]*list.Element
		recent  *list.List // of *entry, the latest first
		size    int
	}
}

type cacheKey struct {
	kind chain.JobKind
	hash [sha256.Size]byte
}

type entry struct {
	name cacheKey
	size int
	once sync.Once
	key  *key
	err  error
}

func newCache(limit int) *cache {
	c := &cache{limit: limit}
	c.mu.entries, c.mu.recent = map[cacheKey]*list.Element{}, list.New()
	return c
}

// get decodes a key, or remembers it.
func (c *cache) get(kind chain.JobKind, raw []byte) (*key, error) {
	e := c.entry(cacheKey{kind, sha256.Sum256(raw)}, len(raw))
	e.once.Do(func() { e.key, e.err = decodeKey(kind, raw) })
	if e.err != nil {
		c.forget(e)
	}
	return e.key, e.err
}

func (c *cache) entry(name cacheKey, size int) *entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at := c.mu.entries[name]; at != nil {
		c.mu.recent.MoveToFront(at)
		return at.Value.(*entry)
	}
	e := &entry{name: name, size: size}
	c.mu.entries[name] = c.mu.recent.PushFront(e)
	c.mu.size += size
	for c.mu.size > c.limit && c.mu.recent.Len() > 1 {
		c.drop(c.mu.recent.Back())
	}
	return e
}

// forget drops what did not decode: bytes of strangers shall push nothing out.
func (c *cache) forget(e *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at := c.mu.entries[e.name]; at != nil && at.Value.(*entry) == e {
		c.drop(at)
	}
}

func (c *cache) drop(at *list.Element) {
	e := c.mu.recent.Remove(at).(*entry)
	delete(c.mu.entries, e.name)
	c.mu.size -= e.size
}
